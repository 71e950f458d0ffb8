import { createClient } from "@supabase/supabase-js";
import assert from "node:assert/strict";
import { must } from "../support/answers.ts";
import { assertProblem } from "../support/api.ts";
import { admin, anonymous, createPerson } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { codeIn, mailsTo, mailTo } from "../support/mail.ts";
import { getStack } from "../support/stack.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import {
  assertAnswer,
  clientOf,
  codeFrom,
  createAccount,
  login,
  newEmail,
  newestMail,
  password,
  post,
  postFrom,
  randomAddress,
  register,
  tokenIn,
} from "./support.ts";

/** Ages what was mailed to an address. */
const age = (email: string, interval: string) =>
  withDatabase((sql) =>
    sql`
      update private.accounts_tokens t
      set expires_at = t.expires_at - ${interval}::interval,
        code_expires_at = t.code_expires_at - ${interval}::interval
      from auth.users u where u.id = t.person_id and u.email = ${email}`
  );

Deno.test("from registering to signing in: the address is proved in between", async () => {
  const email = newEmail();
  await assertAnswer(register({ email, display_name: " Ana Lu ", locale: "de-AT" }), 202);
  const early = post("/login", { email, password });
  await assertAnswer(early, 401, "accounts.credentials_refused");
  const mail = await mailTo(email, "accounts.verification");
  assert.match(mail.subject, /Bestätigen/);
  await assertAnswer(post("/verify-email", { token: tokenIn(mail) }), 204);
  const client = await clientOf(await login(email));
  const me = await must<Record<string, unknown>>(client.rpc("people_me"));
  assert.deepEqual([me.email, me.display_name, me.email_verified, me.locale], [
    email,
    "Ana Lu",
    true,
    "de-AT",
  ]);
  await mailTo(email, "accounts.welcome");
});

Deno.test("an address is one, however it is written", async () => {
  const email = newEmail();
  await assertAnswer(register({ email: ` ${email.toUpperCase()} ` }), 202);
  const token = tokenIn(await mailTo(email, "accounts.verification"));
  await assertAnswer(post("/verify-email", { token }), 204);
  await login(email.toUpperCase());
});

Deno.test("the code of the mail proves the address, too", async () => {
  const email = newEmail();
  await register({ email });
  const code = await codeFrom(email, "accounts.verification");
  await assertAnswer(post("/verify-email", { email, code }), 204);
  await login(email);
});

Deno.test("A17: the token lives a day and the code ten minutes, each for one use", async (t) => {
  const email = newEmail();
  await register({ email });
  const mail = await mailTo(email, "accounts.verification");
  const [token, code] = [tokenIn(mail), codeIn(mail)];
  await t.step("the code is over after ten minutes", async () => {
    await age(email, "10 minutes 1 second");
    await assertAnswer(post("/verify-email", { email, code }), 422, "accounts.token_refused");
  });
  await t.step("the token is over after a day", async () => {
    await age(email, "1 day");
    await assertAnswer(post("/verify-email", { token }), 422, "accounts.token_refused");
    await age(email, "-1 day");
  });
  await t.step("ten at once with the token: one is taken", async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => post("/verify-email", { token })),
    );
    const statuses = await Promise.all(answers.map(async (answer) => {
      await answer.body?.cancel();
      return answer.status;
    }));
    assert.deepEqual(statuses.toSorted(), [204, ...Array(9).fill(422)]);
  });
  await t.step("nothing of it is kept in clear", async () => {
    const text = await withDatabase(async (sql) =>
      JSON.stringify(await sql`select t::text from private.accounts_tokens t`)
    );
    assert.ok(!text.includes(token));
  });
});

Deno.test("a newer mail makes the one before void", async () => {
  const email = newEmail();
  await register({ email });
  const first = tokenIn(await mailTo(email, "accounts.verification"));
  await assertAnswer(post("/resend-verification", { email }), 202);
  const second = tokenIn(await newestMail(email, "accounts.verification", 2));
  await assertAnswer(post("/verify-email", { token: first }), 422, "accounts.token_refused");
  await assertAnswer(post("/verify-email", { token: second }), 204);
});

Deno.test("of two who register one address, the newer mail and its password count", async () => {
  const email = newEmail();
  await register({ email, password: "Attacker-pass-1" });
  const first = tokenIn(await mailTo(email, "accounts.verification"));
  await assertAnswer(register({ email }), 202);
  const second = tokenIn(await newestMail(email, "accounts.verification", 2));
  await assertAnswer(post("/verify-email", { token: first }), 422, "accounts.token_refused");
  await assertAnswer(post("/verify-email", { token: second }), 204);
  await assertAnswer(
    post("/login", { email, password: "Attacker-pass-1" }),
    401,
    "accounts.credentials_refused",
  );
  await login(email);
});

Deno.test("A9: registering a known address changes nothing, answers alike, and tells its owner", async () => {
  const email = await createAccount();
  const [known, unknown] = [
    await register({ email, password: "Another-pass-9" }),
    await register({}),
  ];
  assert.deepEqual(
    [known.status, await known.text(), known.headers.get("content-type")],
    [unknown.status, await unknown.text(), unknown.headers.get("content-type")],
  );
  await mailTo(email, "accounts.already_registered");
  await login(email);
});

Deno.test("A9: signing in after registering does not tell either whether the address was known", async () => {
  const [known, free] = [await createAccount(), newEmail()];
  const guess = { password: "Attacker-pass-1" };
  const answersFor = async (email: string) => {
    await register({ email, ...guess });
    const answers = [];
    for (let count = 0; count < 6; count++) {
      const answer = await post("/login", { email, ...guess });
      answers.push([answer.status, (await answer.json()).code]);
    }
    for (let count = 0; count < 4; count++) {
      const answer = await post("/resend-verification", { email });
      answers.push([answer.status, await answer.text() !== ""]);
    }
    return answers;
  };
  const answers = await answersFor(free);
  assert.deepEqual(answers[0], [401, "accounts.credentials_refused"]);
  assert.deepEqual(answers, await answersFor(known));
});

Deno.test("who gives the right password of an address that waits is mailed anew, now and then", async () => {
  const email = newEmail();
  await register({ email });
  await mailTo(email, "accounts.verification");
  const attempt = (given = password) => post("/login", { email, password: given });
  const verifications = async () =>
    (await mailsTo(email))
      .filter(({ tags }) => tags.some(({ value }) => value === "accounts_verification")).length;
  const past = () =>
    withDatabase((sql) =>
      sql`update private.accounts_tokens t set created_at = now() - interval '20 minutes 1 second'
        from auth.users u where u.id = t.person_id and u.email = ${email}`
    );
  await assertAnswer(attempt(), 401, "accounts.credentials_refused");
  await past();
  await assertAnswer(attempt("Wrong-horse-7"), 401, "accounts.credentials_refused");
  await assertAnswer(attempt(), 401, "accounts.credentials_refused");
  await assertAnswer(attempt(), 401, "accounts.credentials_refused");
  const token = tokenIn(await newestMail(email, "accounts.verification", 2));
  assert.equal(await verifications(), 2);
  await assertAnswer(post("/verify-email", { token }), 204);
  await login(email);
});

Deno.test("a mail proves no password that was set after it, ours and Auth's own", async (t) => {
  const setPassword = async (email: string) => {
    const id = await must<string>(admin().rpc("accounts_unverified", { email }));
    const changes = { password: "Attacker-pass-1" };
    assert.equal((await admin().auth.admin.updateUserById(id, changes)).error, null);
  };
  await t.step("ours", async () => {
    const email = newEmail();
    await register({ email });
    const mail = await mailTo(email, "accounts.verification");
    await setPassword(email);
    for (const proof of [{ token: tokenIn(mail) }, { email, code: codeIn(mail) }]) {
      await assertAnswer(post("/verify-email", proof), 422, "accounts.token_refused");
    }
  });
  await t.step("Auth's own", async () => {
    const email = newEmail();
    const { data } = await admin().auth.admin.generateLink({ type: "signup", email, password });
    await setPassword(email);
    const token_hash = data.properties!.hashed_token;
    const { error } = await anonymous().auth.verifyOtp({ token_hash, type: "signup" });
    assert.equal(error?.code, "otp_expired");
  });
});

Deno.test("A7: Auth's hook counts by the client's address, and lets pass where there is none", async () => {
  await withDatabase(async (sql) => {
    const ask = async (ip_address: string | null) => {
      const user = { app_metadata: { provider: "email" } };
      const [row] = await sql`
        select private.accounts_before_user_created(
          ${sql.json({ metadata: { ip_address }, user })}) as answer`;
      return row!.answer.error?.http_code ?? 200;
    };
    for (const none of ["", "x", "10.0.0.1, 10.0.0.2"]) assert.equal(await ask(none), 200);
    const block = `fe80:${crypto.randomUUID().slice(0, 4)}:0:1`;
    const answers = [];
    for (let count = 0; count < 6; count++) {
      answers.push(await ask(`${block}::${count}%eth${count}`));
    }
    assert.deepEqual(answers, [200, 200, 200, 200, 200, 429]);
  });
});

Deno.test("A7: five registrations an hour from one address of the network", async () => {
  const address = randomAddress();
  const attempt = () =>
    postFrom(address, "/register", { email: newEmail(), password, display_name: "Ana" });
  for (let count = 0; count < 5; count++) await assertAnswer(attempt(), 202);
  const refused = await attempt();
  await assertProblem(refused, 429, "limits.exceeded");
  assert.ok(Number(refused.headers.get("retry-after")) > 60);
});

const newNetwork = () => `2001:db8:${crypto.randomUUID().slice(0, 4)}:0::1`;
for (const [kind, address] of [["IPv4", randomAddress()], ["IPv6", newNetwork()]] as const) {
  Deno.test(`A7: signing up at Auth directly counts with registering through us, by ${kind}`, async () => {
    const client = createClient(getStack().url, getStack().publishableKey, {
      auth: { persistSession: false, autoRefreshToken: false },
      global: { headers: { "x-forwarded-for": address } },
    });
    const signUp = () => client.auth.signUp({ email: newEmail(), password });
    for (let count = 0; count < 4; count++) assert.equal((await signUp()).error, null);
    const fields = { password, display_name: "Ana" };
    await assertAnswer(postFrom(address, "/register", { email: newEmail(), ...fields }), 202);
    assert.equal((await signUp()).error?.status, 429);
    const refused = postFrom(address, "/register", { email: newEmail(), ...fields });
    await assertAnswer(refused, 429, "limits.exceeded");
  });
}

Deno.test("A7: three mails an hour for an address, whether anybody has it or not", async () => {
  const known = newEmail();
  await register({ email: known });
  for (const email of [known, newEmail()]) {
    for (let count = 0; count < 3; count++) {
      await assertAnswer(post("/resend-verification", { email }), 202);
    }
    await assertAnswer(post("/resend-verification", { email }), 429, "limits.exceeded");
  }
});

Deno.test("A7: five tries at a code, whether anybody has the address or not", async () => {
  const known = newEmail();
  await register({ email: known });
  const code = await codeFrom(known, "accounts.verification");
  const wrong = code === "111111" ? "222222" : "111111";
  for (const email of [known, newEmail()]) {
    const attempt = () => post("/verify-email", { email, code: wrong });
    for (let count = 0; count < 5; count++) {
      await assertAnswer(attempt(), 422, "accounts.token_refused");
    }
    await assertAnswer(attempt(), 429, "limits.exceeded");
  }
  await assertAnswer(post("/verify-email", { email: known, code }), 429, "limits.exceeded");
});

Deno.test("resending tells nothing of an address, and sends where one waits", async () => {
  const proved = await createAccount();
  for (const email of [proved, newEmail()]) {
    await assertAnswer(post("/resend-verification", { email }), 202);
  }
  const verifications = (await mailsTo(proved))
    .filter(({ tags }) => tags.some(({ value }) => value === "accounts_verification"));
  assert.equal(verifications.length, 1);
});

Deno.test("a tenant's policy decides on who registered, once the address is proved", async (t) => {
  const statusIn = async (email: string) => {
    const me = await must<{ tenants: { slug: string; status: string }[] }>(
      (await clientOf(await login(email))).rpc("people_me"),
    );
    return me.tenants.map(({ slug, status }) => [slug, status]);
  };
  await t.step("open: active", async () => {
    const tenant = await createTenant({ registration_policy: "open" });
    assert.deepEqual(await statusIn(await createAccount({ tenant: tenant.slug })), [
      [tenant.slug, "active"],
    ]);
  });
  await t.step("approval: pending, and not let in at login", async () => {
    const tenant = await createTenant({ registration_policy: "approval" });
    const email = await createAccount({ tenant: tenant.slug });
    assert.deepEqual(await statusIn(email), [[tenant.slug, "pending"]]);
    const attempt = post("/login", { email, password, tenant: tenant.slug });
    await assertAnswer(attempt, 403, "members.pending");
  });
  await t.step("invitation: closed without one", async () => {
    const tenant = await createTenant({ registration_policy: "invitation" });
    await assertAnswer(register({ tenant: tenant.slug }), 403, "members.registration_closed");
  });
  await t.step("invitation: in by its token, with the role it names", async () => {
    const tenant = await createTenant({ registration_policy: "invitation" });
    const owner = await createMember(tenant, "owner");
    const { token } = await must<{ token: string }>(
      owner.client.rpc("invitations_create", { tenant_id: tenant.id, role: "staff" }),
    );
    const fields = { tenant: tenant.slug, invitation: token };
    const email = await createAccount(fields);
    assert.deepEqual(await statusIn(email), [[tenant.slug, "active"]]);
    await assertAnswer(register(fields), 409, "invitations.ended");
    await assertAnswer(
      register({ ...fields, invitation: "0".repeat(64) }),
      404,
      "invitations.not_found",
    );
  });
  await t.step("a tenant that does not exist, and the operators'", async () => {
    for (const tenant of ["nowhere-at-all", "platform"]) {
      await assertAnswer(register({ tenant }), 404, "tenants.not_found");
    }
  });
});

Deno.test("what does not fit is refused before anything is done", async () => {
  const faults = [
    { email: "no address" },
    { email: `${"x".repeat(250)}@nexus.test` },
    { display_name: " " },
    { password: "" },
    { locale: "not a locale" },
    { role: "owner" },
  ];
  for (const fault of faults) await assertAnswer(register(fault), 422, "request.invalid");
});

Deno.test("Auth's own link proves an address as ours does", async () => {
  const email = newEmail();
  await register({ email });
  const { data } = await admin().auth.admin.generateLink({ type: "signup", email, password });
  const { error } = await anonymous().auth.verifyOtp({
    token_hash: data.properties!.hashed_token,
    type: "signup",
  });
  assert.equal(error, null);
  await mailTo(email, "accounts.welcome");
  await login(email);
});

Deno.test("the functions' doors are closed to people", async () => {
  const { client } = await createPerson();
  for (const name of ["accounts_redeem", "accounts_attempt", "accounts_login_succeeded"]) {
    const { error } = await client.rpc(name, {});
    assert.ok(["42501", "PGRST202"].includes(error!.code), `${name}: ${error!.code}`);
  }
});
