import assert from "node:assert/strict";
import { type Keys, loadKeys, publicJwks, twoFactorKeys } from "../../local/keys.ts";
import { join } from "../../local/paths.ts";
import { verifyToken } from "../../local/tokens.ts";

const issuer = "http://127.0.0.1:54321/auth/v1";

async function withHome(
  test: (load: (secret?: string) => Promise<Keys>, home: string) => Promise<void>,
) {
  const home = await Deno.makeTempDir();
  try {
    await test((secret) => loadKeys(home, issuer, secret), home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("every key is the same after a restart, the legacy pair too", async () => {
  await withHome(async (load, home) => {
    const keys = await load();
    assert.deepEqual(await load(), keys);
    assert.equal((await Deno.stat(join(home, "keys.json"))).mode! & 0o777, 0o600);
  });
});

Deno.test("the legacy pair is signed by the shared secret where there is one", async () => {
  await withHome(async (load) => {
    const secret = "a shared secret of at least thirty-two characters";
    const keys = await load(secret);
    assert.deepEqual(await load(secret), keys);
    assert.equal((await verifyToken(keys, keys.anon)).role, "anon");
    assert.equal((await verifyToken(keys, keys.serviceRole)).role, "service_role");
    await assert.rejects(verifyToken({ ...keys, jwtSecret: undefined }, keys.anon));
  });
});

Deno.test("the published key set has no private part", async () => {
  await withHome(async (load) => {
    const keys = await load();
    const [jwk] = publicJwks(keys).keys;
    assert.equal(jwk?.kid, keys.signing.kid);
    assert.deepEqual(["d", "k", "p", "q"].filter((part) => part in jwk!), []);
  });
});

Deno.test("authenticator secrets have a key of the home's own, the same at every start", async () => {
  await withHome(async (load) => {
    const ring = twoFactorKeys(await load());
    assert.equal(twoFactorKeys(await load()), ring);
    assert.match(ring, /^local:[\w+/]{43}=$/);
    assert.notEqual(twoFactorKeys({ secret: "sb_secret_of_another" }), ring);
  });
});
