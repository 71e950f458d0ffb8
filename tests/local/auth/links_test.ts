import assert from "node:assert/strict";
import { withDatabase } from "../../support/database.ts";
import {
  type AuthUnderTest,
  claimsOf,
  newEmail,
  origin,
  password,
  refusal,
  signedIn,
  startAuth,
} from "./support.ts";

const site = "http://127.0.0.1:3000";

/** Opens the link of a mail as a browser would, and gives where it leads. */
async function open(auth: AuthUnderTest, link: string): Promise<URL> {
  const response = await auth.request(link.slice(`${origin}/auth/v1`.length));
  assert.equal(response.status, 303);
  return new URL(response.headers.get("location")!);
}

const fragmentOf = ({ hash }: URL) => Object.fromEntries(new URLSearchParams(hash.slice(1)));

Deno.test("the link of a confirmation leads to the app with a session", async () => {
  await using auth = await startAuth();
  const email = newEmail();
  await auth.visitor().auth.signUp({
    email,
    password,
    options: { emailRedirectTo: `${site}/welcome` },
  });
  const target = await open(auth, auth.mailTo(email).link!);
  assert.equal(target.origin + target.pathname, `${site}/welcome`);
  const fragment = fragmentOf(target);
  assert.deepEqual(
    [fragment.type, fragment.token_type, fragment.expires_in],
    ["signup", "bearer", "3600"],
  );
  const { error } = await auth.visitor().auth.getUser(fragment.access_token);
  assert.equal(error, null);
});

Deno.test("a link works once, and says in the app's address why it does not", async () => {
  await using auth = await startAuth();
  const email = newEmail();
  await auth.visitor().auth.signUp({ email, password });
  const { link } = auth.mailTo(email);
  await open(auth, link!);
  assert.deepEqual(fragmentOf(await open(auth, link!)), {
    error: "access_denied",
    error_code: "otp_expired",
    error_description: "Email link is invalid or has expired",
  });
});

Deno.test("a link leads nowhere but to the addresses the project allows", async () => {
  await using auth = await startAuth({ redirectUrls: ["https://app.test/**"] });
  const targetFor = async (redirect: string) => {
    const email = newEmail();
    await auth.visitor().auth.signUp({ email, password, options: { emailRedirectTo: redirect } });
    return (await open(auth, auth.mailTo(email).link!)).origin;
  };
  assert.equal(await targetFor("https://app.test/a/b"), "https://app.test");
  assert.equal(await targetFor("https://evil.test/"), site);
});

Deno.test("a PKCE client gets a code, good once and only with its verifier", async () => {
  await using auth = await startAuth();
  const email = newEmail();
  const browser = auth.visitor({ flow: "pkce" });
  await browser.auth.signUp({ email, password });
  const code = (await open(auth, auth.mailTo(email).link!)).searchParams.get("code")!;
  assert.match(code, /^[0-9a-f-]{36}$/);
  const exchange = async (code_verifier: string) => {
    const response = await auth.request("/token?grant_type=pkce", {
      method: "POST",
      body: JSON.stringify({ auth_code: code, code_verifier }),
    });
    return [response.status, (await response.json()).error_code];
  };
  assert.deepEqual(await exchange("a".repeat(56)), [400, "bad_code_verifier"]);
  const { data, error } = await browser.auth.exchangeCodeForSession(code);
  assert.equal(error, null);
  assert.equal(data.user?.email, email);
  const amr = claimsOf(data.session!.access_token).amr as { method: string }[];
  assert.equal(amr[0]!.method, "email/signup");
  assert.deepEqual(await exchange("a".repeat(56)), [404, "flow_state_not_found"]);
});

Deno.test("PKCE works for recovery and sign-in links as well", async () => {
  await using auth = await startAuth();
  const { email } = await signedIn(auth);
  for (const method of ["recovery", "magiclink"]) {
    const browser = auth.visitor({ flow: "pkce" });
    if (method === "recovery") await browser.auth.resetPasswordForEmail(email);
    else await browser.auth.signInWithOtp({ email });
    const code = (await open(auth, auth.mailTo(email).link!)).searchParams.get("code")!;
    const { data, error } = await browser.auth.exchangeCodeForSession(code);
    assert.equal(error, null);
    const amr = claimsOf(data.session!.access_token).amr as { method: string }[];
    assert.equal(amr[0]!.method, method);
    await allowNextMail(email);
  }
});

/** Lets the pause between two mails be over. */
const allowNextMail = (email: string) =>
  withDatabase((sql) =>
    sql`update auth.users set
      recovery_sent_at = recovery_sent_at - interval '2 minutes',
      confirmation_sent_at = confirmation_sent_at - interval '2 minutes'
    where email = ${email}`
  );

Deno.test("a code signs in somebody new and somebody known, whose password stays", async () => {
  await using auth = await startAuth();
  for (const email of [newEmail(), (await signedIn(auth)).email]) {
    const visitor = auth.visitor();
    assert.equal((await visitor.auth.signInWithOtp({ email })).error, null);
    const token = auth.mailTo(email).code!;
    const { data, error } = await visitor.auth.verifyOtp({ email, token, type: "email" });
    assert.equal(error, null);
    assert.equal(data.user?.email, email);
  }
  assert.deepEqual(auth.mails.map(({ action }) => action), ["signup", "magiclink"]);
});

Deno.test("a code is good once: of three at the same time one signs in", async () => {
  await using auth = await startAuth();
  const { email } = await signedIn(auth);
  await auth.visitor().auth.signInWithOtp({ email });
  const token = auth.mailTo(email).code!;
  const answers = await Promise.all(
    [1, 2, 3].map(() => auth.visitor().auth.verifyOtp({ email, token, type: "email" })),
  );
  assert.deepEqual(answers.map(({ error }) => error?.code ?? "signed in").sort(), [
    "otp_expired",
    "otp_expired",
    "signed in",
  ]);
});

Deno.test("a code is good for its time and its address only", async () => {
  await using auth = await startAuth();
  const [one, other] = [await signedIn(auth), await signedIn(auth)];
  await auth.visitor().auth.signInWithOtp({ email: one.email });
  const token = auth.mailTo(one.email).code!;
  const verify = (email: string) => auth.visitor().auth.verifyOtp({ email, token, type: "email" });
  assert.deepEqual(refusal(await verify(other.email)), [403, "otp_expired"]);
  await withDatabase((sql) =>
    sql`update auth.users set recovery_sent_at = now() - interval '61 minutes'
      where email = ${one.email}`
  );
  assert.deepEqual(refusal(await verify(one.email)), [403, "otp_expired"]);
});

Deno.test("an unknown address gets the answer of a known one to a reset and a resend", async () => {
  await using auth = await startAuth();
  const { email } = await signedIn(auth);
  for (const address of [email, newEmail()]) {
    const visitor = auth.visitor();
    assert.deepEqual(await visitor.auth.resetPasswordForEmail(address), { data: {}, error: null });
    const resent = await visitor.auth.resend({ type: "signup", email: address });
    assert.equal(resent.error, null);
  }
  assert.deepEqual(auth.mails.map(({ to }) => to), [email]);
});

Deno.test("somebody unknown is not signed up by a code where the client does not want it", async () => {
  await using auth = await startAuth();
  const answer = await auth.visitor().auth.signInWithOtp({
    email: newEmail(),
    options: { shouldCreateUser: false },
  });
  assert.deepEqual(refusal(answer), [422, "otp_disabled"]);
});

Deno.test("a confirmation can be sent again, a minute after the last one", async () => {
  await using auth = await startAuth();
  const [email, visitor] = [newEmail(), auth.visitor()];
  await visitor.auth.signUp({ email, password });
  const resend = () => visitor.auth.resend({ type: "signup", email });
  assert.deepEqual(refusal(await resend()), [429, "over_email_send_rate_limit"]);
  await allowNextMail(email);
  assert.equal((await resend()).error, null);
  const [first, second] = auth.mails.map(({ code }) => code!);
  const verify = (token: string) => visitor.auth.verifyOtp({ email, token, type: "signup" });
  if (first !== second) assert.deepEqual(refusal(await verify(first!)), [403, "otp_expired"]);
  assert.equal((await verify(second!)).error, null);
});

Deno.test("of two reset requests at once one sends a mail", async () => {
  await using auth = await startAuth();
  const { email } = await signedIn(auth);
  const answers = await Promise.all(
    [1, 2].map(() => auth.visitor().auth.resetPasswordForEmail(email)),
  );
  assert.deepEqual(answers.map(({ error }) => error?.code ?? "sent").sort(), [
    "over_email_send_rate_limit",
    "sent",
  ]);
  assert.equal(auth.mails.length, 1);
});
