import assert from "node:assert/strict";
import { withDatabase } from "../../support/database.ts";
import {
  median,
  newEmail,
  origin,
  password,
  refusal,
  signedIn,
  startAuth,
  tolerance,
} from "./support.ts";

Deno.test("signing up sends a mail, and its code signs in", async () => {
  await using auth = await startAuth();
  const [email, visitor] = [newEmail(), auth.visitor()];
  const { data, error } = await visitor.auth.signUp({
    email: email.toUpperCase(),
    password,
    options: { data: { full_name: "Ana" } },
  });
  assert.equal(error, null);
  assert.equal(data.session, null);
  assert.equal(data.user?.email, email);
  assert.equal(data.user?.identities?.length, 1);
  assert.deepEqual(refusal(await visitor.auth.signInWithPassword({ email, password })), [
    400,
    "email_not_confirmed",
  ]);
  const { code, link, action } = auth.mailTo(email);
  assert.equal(action, "signup");
  assert.match(code!, /^\d{6}$/);
  assert.ok(link!.startsWith(`${origin}/auth/v1/verify?`));
  const verified = await visitor.auth.verifyOtp({ email, token: code!, type: "signup" });
  assert.equal(verified.error, null);
  assert.equal(verified.data.user?.user_metadata.full_name, "Ana");
  assert.equal(verified.data.user?.user_metadata.email_verified, true);
  assert.equal((await visitor.auth.signInWithPassword({ email, password })).error, null);
});

Deno.test("without confirmations signing up signs in, and a taken address says so", async () => {
  await using auth = await startAuth({ confirmationsEnabled: false });
  const email = newEmail();
  const first = await auth.visitor().auth.signUp({ email, password });
  assert.equal(first.error, null);
  assert.ok(first.data.session?.access_token);
  assert.deepEqual(refusal(await auth.visitor().auth.signUp({ email, password })), [
    422,
    "user_already_exists",
  ]);
});

Deno.test("a taken, confirmed address is answered like a new one and gets no mail", async () => {
  await using auth = await startAuth();
  const person = await signedIn(auth);
  const { data, error } = await auth.visitor().auth.signUp({
    email: person.email,
    password,
    options: { data: { full_name: "Eve" } },
  });
  assert.equal(error, null);
  assert.notEqual(data.user?.id, person.id);
  assert.deepEqual([data.user?.email, data.user?.user_metadata], [person.email, {
    full_name: "Eve",
  }]);
  assert.ok(data.user?.confirmation_sent_at);
  assert.deepEqual(auth.mails, []);
});

Deno.test("a taken address and a new one take the same time", async () => {
  await using auth = await startAuth();
  const person = await signedIn(auth);
  const timeOf = async (email: string) => {
    const began = performance.now();
    await auth.visitor().auth.signUp({ email, password });
    return performance.now() - began;
  };
  const taken: number[] = [];
  const fresh: number[] = [];
  for (let attempt = 0; attempt < 50; attempt++) {
    const [one, other] = await Promise.all([timeOf(person.email), timeOf(newEmail())]);
    taken.push(one);
    fresh.push(other);
  }
  const difference = Math.abs(median(taken) - median(fresh));
  assert.ok(
    difference < tolerance(median(taken)),
    `the medians differ by ${difference} ms`,
  );
});

Deno.test("ten sign-ups of one address at once make one user, and no failure", async () => {
  for (const confirmationsEnabled of [true, false]) {
    await using auth = await startAuth({ confirmationsEnabled });
    const email = newEmail();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => auth.visitor().auth.signUp({ email, password })),
    );
    const refused = answers.filter(({ error }) => error).map(refusal);
    const expected = confirmationsEnabled
      ? [429, "over_email_send_rate_limit"]
      : [422, "user_already_exists"];
    assert.deepEqual(refused, Array(9).fill(expected));
    const [counted] = await withDatabase((sql) =>
      sql`select count(*)::int from auth.users where email = ${email}`
    );
    assert.deepEqual([counted!.count, auth.lines], [1, []]);
  }
});

Deno.test("passwords are held to the project's rules and to bcrypt's 72 bytes", async () => {
  await using auth = await startAuth();
  const attempt = async (candidate: string) => {
    const { error } = await auth.visitor().auth.signUp({ email: newEmail(), password: candidate });
    return [error?.status, error?.code, (error as { reasons?: string[] } | null)?.reasons];
  };
  assert.deepEqual(await attempt("Aa1"), [422, "weak_password", ["length"]]);
  assert.deepEqual(await attempt("lowercase-only"), [422, "weak_password", ["characters"]]);
  assert.deepEqual(await attempt("short"), [422, "weak_password", ["length", "characters"]]);
  assert.deepEqual(await attempt(`Aa1${"x".repeat(70)}`), [400, "validation_failed", undefined]);
  assert.deepEqual(await attempt(`Aa1${"é".repeat(35)}`), [400, "validation_failed", undefined]);
  assert.deepEqual(await attempt(`Aa1${"x".repeat(69)}`), [undefined, undefined, undefined]);
});

Deno.test("a closed project takes nobody new", async () => {
  await using auth = await startAuth({ signupEnabled: false });
  const visitor = auth.visitor();
  assert.deepEqual(refusal(await visitor.auth.signUp({ email: newEmail(), password })), [
    422,
    "signup_disabled",
  ]);
  assert.deepEqual(refusal(await visitor.auth.signInWithOtp({ email: newEmail() })), [
    422,
    "signup_disabled",
  ]);
});

Deno.test("a mail that cannot be sent leaves no account behind, and the address free", async () => {
  await using auth = await startAuth({
    hooks: { send_email: { uri: "pg-functions://postgres/public/missing", secrets: undefined } },
  });
  const email = newEmail();
  const { error } = await auth.visitor().auth.signUp({ email, password });
  assert.equal(error?.status, 500);
  const found = await withDatabase((sql) => sql`select from auth.users where email = ${email}`);
  assert.equal(found.length, 0);
});
