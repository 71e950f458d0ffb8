import assert from "node:assert/strict";
import { Limits } from "../../../local/auth/limits.ts";
import { readSettings } from "../../../local/settings.ts";
import { randomAddress } from "../../support/clients.ts";
import { newEmail, password, refusal, signedIn, startAuth } from "./support.ts";

const { rateLimits } = readSettings([], {}).config.auth;

Deno.test("a bucket holds thirty and fills up at the configured rate, for each address", () => {
  let now = 0;
  const limits = new Limits({ rateLimits: { ...rateLimits, tokenRefresh: 150 } }, () => now);
  const count = (address: string) => {
    for (let taken = 0;; taken++) {
      try {
        limits.take("token", address);
      } catch {
        return taken;
      }
    }
  };
  assert.equal(count("a"), 30);
  assert.equal(count("b"), 30);
  now += 10_000;
  // 150 in five minutes are five in ten seconds.
  assert.equal(count("a"), 5);
  now += 3600_000;
  assert.equal(count("a"), 30);
});

Deno.test("guessing a password is slowed down for the address, and for no other", async () => {
  await using auth = await startAuth();
  const { email } = await signedIn(auth);
  const address = randomAddress();
  const guess = (from: string) =>
    auth.visitor({ address: from }).auth.signInWithPassword({ email, password: "Wrong-horse-7" });
  const answers = await Promise.all(Array.from({ length: 45 }, () => guess(address)));
  const limited = answers.map(refusal).filter(([status]) => status === 429);
  assert.ok(limited.length > 0);
  assert.deepEqual(limited[0], [429, "over_request_rate_limit"]);
  assert.deepEqual(refusal(await guess(randomAddress())), [400, "invalid_credentials"]);
});

Deno.test("codes, sign-ups, resets and resends are limited by address, with a time to wait", async () => {
  await using auth = await startAuth();
  const body = JSON.stringify({
    email: newEmail(),
    password: "x",
    type: "signup",
    token: "123456",
  });
  for (const path of ["/verify", "/signup", "/recover", "/otp", "/magiclink", "/resend"]) {
    const address = randomAddress();
    const statuses = new Set<number>();
    for (let n = 0; n < 40; n++) {
      const response = await auth.request(path, { method: "POST", body, address });
      statuses.add(response.status);
      if (
        response.status === 429 &&
        (await response.clone().json()).error_code === "over_request_rate_limit"
      ) {
        assert.ok(Number(response.headers.get("retry-after")) >= 1);
      }
      await response.body?.cancel();
    }
    assert.ok(statuses.has(429), path);
  }
});

Deno.test("a server with the secret key may say for whom it asks, and nobody else", async () => {
  await using auth = await startAuth();
  const address = randomAddress();
  const login = async (apikey: string, person: string) => {
    const response = await auth.request("/token?grant_type=refresh_token", {
      method: "POST",
      address,
      headers: { apikey, "sb-forwarded-for": person },
      body: JSON.stringify({ refresh_token: "unknown" }),
    });
    await response.body?.cancel();
    return response.status;
  };
  const statuses = async (apikey: string) =>
    new Set(await Promise.all(Array.from({ length: 60 }, () => login(apikey, randomAddress()))));
  assert.deepEqual(await statuses(auth.keys.secret), new Set([400]));
  assert.deepEqual(await statuses(auth.keys.publishable), new Set([400, 429]));
});

Deno.test("mails are rationed by the hour for the whole project", async () => {
  await using auth = await startAuth({ rateLimits: { ...rateLimits, emailSent: 2 } });
  const signUp = () => auth.visitor().auth.signUp({ email: newEmail(), password });
  assert.equal((await signUp()).error, null);
  assert.equal((await signUp()).error, null);
  assert.deepEqual(refusal(await signUp()), [429, "over_email_send_rate_limit"]);
  assert.equal(auth.mails.length, 2);
});
