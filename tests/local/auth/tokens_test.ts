import assert from "node:assert/strict";
import { createLocalJWKSet, jwtVerify } from "jose";
import { claimsOf, origin, password, refusal, signedIn, startAuth } from "./support.ts";

Deno.test("an access token carries GoTrue's claims and verifies with the published keys", async () => {
  await using auth = await startAuth();
  const person = await signedIn(auth);
  const jwks = await auth.request("/.well-known/jwks.json");
  assert.equal(jwks.headers.get("cache-control"), "public, max-age=600");
  const { payload, protectedHeader } = await jwtVerify(
    person.session.access_token,
    createLocalJWKSet(await jwks.json()),
    { issuer: `${origin}/auth/v1`, audience: "authenticated" },
  );
  assert.equal(protectedHeader.alg, "ES256");
  const { iat, exp, session_id, amr, ...claims } = payload;
  assert.equal(exp! - iat!, 3600);
  assert.match(String(session_id), /^[0-9a-f-]{36}$/);
  assert.deepEqual(amr, [{
    method: "password",
    timestamp: (amr as { timestamp: number }[])[0]!.timestamp,
  }]);
  assert.deepEqual(claims, {
    iss: `${origin}/auth/v1`,
    sub: person.id,
    aud: "authenticated",
    email: person.email,
    phone: "",
    app_metadata: { provider: "email", providers: ["email"] },
    user_metadata: { email_verified: true },
    role: "authenticated",
    aal: "aal1",
    is_anonymous: false,
  });
});

Deno.test("a sign-in answers with the session as supabase-js expects it", async () => {
  await using auth = await startAuth();
  const { email } = await signedIn(auth);
  const { data, error } = await auth.visitor().auth.signInWithPassword({ email, password });
  assert.equal(error, null);
  assert.equal(data.session?.token_type, "bearer");
  assert.equal(data.session?.expires_in, 3600);
  assert.equal(data.session?.expires_at, claimsOf(data.session!.access_token).exp);
  assert.equal(data.user?.identities?.[0]?.provider, "email");
  assert.ok(Math.abs(Date.parse(data.user!.last_sign_in_at!) - Date.now()) < 5_000);
});

Deno.test("a refusal has the shape of the API version that is asked for", async () => {
  await using auth = await startAuth();
  const login = (headers: Record<string, string>) =>
    auth.request("/token?grant_type=password", {
      method: "POST",
      headers,
      body: JSON.stringify({ email: "nobody@nexus.test", password: "x" }),
    });
  const old = await login({});
  assert.equal(old.status, 400);
  assert.equal(old.headers.get("x-sb-error-code"), "invalid_credentials");
  assert.deepEqual(await old.json(), {
    code: 400,
    error_code: "invalid_credentials",
    msg: "Invalid login credentials",
  });
  const modern = await login({ "x-supabase-api-version": "2024-01-01" });
  assert.equal(modern.headers.get("x-supabase-api-version"), "2024-01-01");
  assert.deepEqual(await modern.json(), {
    code: "invalid_credentials",
    message: "Invalid login credentials",
  });
});

Deno.test("a body that is not the JSON expected is refused, never a failure", async () => {
  await using auth = await startAuth();
  for (const body of ["{", "[]", '{"email":1}', '{"email":"a\\u0000@b.test"}']) {
    const response = await auth.request("/otp", { method: "POST", body });
    assert.deepEqual(
      [response.status, (await response.json()).error_code],
      [400, "bad_json"],
      body,
    );
  }
});

Deno.test("a token that is missing, broken or of nobody opens nothing", async () => {
  await using auth = await startAuth();
  const get = async (authorization?: string) => {
    const headers = authorization ? { authorization } : {};
    const response = await auth.request("/user", { headers });
    return [response.status, (await response.json()).error_code];
  };
  assert.deepEqual(await get(), [401, "no_authorization"]);
  assert.deepEqual(await get("Bearer nonsense"), [403, "bad_jwt"]);
  assert.deepEqual(await get(`Bearer ${auth.keys.publishable}`), [403, "bad_jwt"]);
  await using other = await startAuth();
  const foreign = await signedIn(other);
  assert.deepEqual(await get(`Bearer ${foreign.session.access_token}`), [403, "bad_jwt"]);
});

Deno.test("what is not configured is refused in GoTrue's words", async () => {
  await using auth = await startAuth();
  const authorize = await auth.request("/authorize?provider=github");
  assert.deepEqual(await authorize.json(), {
    code: 400,
    error_code: "validation_failed",
    msg: "Unsupported provider: provider is not enabled",
  });
  const visitor = auth.visitor();
  assert.deepEqual(refusal(await visitor.auth.signInAnonymously()), [
    422,
    "anonymous_provider_disabled",
  ]);
  assert.deepEqual(refusal(await visitor.auth.signInWithOtp({ phone: "+4912345" })), [
    400,
    "phone_provider_disabled",
  ]);
  const { client } = await signedIn(auth);
  assert.deepEqual(refusal(await client.auth.mfa.enroll({ factorType: "totp" })), [
    422,
    "mfa_totp_enroll_not_enabled",
  ]);
  const settings = await (await auth.request("/settings")).json();
  assert.deepEqual([settings.external.email, settings.external.github], [true, false]);
  assert.equal((await (await auth.request("/health")).json()).name, "GoTrue");
});

Deno.test("only the grants there are end in a session", async () => {
  await using auth = await startAuth();
  for (const grant of ["", "constructor", "web3", "__proto__"]) {
    const response = await auth.request(`/token?grant_type=${grant}`, {
      method: "POST",
      body: "{}",
    });
    const { error_code, msg } = await response.json();
    assert.deepEqual([response.status, error_code, msg], [
      400,
      "invalid_credentials",
      "unsupported_grant_type",
    ]);
  }
});

Deno.test("an anonymous sign-in gives a session marked as such, where it is switched on", async () => {
  await using auth = await startAuth({ anonymousEnabled: true });
  const { data, error } = await auth.visitor().auth.signInAnonymously();
  assert.equal(error, null);
  assert.equal(claimsOf(data.session!.access_token).is_anonymous, true);
});
