import assert from "node:assert/strict";
import { ConfigError, readConfig, variables } from "shared/config.ts";
import { deadEnvironment } from "../support/services.ts";

const hosted = { ...deadEnvironment, SUPABASE_URL: "https://project.supabase.co" };

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

Deno.test("readConfig() resolves the platform's variables and the defaults of a local project", () => {
  const config = readConfig({ ...deadEnvironment, UNRELATED: "x" });
  assert.equal(config.local, true);
  assert.equal(config.supabaseUrl, "http://127.0.0.1:9");
  assert.equal(config.publishableKey, "sb_publishable_of_nobody_at_all");
  assert.equal(config.secretKey.reveal(), "sb_secret_of_nobody_at_all");
  assert.deepEqual(config.tokens.issuers, ["http://127.0.0.1:9/auth/v1"]);
  assert.equal(config.tokens.keySetUrl, "http://127.0.0.1:9/auth/v1/.well-known/jwks.json");
  assert.equal(config.tokens.sharedSecret, undefined);
  assert.ok(config.http.origins.includes("http://localhost:3000"));
  assert.equal(config.http.bodyLimit, 1_048_576);
  assert.equal(config.http.clientAddressHeader, "x-forwarded-for");
});

Deno.test("readConfig() lets no browser origin in and trusts the platform's proxy outside a local project", () => {
  const config = readConfig(hosted);
  assert.equal(config.local, false);
  assert.deepEqual(config.http.origins, []);
  assert.equal(config.http.clientAddressHeader, "cf-connecting-ip");
});

Deno.test("readConfig() falls back to the legacy pair of keys", () => {
  const { SUPABASE_URL } = hosted;
  const config = readConfig({
    SUPABASE_URL,
    SUPABASE_ANON_KEY: "legacy-anon-key-of-somebody",
    SUPABASE_SERVICE_ROLE_KEY: "legacy-service-key-of-somebody",
  });
  assert.equal(config.publishableKey, "legacy-anon-key-of-somebody");
  assert.equal(config.secretKey.reveal(), "legacy-service-key-of-somebody");
});

Deno.test("readConfig() uses the key named default and accepts every secret key", () => {
  const config = readConfig({
    ...hosted,
    SUPABASE_SECRET_KEYS:
      '{"backup":"sb_secret_the_second_of_two","default":"sb_secret_the_first_one"}',
    SUPABASE_SERVICE_ROLE_KEY: "legacy-service-key-of-somebody",
  });
  assert.deepEqual(config.secretKeys.map((key) => key.reveal()), [
    "sb_secret_the_first_one",
    "sb_secret_the_second_of_two",
    "legacy-service-key-of-somebody",
  ]);
});

Deno.test("readConfig() reads lists, and key sets with and without their envelope", () => {
  const key = { kty: "EC", kid: "k1" };
  const config = readConfig({
    ...hosted,
    NEXUS_CORS_ORIGINS: "https://app.example.org, https://two.example.org:8443",
    NEXUS_TOKEN_ISSUERS: "https://id.example.org/auth/v1",
    SUPABASE_JWKS: JSON.stringify([key]),
  });
  assert.deepEqual(config.http.origins, [
    "https://app.example.org",
    "https://two.example.org:8443",
  ]);
  assert.deepEqual(config.tokens.issuers, ["https://id.example.org/auth/v1"]);
  assert.deepEqual(config.tokens.keySet, { keys: [key] });
  const enveloped = readConfig({ ...hosted, SUPABASE_JWKS: JSON.stringify({ keys: [key] }) });
  assert.deepEqual(enveloped.tokens.keySet, { keys: [key] });
});

Deno.test("readConfig() wants all of what signing in with Apple needs, or nothing", async (t) => {
  const key = "-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----";
  const apple = {
    APPLE_CLIENT_ID: "org.example.app",
    APPLE_TEAM_ID: "TEAM000001",
    APPLE_KEY_ID: "KEY0000001",
    APPLE_PRIVATE_KEY: key,
  };
  assert.equal(readConfig(hosted).apple, undefined);
  const read = readConfig({ ...hosted, ...apple }).apple!;
  assert.equal(read.url, "https://appleid.apple.com");
  assert.equal(
    read.redirectUri,
    `${hosted.SUPABASE_URL}/functions/v1/api/v1/auth/oauth/apple/callback`,
  );
  assert.equal(read.privateKey.reveal(), key.replaceAll("\\n", "\n"));
  for (const name of Object.keys(apple)) {
    await t.step(`without ${name}`, () => {
      assert.deepEqual(problemsOf({ ...hosted, ...apple, [name]: "" }), [`${name} is missing`]);
    });
  }
  const wrong = { APPLE_TEAM_ID: "short", APPLE_PRIVATE_KEY: "AAAA" };
  for (const [name, value] of Object.entries(wrong)) {
    await t.step(`with a wrong ${name}`, () => {
      const [problem, ...others] = problemsOf({ ...hosted, ...apple, [name]: value });
      assert.deepEqual([problem!.split(":")[0], others], [name, []]);
    });
  }
});

Deno.test("readConfig() names every problem at once and repeats no value", () => {
  const secrets = ["sb_secret_but_not_json", "http://outside.example.org", "*", "1.5"];
  const problems = problemsOf({
    SUPABASE_URL: secrets[1]!,
    SUPABASE_SECRET_KEYS: secrets[0]!,
    NEXUS_CORS_ORIGINS: secrets[2]!,
    NEXUS_BODY_LIMIT: secrets[3]!,
    JWT_SECRET: "super-secret-jwt-token-with-at-least-32-characters-long",
  });
  assert.deepEqual(problems.map((problem) => problem.split(/[ :]/)[0]).sort(), [
    "JWT_SECRET",
    "NEXUS_BODY_LIMIT",
    "NEXUS_CORS_ORIGINS",
    "SUPABASE_PUBLISHABLE_KEYS",
    "SUPABASE_SECRET_KEYS",
    "SUPABASE_URL",
  ]);
  for (const secret of secrets.slice(0, 2)) assert.ok(!problems.join().includes(secret));
});

Deno.test("readConfig() says that a variable is missing, blank ones included", () => {
  const problems = problemsOf({ SUPABASE_URL: "  " });
  assert.ok(problems.includes("SUPABASE_URL is missing"), problems.join());
  assert.ok(problems.some((problem) => problem.startsWith("SUPABASE_SECRET_KEYS or")));
});

Deno.test("readConfig() takes exact origins, without wildcard or path", () => {
  for (
    const NEXUS_CORS_ORIGINS of ["*", "https://*.example.org/", "https://a.org/app", "a.org", ","]
  ) {
    const [problem] = problemsOf({ ...hosted, NEXUS_CORS_ORIGINS });
    assert.match(problem ?? "", /^NEXUS_CORS_ORIGINS: must list origins/, NEXUS_CORS_ORIGINS);
  }
});

Deno.test("readConfig() refuses values that were copied from a template", () => {
  for (
    const changed of [
      { SUPABASE_URL: "https://your-project.supabase.co" },
      { SUPABASE_SECRET_KEYS: '{"default":"sb_secret_<paste it here>"}' },
      { JWT_SECRET: "change-me-change-me-change-me-change-me" },
    ]
  ) {
    const [problem] = problemsOf({ ...hosted, ...changed });
    assert.equal(problem, `${Object.keys(changed)[0]} still holds a placeholder`);
  }
});

Deno.test("readConfig() takes a local project's public shared secret on a local project only", () => {
  const JWT_SECRET = "super-secret-jwt-token-with-at-least-32-characters-long";
  assert.equal(
    readConfig({ ...deadEnvironment, JWT_SECRET }).tokens.sharedSecret?.reveal(),
    JWT_SECRET,
  );
  assert.deepEqual(problemsOf({ ...hosted, JWT_SECRET }), [
    "JWT_SECRET is the publicly known one of a local project",
  ]);
});

Deno.test("readConfig() takes the mail hook's secret of config.toml on a local project only", async () => {
  const config = await Deno.readTextFile(new URL("../../supabase/config.toml", import.meta.url));
  const [SEND_EMAIL_HOOK_SECRET = ""] = /v1,whsec_[^"]+/.exec(config) ?? [];
  assert.ok(SEND_EMAIL_HOOK_SECRET);
  readConfig({ ...deadEnvironment, SEND_EMAIL_HOOK_SECRET });
  assert.deepEqual(problemsOf({ ...hosted, SEND_EMAIL_HOOK_SECRET }), [
    "SEND_EMAIL_HOOK_SECRET is the publicly known one of a local project",
  ]);
});

Deno.test("readConfig() reads a ring of whole keys, each under a name of its own", () => {
  const [one, two] = [1, 2].map((byte) => btoa(String.fromCharCode(byte).repeat(32)));
  const { keys, hashCost } = readConfig({
    ...hosted,
    TWO_FACTOR_KEYS: `2026:${one}, 2025:${two}`,
    TWO_FACTOR_HASH_COST: "m=19456,t=2",
  }).twoFactor;
  assert.deepEqual(keys.map(({ name, key }) => [name, key.reveal()]), [["2026", one], [
    "2025",
    two,
  ]]);
  assert.deepEqual(hashCost, { memory: 19456, passes: 2 });
  for (const ring of [one!, `a:${one!.slice(4)}`, `a:${one},a:${two}`, `a.b:${one}`]) {
    assert.equal(problemsOf({ ...hosted, TWO_FACTOR_KEYS: ring }).length, 1, ring);
  }
  for (const cost of ["m=1,t=1", "m=8192", "m=999999,t=3", "m=8192,t=0"]) {
    assert.equal(problemsOf({ ...hosted, TWO_FACTOR_HASH_COST: cost }).length, 1, cost);
  }
});

Deno.test("a configuration prints without its secrets", () => {
  const config = readConfig({
    ...deadEnvironment,
    JWT_SECRET: "a-shared-secret-of-sufficient-length",
  });
  const printed = Deno.inspect(config, { depth: 9 }) + JSON.stringify(config) +
    `${config.secretKey}`;
  assert.ok(printed.includes("[secret]"));
  assert.doesNotMatch(printed, /sb_secret_of|a-shared-secret/);
});

Deno.test("every variable tells its meaning", () => {
  for (const [name, schema] of Object.entries(variables.shape)) {
    assert.ok((schema.description ?? "").length > 20, name);
  }
});
