import assert from "node:assert/strict";
import { proveRecently } from "../../support/clients.ts";
import { type AuthUnderTest, newEmail, password, refusal, signedIn, startAuth } from "./support.ts";

/** Somebody who may change their address: the product's database wants a proof before it. */
async function proved(auth: AuthUnderTest) {
  const person = await signedIn(auth);
  await proveRecently(person);
  return person;
}

Deno.test("a change of address needs both sides", async () => {
  await using auth = await startAuth();
  const [{ email, client }, next] = [await proved(auth), newEmail()];
  const asked = await client.auth.updateUser({ email: next });
  assert.deepEqual([asked.data.user?.email, asked.data.user?.new_email], [email, next]);
  assert.deepEqual(auth.mails.map(({ to }) => to), [next, email]);
  const confirm = (address: string) =>
    auth.visitor().auth.verifyOtp({
      email: address,
      token: auth.mailTo(address).code!,
      type: "email_change",
    });
  const first = await confirm(next);
  assert.deepEqual([first.error, first.data.session], [null, null]);
  assert.equal((await client.auth.getUser()).data.user?.email, email);
  const second = await confirm(email);
  assert.equal(second.data.user?.email, next);
  assert.equal(second.data.user?.new_email, undefined);
  assert.equal(second.data.user?.identities?.[0]?.identity_data?.email, next);
  const login = (address: string) =>
    auth.visitor().auth.signInWithPassword({ email: address, password });
  assert.equal((await login(next)).error, null);
  assert.deepEqual(refusal(await login(email)), [400, "invalid_credentials"]);
});

Deno.test("one side confirms once: its code does not stand in for the other's", async () => {
  await using auth = await startAuth();
  const [{ client }, next] = [await proved(auth), newEmail()];
  await client.auth.updateUser({ email: next });
  const token = auth.mailTo(next).code!;
  const confirm = () => auth.visitor().auth.verifyOtp({ email: next, token, type: "email_change" });
  assert.equal((await confirm()).error, null);
  assert.deepEqual(refusal(await confirm()), [403, "otp_expired"]);
});

Deno.test("where one confirmation is enough, the new address gives it", async () => {
  await using auth = await startAuth({ doubleConfirmChanges: false });
  const [{ client }, next] = [await proved(auth), newEmail()];
  await client.auth.updateUser({ email: next });
  assert.deepEqual(auth.mails.map(({ to }) => to), [next]);
  const { data } = await auth.visitor().auth.verifyOtp({
    email: next,
    token: auth.mailTo(next).code!,
    type: "email_change",
  });
  assert.equal(data.user?.email, next);
});

Deno.test("a taken address cannot be changed to, be it taken before or meanwhile", async () => {
  await using auth = await startAuth({ doubleConfirmChanges: false });
  const [{ client }, other, free] = [await proved(auth), await signedIn(auth), newEmail()];
  assert.deepEqual(refusal(await client.auth.updateUser({ email: other.email })), [
    422,
    "email_exists",
  ]);
  await client.auth.updateUser({ email: free });
  await signedIn(auth, free);
  const late = await auth.visitor().auth.verifyOtp({
    email: free,
    token: auth.mailTo(free).code!,
    type: "email_change",
  });
  assert.deepEqual(refusal(late), [422, "email_exists"]);
});

Deno.test("a pending change can be sent again", async () => {
  await using auth = await startAuth({ maxFrequency: 0 });
  const [{ email, client }, next] = [await proved(auth), newEmail()];
  await client.auth.updateUser({ email: next });
  assert.equal((await client.auth.resend({ type: "email_change", email })).error, null);
  assert.deepEqual(auth.mails.map(({ to }) => to), [next, email, next, email]);
});
