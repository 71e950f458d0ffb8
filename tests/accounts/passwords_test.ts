import assert from "node:assert/strict";
import { must } from "../support/answers.ts";
import { callApi } from "../support/api.ts";
import { createPerson, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { codeIn, mailsTo, mailTo } from "../support/mail.ts";
import { createEnrolled, overStack, read } from "../two_factor/support.ts";
import {
  assertAnswer,
  clientOf,
  createAccountHolder,
  login,
  newEmail,
  newestMail,
  password,
  post,
  register,
  tokenIn,
  type Tokens,
} from "./support.ts";

const next = "Battery-staple-8";

const age = (id: string, interval: string) =>
  withDatabase((sql) =>
    sql`
      update private.accounts_tokens
      set expires_at = expires_at - ${interval}::interval,
        code_expires_at = code_expires_at - ${interval}::interval
      where person_id = ${id}`
  );

const isOpen = async (token: string) => (await callApi("/v1/users/me", { token })).status === 200;

/** Asks for a reset and gives what was mailed. */
async function forget(email: string) {
  await assertAnswer(post("/password/forgot", { email }), 202);
  const mail = await mailTo(email, "accounts.reset");
  return { token: tokenIn(mail), code: codeIn(mail) };
}

Deno.test("A4: a reset ends every session, sets the password once, and tells the person", async () => {
  const { email, token: session } = await createAccountHolder();
  const { token } = await forget(email);
  await assertAnswer(post("/password/reset", { token, password: next }), 204);
  assert.equal(await isOpen(session), false);
  await assertAnswer(post("/login", { email, password }), 401, "accounts.credentials_refused");
  await login(email, { password: next });
  await mailTo(email, "accounts.password_changed");
  await assertAnswer(
    post("/password/reset", { token, password }),
    422,
    "accounts.token_refused",
  );
});

Deno.test("the code of the mail resets the password, too", async () => {
  const { email } = await createPerson();
  const { code } = await forget(email);
  const wrong = code === "111111" ? "222222" : "111111";
  const reset = (code: string) => post("/password/reset", { email, code, password: next });
  await assertAnswer(reset(wrong), 422, "accounts.token_refused");
  await assertAnswer(reset(code), 204);
  await login(email, { password: next });
});

Deno.test("A17: what resets lives an hour, its code ten minutes", async () => {
  const { email, id } = await createPerson();
  const { token, code } = await forget(email);
  await age(id, "10 minutes 1 second");
  await assertAnswer(
    post("/password/reset", { email, code, password: next }),
    422,
    "accounts.token_refused",
  );
  await age(id, "50 minutes");
  await assertAnswer(
    post("/password/reset", { token, password: next }),
    422,
    "accounts.token_refused",
  );
});

Deno.test("a password that is refused, or that Auth refuses, does not use the token up", async () => {
  const { email } = await createPerson();
  const { token } = await forget(email);
  const attempt = (password: string) => post("/password/reset", { token, password });
  await assertAnswer(attempt("Password1"), 422, "accounts.password_weak");
  await assertAnswer(attempt(next), 204);
});

Deno.test("a token is for its purpose alone", async () => {
  const email = newEmail();
  await register({ email });
  const token = tokenIn(await mailTo(email, "accounts.verification"));
  await assertAnswer(
    post("/password/reset", { token, password: next }),
    422,
    "accounts.token_refused",
  );
});

Deno.test("A9: asking for a reset tells nothing of an address; an unproved one gets no mail", async () => {
  const [unproved, { email: known }] = [newEmail(), await createPerson()];
  await register({ email: unproved });
  await mailTo(unproved, "accounts.verification");
  const answers = await Promise.all(
    [known, unproved, newEmail()].map((email) => post("/password/forgot", { email })),
  );
  const seen = await Promise.all(
    answers.map(async (answer) => [answer.status, await answer.text()]),
  );
  assert.deepEqual(seen, [[202, ""], [202, ""], [202, ""]]);
  await mailTo(known, "accounts.reset");
  assert.equal((await mailsTo(unproved)).length, 1);
});

Deno.test("A7: three resets an hour for an address, whether anybody has it or not", async () => {
  for (const email of [newEmail(), (await createPerson()).email]) {
    for (let count = 0; count < 3; count++) {
      await assertAnswer(post("/password/forgot", { email }), 202);
    }
    await assertAnswer(post("/password/forgot", { email }), 429, "limits.exceeded");
  }
});

Deno.test("A14: a reset is no way past the second factor", async () => {
  const person = await createEnrolled();
  const { token } = await forget(person.email);
  await assertAnswer(post("/password/reset", { token, password: next }), 204);
  const tokens = await login(person.email, { password: next });
  assert.equal(tokens.two_factor_required, true);
  const client = await clientOf(tokens);
  assert.deepEqual(await must(client.from("people").select("id")), []);
});

Deno.test("A4: a change wants the present password, and ends every other session", async () => {
  const { email, token } = await createAccountHolder();
  const other = await login(email);
  const change = (current_password: string, password: string) =>
    post("/password/change", { current_password, password }, { token });
  await assertAnswer(change("Wrong-horse-7", next), 401, "accounts.credentials_refused");
  assert.equal(await isOpen(other.access_token), true);
  const answer = await change(password, next);
  const tokens: Tokens = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(tokens));
  assert.deepEqual(
    await Promise.all([token, other.access_token, tokens.access_token].map(isOpen)),
    [false, false, true],
  );
  await must((await clientOf(tokens)).auth.refreshSession());
  await mailTo(email, "accounts.password_changed");
  await login(email, { password: next });
});

Deno.test("a change to the same password, or a weak one, changes nothing and ends nothing", async () => {
  const { email, token } = await createAccountHolder();
  const change = (password_: string) =>
    post("/password/change", { current_password: password, password: password_ }, { token });
  await assertAnswer(change(password), 422, "accounts.password_unchanged");
  await assertAnswer(change("Qwerty123"), 422, "accounts.password_weak");
  assert.equal(await isOpen(token), true);
  await login(email);
});

Deno.test("a change carries the second factor over to the session it gives", async () => {
  const person = await createEnrolled();
  const { data } = await person.client.auth.getSession();
  const answer = await post("/password/change", {
    current_password: person.password,
    password: next,
  }, { token: data.session!.access_token });
  const tokens: Tokens = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(tokens));
  const status = await read<{ verified: boolean }>(overStack("/status", tokens.access_token));
  assert.equal(status.verified, true);
});

Deno.test("who asks Auth directly: a new password is told, and voids what was mailed", async () => {
  const person = await createPerson();
  const { token } = await forget(person.email);
  const { error } = await person.client.auth.updateUser({ password: next });
  assert.equal(error, null);
  await newestMail(person.email, "accounts.password_changed");
  await assertAnswer(post("/password/reset", { token, password }), 422, "accounts.token_refused");
});

Deno.test("A4: who asks Auth directly with a session of yesterday needs a mailed code", async () => {
  const person = await createPerson();
  await withDatabase((sql) =>
    sql`update auth.sessions set created_at = now() - interval '25 hours' where user_id = ${person.id}`
  );
  const { error } = await person.client.auth.updateUser({ password: next });
  assert.equal(error?.code, "reauthentication_needed");
  await signIn(person.email, person.password);
});

Deno.test("A18: the rule is one for registering, resetting and changing", async () => {
  const { email, token: session } = await createAccountHolder();
  const { token } = await forget(email);
  const weak = ["Short-1", "no-capital-7", "NO-SMALL-7", "No-digit-here", `Aa1-${"x".repeat(69)}`];
  for (const bad of [...weak, "Password123", "1Qaz2wsx"]) {
    for (
      const answer of [
        register({ password: bad }),
        post("/password/reset", { token, password: bad }),
        post("/password/change", { current_password: password, password: bad }, { token: session }),
      ]
    ) await assertAnswer(answer, 422, "accounts.password_weak");
  }
});

Deno.test("A18: sixty-four characters and more are taken, up to what bcrypt reads", async () => {
  for (const long of [`Aa1 ${"long ".repeat(13)}`, `Aa1-${"🙂".repeat(17)}`]) {
    const bytes = new TextEncoder().encode(long).length;
    assert.ok(bytes >= 64 && bytes <= 72);
    const { email, token } = await createAccountHolder();
    const body = { current_password: password, password: long };
    await assertAnswer(post("/password/change", body, { token }), 200);
    await login(email, { password: long });
  }
});
