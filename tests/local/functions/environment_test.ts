import assert from "node:assert/strict";
import { withHost } from "./fixture.ts";

const printEnvironment = `Deno.serve(() => Response.json(Deno.env.toObject()));`;

Deno.test("a function sees hosted's variables and none of the stack's own", async () => {
  Deno.env.set("NEXUS_TEST_LEAK", "yes");
  await withHost({ env: printEnvironment }, async ({ call, keys }) => {
    const env = await (await call("/env")).json();
    assert.equal(env.SUPABASE_URL, "http://127.0.0.1:54321");
    assert.equal(env.SUPABASE_DB_URL, "postgresql://postgres:postgres@127.0.0.1:54322/postgres");
    assert.deepEqual(JSON.parse(env.SUPABASE_PUBLISHABLE_KEYS), { default: keys.publishable });
    assert.deepEqual(JSON.parse(env.SUPABASE_SECRET_KEYS), { default: keys.secret });
    assert.equal(env.SUPABASE_ANON_KEY, keys.anon);
    assert.equal(env.SUPABASE_SERVICE_ROLE_KEY, keys.serviceRole);
    const [jwk] = JSON.parse(env.SUPABASE_JWKS).keys;
    assert.equal(jwk.kid, keys.signing.kid);
    assert.equal(jwk.d, undefined, "the private part of the signing key must stay with us");
    assert.equal(env.NEXUS_TEST_LEAK, undefined);
    assert.equal(env.DENO_DEPLOYMENT_ID, "nexus_env_1");
  });
});

Deno.test("the project's .env reaches functions, except names hosted keeps for itself", async () => {
  const files = { ".env": 'GREETING="hello there"\nSUPABASE_URL=http://elsewhere\n' };
  await withHost({ env: printEnvironment }, async ({ call, log }) => {
    const env = await (await call("/env")).json();
    assert.equal(env.GREETING, "hello there");
    assert.equal(env.SUPABASE_URL, "http://127.0.0.1:54321");
    assert.ok(log.some((line) => line.includes("skipping SUPABASE_URL")));
  }, { files });
});
