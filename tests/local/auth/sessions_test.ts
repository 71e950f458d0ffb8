import assert from "node:assert/strict";
import { withDatabase } from "../../support/database.ts";
import { type AuthUnderTest, password, refusal, signedIn, startAuth } from "./support.ts";

const better = "Battery-staple-8";

/** Signs the same person in once more. */
async function again(auth: AuthUnderTest, email: string) {
  const client = auth.visitor();
  const { data, error } = await client.auth.signInWithPassword({ email, password });
  if (error) throw error;
  return { client, session: data.session };
}

async function isLive(auth: AuthUnderTest, { refresh_token }: { refresh_token: string }) {
  const { error } = await auth.visitor().auth.refreshSession({ refresh_token });
  return error === null;
}

Deno.test("logging out ends this session, the others or all, as asked", async () => {
  await using auth = await startAuth();
  for (
    const [scope, expected] of [
      ["local", [false, true]],
      ["others", [true, false]],
      ["global", [false, false]],
    ] as const
  ) {
    const first = await signedIn(auth);
    const second = await again(auth, first.email);
    assert.equal((await first.client.auth.signOut({ scope })).error, null);
    const live = [await isLive(auth, first.session), await isLive(auth, second.session)];
    assert.deepEqual(live, expected, scope);
  }
});

Deno.test("the token of an ended session opens Auth no more", async () => {
  await using auth = await startAuth();
  const { session } = await signedIn(auth);
  assert.equal((await auth.operator().auth.admin.signOut(session.access_token)).error, null);
  const response = await auth.request("/user", {
    headers: { authorization: `Bearer ${session.access_token}` },
  });
  assert.deepEqual([response.status, (await response.json()).error_code], [
    403,
    "session_not_found",
  ]);
});

Deno.test("a new password ends the other sessions and is needed from then on", async () => {
  await using auth = await startAuth();
  const first = await signedIn(auth);
  const second = await again(auth, first.email);
  assert.equal((await first.client.auth.updateUser({ password: better })).error, null);
  assert.deepEqual([await isLive(auth, first.session), await isLive(auth, second.session)], [
    true,
    false,
  ]);
  const login = (secret: string) =>
    auth.visitor().auth.signInWithPassword({ email: first.email, password: secret });
  assert.deepEqual(refusal(await login(password)), [400, "invalid_credentials"]);
  assert.equal((await login(better)).error, null);
});

Deno.test("a new password must be another one and follow the rules", async () => {
  await using auth = await startAuth();
  const { client } = await signedIn(auth);
  assert.deepEqual(refusal(await client.auth.updateUser({ password })), [422, "same_password"]);
  assert.deepEqual(refusal(await client.auth.updateUser({ password: "short" })), [
    422,
    "weak_password",
  ]);
});

Deno.test("a reset by mail ends the sessions there were", async () => {
  await using auth = await startAuth();
  const { email, session } = await signedIn(auth);
  const visitor = auth.visitor();
  await visitor.auth.resetPasswordForEmail(email);
  const token = auth.mailTo(email).code!;
  assert.equal((await visitor.auth.verifyOtp({ email, token, type: "recovery" })).error, null);
  assert.equal((await visitor.auth.updateUser({ password: better })).error, null);
  assert.equal(await isLive(auth, session), false);
});

Deno.test("an old session needs a code to change the password, where the project asks for it", async () => {
  await using auth = await startAuth({ securePasswordChange: true });
  const { id, email, client } = await signedIn(auth);
  await withDatabase((sql) =>
    sql`update auth.sessions set created_at = now() - interval '2 days' where user_id = ${id}`
  );
  const change = (nonce?: string) =>
    client.auth.updateUser({ password: better, ...(nonce && { nonce }) });
  assert.deepEqual(refusal(await change()), [400, "reauthentication_needed"]);
  assert.equal((await client.auth.reauthenticate()).error, null);
  const { code, action, link } = auth.mailTo(email);
  assert.deepEqual([action, link], ["reauthentication", undefined]);
  const wrong = code === "000000" ? "000001" : "000000";
  assert.deepEqual(refusal(await change(wrong)), [422, "reauthentication_not_valid"]);
  assert.equal((await change(code)).error, null);
});

Deno.test("people change their own metadata, never what the project says of them", async () => {
  await using auth = await startAuth();
  const { id, client, session } = await signedIn(auth);
  const first = await client.auth.updateUser({ data: { nickname: "ana", city: "Ulm" } });
  assert.equal(first.data.user?.user_metadata.nickname, "ana");
  const second = await client.auth.updateUser({ data: { city: null } });
  assert.equal("city" in second.data.user!.user_metadata, false);
  const put = async (body: unknown) => {
    const response = await auth.request("/user", {
      method: "PUT",
      headers: { authorization: `Bearer ${session.access_token}` },
      body: JSON.stringify(body),
    });
    return [response.status, (await response.json()).error_code];
  };
  assert.deepEqual(await put({ app_metadata: { plan: "gold" } }), [403, "not_admin"]);
  assert.deepEqual(await put({ role: "service_role" }), [200, undefined]);
  const [row] = await withDatabase((sql) =>
    sql`select role, raw_app_meta_data ? 'plan' as plan from auth.users where id = ${id}`
  );
  assert.deepEqual({ ...row }, { role: "authenticated", plan: false });
});

Deno.test("sign-ins, refreshes and sign-outs are in the audit trail", async () => {
  await using auth = await startAuth();
  const { id, client } = await signedIn(auth);
  await client.auth.refreshSession();
  await client.auth.signOut();
  const rows = await withDatabase((sql) =>
    sql`select payload ->> 'action' as action from auth.audit_log_entries
      where payload ->> 'actor_id' = ${id} order by created_at`
  );
  assert.deepEqual(rows.map(({ action }) => action), ["login", "token_refreshed", "logout"]);
});
