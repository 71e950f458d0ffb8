import assert from "node:assert/strict";
import { signToken } from "../../../local/tokens.ts";
import { withDatabase } from "../../support/database.ts";
import { proveRecently } from "../../support/clients.ts";
import { claimsOf, newEmail, password, refusal, signedIn, startAuth } from "./support.ts";

Deno.test("the admin API is the secret key's and the service role's alone", async () => {
  await using auth = await startAuth();
  const { session } = await signedIn(auth);
  const list = async (headers: Record<string, string>) => {
    const response = await auth.request("/admin/users?per_page=1", { headers });
    return [response.status, (await response.json()).error_code];
  };
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const { keys } = auth;
  assert.deepEqual(await list({ apikey: keys.secret }), [200, undefined]);
  assert.deepEqual(await list(bearer(keys.secret)), [200, undefined]);
  assert.deepEqual(await list(bearer(keys.serviceRole)), [200, undefined]);
  const minted = await signToken(keys, { role: "service_role", exp: Date.now() });
  assert.deepEqual(await list(bearer(minted)), [200, undefined]);
  assert.deepEqual(await list({}), [401, "no_authorization"]);
  assert.deepEqual(await list({ apikey: keys.publishable }), [401, "no_authorization"]);
  assert.deepEqual(await list(bearer(keys.anon)), [403, "not_admin"]);
  // A server that carries somebody's token asks as them.
  const carried = { apikey: keys.secret, ...bearer(session.access_token) };
  assert.deepEqual(await list(carried), [403, "not_admin"]);
});

Deno.test("an operator makes a user as they want them", async () => {
  await using auth = await startAuth();
  const admin = auth.operator().auth.admin;
  const [email, id] = [newEmail(), crypto.randomUUID()];
  const { data, error } = await admin.createUser({
    id,
    email,
    password: "weak",
    email_confirm: true,
    user_metadata: { full_name: "Ana" },
    app_metadata: { plan: "gold" },
  });
  assert.equal(error, null);
  assert.deepEqual(data.user?.app_metadata, {
    provider: "email",
    providers: ["email"],
    plan: "gold",
  });
  assert.deepEqual(data.user?.user_metadata, { full_name: "Ana", email_verified: true });
  assert.equal((await admin.getUserById(id)).data.user?.email, email);
  const login = await auth.visitor().auth.signInWithPassword({ email, password: "weak" });
  assert.equal(login.error, null);
  assert.deepEqual(login.data.weakPassword?.reasons, ["length", "characters"]);
  assert.deepEqual(refusal(await admin.createUser({ email })), [422, "email_exists"]);
  const [row] = await withDatabase((sql) =>
    sql`select instance_id, is_super_admin from auth.users where id = ${id}`
  );
  assert.equal(row!.instance_id, "00000000-0000-0000-0000-000000000000");
});

Deno.test("an operator's change takes effect at once", async () => {
  await using auth = await startAuth();
  const admin = auth.operator().auth.admin;
  const { id, session } = await signedIn(auth);
  const email = newEmail();
  const { data, error } = await admin.updateUserById(id, {
    email,
    password: "Battery-staple-8",
    app_metadata: { plan: "gold", provider: null },
    user_metadata: { full_name: "Ana" },
    role: "moderator",
  });
  assert.equal(error, null);
  assert.deepEqual(data.user?.app_metadata, { providers: ["email"], plan: "gold" });
  const login = await auth.visitor().auth.signInWithPassword({
    email,
    password: "Battery-staple-8",
  });
  assert.equal(claimsOf(login.data.session!.access_token).role, "moderator");
  const { refresh_token } = session;
  assert.deepEqual(refusal(await auth.visitor().auth.refreshSession({ refresh_token })), [
    400,
    "refresh_token_not_found",
  ]);
  const other = await signedIn(auth);
  assert.deepEqual(refusal(await admin.updateUserById(other.id, { email })), [422, "email_exists"]);
  assert.deepEqual(refusal(await admin.updateUserById(id, { ban_duration: "soon" })), [
    400,
    "validation_failed",
  ]);
});

Deno.test("what is no user is not found", async () => {
  await using auth = await startAuth();
  const nobody = await auth.operator().auth.admin.getUserById(crypto.randomUUID());
  assert.deepEqual(refusal(nobody), [404, "user_not_found"]);
  const response = await auth.request("/admin/users/nonsense", {
    headers: { apikey: auth.keys.secret },
  });
  assert.deepEqual([response.status, (await response.json()).error_code], [
    404,
    "validation_failed",
  ]);
});

Deno.test("the list goes through everybody, a page at a time, the newest first", async () => {
  await using auth = await startAuth();
  const admin = auth.operator().auth.admin;
  const emails: string[] = [];
  for (let n = 0; n < 3; n++) emails.unshift((await signedIn(auth)).email);
  const { data, error } = await admin.listUsers({ page: 1, perPage: 2 });
  assert.equal(error, null);
  assert.equal(data.users.length, 2);
  const page = data as { nextPage: number | null; total: number };
  assert.ok(page.total >= 3);
  assert.equal(page.nextPage, 2);
  const response = await auth.request(`/admin/users?filter=${emails[0]}`, {
    headers: { apikey: auth.keys.secret },
  });
  assert.equal(response.headers.get("x-total-count"), "1");
  assert.equal(
    response.headers.get("link"),
    `</admin/users?filter=${encodeURIComponent(emails[0]!)}&page=1>; rel="last"`,
  );
  assert.deepEqual((await response.json()).users.map(({ email }: { email: string }) => email), [
    emails[0],
  ]);
});

Deno.test("a generated link does what its mail would have done, and sends none", async () => {
  await using auth = await startAuth();
  const admin = auth.operator().auth.admin;
  const known = await signedIn(auth);
  const fresh = { email: newEmail(), password };
  for (
    const [params, verification] of [
      [{ type: "magiclink", email: known.email }, "magiclink"],
      [{ type: "recovery", email: known.email }, "recovery"],
      [{ type: "signup", ...fresh }, "signup"],
      [{ type: "invite", email: newEmail() }, "invite"],
      [{ type: "magiclink", email: newEmail() }, "signup"],
    ] as const
  ) {
    const { data, error } = await admin.generateLink(params);
    assert.equal(error, null, params.type);
    const { verification_type, hashed_token, email_otp } = data.properties!;
    assert.equal(verification_type, verification);
    assert.match(email_otp, /^\d{6}$/);
    const verified = await auth.visitor().auth.verifyOtp({
      token_hash: hashed_token,
      type: verification,
    });
    assert.equal(verified.data.user?.email, params.email);
  }
  assert.deepEqual(auth.mails, []);
  const login = await auth.visitor().auth.signInWithPassword(fresh);
  assert.equal(login.error, null);
});

Deno.test("generated links of both sides change an address", async () => {
  await using auth = await startAuth();
  const admin = auth.operator().auth.admin;
  const [{ id, email }, newEmail_] = [await signedIn(auth), newEmail()];
  await proveRecently({ id });
  for (const type of ["email_change_current", "email_change_new"] as const) {
    const { data, error } = await admin.generateLink({ type, email, newEmail: newEmail_ });
    assert.equal(error, null);
    const { hashed_token: token_hash } = data.properties!;
    const verified = await auth.visitor().auth.verifyOtp({ token_hash, type: "email_change" });
    assert.equal(verified.error, null);
  }
  const { error } = await auth.visitor().auth.signInWithPassword({ email: newEmail_, password });
  assert.equal(error, null);
});

Deno.test("links for nobody, to a confirmed address or of no known type are refused", async () => {
  await using auth = await startAuth();
  const admin = auth.operator().auth.admin;
  const { email } = await signedIn(auth);
  assert.deepEqual(refusal(await admin.generateLink({ type: "recovery", email: newEmail() })), [
    404,
    "user_not_found",
  ]);
  assert.deepEqual(refusal(await admin.generateLink({ type: "signup", email, password })), [
    422,
    "email_exists",
  ]);
  assert.deepEqual(refusal(await admin.generateLink({ type: "nonsense" as "invite", email })), [
    400,
    "validation_failed",
  ]);
});

Deno.test("an invitation makes an unconfirmed user and mails them; the code lets them in", async () => {
  await using auth = await startAuth();
  const email = newEmail();
  const { data, error } = await auth.operator().auth.admin.inviteUserByEmail(email, {
    data: { team: "blue" },
  });
  assert.equal(error, null);
  assert.ok(data.user?.invited_at);
  const { code, action } = auth.mailTo(email);
  assert.equal(action, "invite");
  const visitor = auth.visitor();
  const verified = await visitor.auth.verifyOtp({ email, token: code!, type: "invite" });
  assert.equal(verified.data.user?.user_metadata.team, "blue");
  assert.equal((await visitor.auth.updateUser({ password })).error, null);
  assert.equal((await auth.visitor().auth.signInWithPassword({ email, password })).error, null);
});

Deno.test("an operator sees and removes second factors", async () => {
  await using auth = await startAuth();
  const { id } = await signedIn(auth);
  const factor = crypto.randomUUID();
  await withDatabase((sql) =>
    sql`insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
      values (${factor}, ${id}, 'totp', 'verified', now(), now())`
  );
  const mfa = auth.operator().auth.admin.mfa;
  const { data } = await mfa.listFactors({ userId: id });
  assert.deepEqual(data?.factors.map((row) => row.id), [factor]);
  assert.equal((await mfa.deleteFactor({ userId: id, id: factor })).error, null);
  assert.deepEqual(refusal(await mfa.deleteFactor({ userId: id, id: factor })), [
    404,
    "mfa_factor_not_found",
  ]);
});
