import { exportJWK, generateKeyPair, type GenerateKeyPairResult, SignJWT } from "jose";
import assert from "node:assert/strict";
import { createTokens } from "shared/auth/tokens.ts";
import { readConfig } from "shared/config.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { deadEnvironment } from "../../support/services.ts";
import { until } from "../../support/wait.ts";

const sharedSecret = "a-shared-secret-of-sufficient-length";
const now = () => Math.floor(Date.now() / 1000);

const key: GenerateKeyPairResult = await generateKeyPair("ES256", { extractable: true });
const other: GenerateKeyPairResult = await generateKeyPair("ES256", { extractable: true });
const publicKey = { ...(await exportJWK(key.publicKey)), kid: "k1", alg: "ES256", use: "sig" };

const claims = {
  iss: `${deadEnvironment.SUPABASE_URL}/auth/v1`,
  aud: "authenticated",
  role: "authenticated",
  sub: crypto.randomUUID(),
  session_id: crypto.randomUUID(),
};

function tokensWith(env: Record<string, string> = {}, cached?: number) {
  const SUPABASE_JWKS = JSON.stringify({ keys: [publicKey] });
  return createTokens(readConfig({ ...deadEnvironment, SUPABASE_JWKS, ...env }).tokens, cached);
}

function sign(
  changes: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  by: CryptoKey | Uint8Array = key.privateKey,
) {
  return new SignJWT({ iat: now(), exp: now() + 60, ...claims, ...changes })
    .setProtectedHeader({ alg: "ES256", kid: "k1", ...header }).sign(by);
}

const encode = (value: unknown) =>
  btoa(JSON.stringify(value)).replaceAll("=", "")
    .replaceAll("+", "-").replaceAll("/", "_");

async function refusalOf(token: string, tokens = tokensWith()): Promise<ProblemError> {
  const outcome = await tokens.verify(token).catch((error) => error);
  assert.ok(outcome instanceof ProblemError, `accepted: ${JSON.stringify(outcome)}`);
  return outcome;
}

Deno.test("a token of the project names its person and session", async () => {
  const token = await sign();
  assert.deepEqual(await tokensWith().verify(token), {
    personId: claims.sub,
    sessionId: claims.session_id,
    token,
  });
});

Deno.test("A16: a token is refused for its claims", async (t) => {
  const faults: Record<string, Record<string, unknown>> = {
    "expired": { exp: now() - 1 },
    "without expiry": { exp: undefined },
    "not valid yet": { nbf: now() + 60 },
    "for another audience": { aud: "federation" },
    "of another issuer": { iss: "https://elsewhere.example.org/auth/v1" },
    "of a role that is no person": { role: "service_role" },
    "without a session": { session_id: undefined },
    "with a session that is no id": { session_id: "'; select 1" },
    "with a subject that is no id": { sub: "1" },
  };
  for (const [name, changes] of Object.entries(faults)) {
    await t.step(name, async () => {
      assert.equal((await refusalOf(await sign(changes))).code, "auth.required");
    });
  }
  const { detail } = await refusalOf(await sign({ exp: now() - 1 }));
  assert.equal(detail, "The token has expired.");
});

Deno.test("A16: a token is refused for how it is signed", async (t) => {
  const secretOf = (text: string) => new TextEncoder().encode(text);
  const payload = encode({ ...claims, exp: now() + 60 });
  const [head, body, signature] = (await sign()).split(".") as [string, string, string];
  const faults: Record<string, string> = {
    "alg none": `${encode({ alg: "none", kid: "k1" })}.${payload}.`,
    "alg NONE with a signature": `${encode({ alg: "NONE", kid: "k1" })}.${payload}.${signature}`,
    "HS256 where no secret is configured": await sign({}, { alg: "HS256" }, secretOf(sharedSecret)),
    "HS256 keyed with the public key": await sign(
      {},
      { alg: "HS256" },
      secretOf(JSON.stringify(publicKey)),
    ),
    "another key under a known kid": await sign({}, {}, other.privateKey),
    "a changed payload": `${head}.${payload}.${signature}`,
    "no signature": `${head}.${body}.`,
    "an embedded key": await sign(
      {},
      { jwk: await exportJWK(other.publicKey) },
      other.privateKey,
    ),
    "a critical header": `${
      encode({ alg: "ES256", kid: "k1", crit: ["x"], x: 1 })
    }.${payload}.${signature}`,
    "no token at all": "garbage",
    "two parts": `${head}.${body}`,
    "longer than any of Auth's": await sign({ padding: "a".repeat(9000) }),
  };
  for (const [name, token] of Object.entries(faults)) {
    await t.step(name, async () => {
      assert.equal((await refusalOf(token)).code, "auth.required");
    });
  }
});

Deno.test("HS256 is accepted where a shared secret is configured, and only with it", async () => {
  const tokens = tokensWith({ JWT_SECRET: sharedSecret });
  const secret = new TextEncoder().encode(sharedSecret);
  const header = { alg: "HS256" };
  assert.equal((await tokens.verify(await sign({}, header, secret))).personId, claims.sub);
  const forged = new TextEncoder().encode(JSON.stringify(publicKey));
  assert.equal((await refusalOf(await sign({}, header, forged), tokens)).code, "auth.required");
  assert.equal(
    (await refusalOf(await sign({ exp: now() - 1 }, header, secret), tokens)).code,
    "auth.required",
  );
});

Deno.test("an unknown kid is looked up at the project, and refused where the project lacks it", async () => {
  let asked = 0;
  const rotated = { ...(await exportJWK(other.publicKey)), kid: "k2", alg: "ES256", use: "sig" };
  await using project = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    asked += new URL(request.url).pathname === "/auth/v1/.well-known/jwks.json" ? 1 : 0;
    return Response.json({ keys: [rotated] });
  });
  const url = `http://127.0.0.1:${project.addr.port}`;
  const tokens = tokensWith({ SUPABASE_URL: url });
  const iss = `${url}/auth/v1`;
  const token = await sign({ iss }, { kid: "k2" }, other.privateKey);
  assert.equal((await tokens.verify(token)).personId, claims.sub);
  assert.equal((await tokens.verify(await sign({ iss }))).personId, claims.sub);
  assert.equal((await refusalOf(await sign({ iss }, { kid: "k3" }), tokens)).code, "auth.required");
  assert.equal(asked, 1, "keys are fetched once, whatever kids are tried");
});

Deno.test("keys that cannot be fetched are our fault, not the token's", async () => {
  const tokens = createTokens(readConfig(deadEnvironment).tokens);
  assert.equal((await refusalOf(await sign(), tokens)).code, "unavailable");
});

Deno.test("a verified token is verified once, and not beyond its expiry", async () => {
  const tokens = tokensWith();
  const token = await sign({ exp: now() + 2 });
  const first = await tokens.verify(token);
  assert.equal(await tokens.verify(token), first);
  const refused = await until(() => tokens.verify(token).then(() => undefined, (error) => error));
  assert.equal(refused.detail, "The token has expired.");
});

Deno.test("the cache of verified tokens forgets the one used longest ago", async () => {
  const tokens = tokensWith({}, 2);
  const [a, b, c] = await Promise.all([sign({ n: 1 }), sign({ n: 2 }), sign({ n: 3 })]);
  const first = await tokens.verify(a);
  const second = await tokens.verify(b);
  assert.equal(await tokens.verify(a), first);
  await tokens.verify(c);
  assert.equal(await tokens.verify(a), first);
  assert.notEqual(await tokens.verify(b), second);
});
