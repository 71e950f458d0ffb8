import assert from "node:assert/strict";
import { hasSecretKey } from "shared/auth/secret_key.ts";
import { Secret } from "shared/secret.ts";

const keys = [new Secret("sb_secret_one"), new Secret("sb_secret_two")];
const carries = (headers: Record<string, string>) => hasSecretKey(new Headers(headers), keys);

Deno.test("every secret key counts, as apikey and as bearer", async () => {
  assert.equal(await carries({ apikey: "sb_secret_two" }), true);
  assert.equal(await carries({ authorization: "Bearer sb_secret_one" }), true);
  assert.equal(
    await carries({ apikey: "sb_publishable_x", authorization: "bearer sb_secret_one" }),
    true,
  );
});

Deno.test("anything else does not", async () => {
  for (const apikey of ["", "sb_secret_", "SB_SECRET_ONE", "sb_secret_one,sb_secret_one"]) {
    assert.equal(await carries({ apikey }), false, apikey);
  }
  assert.equal(await carries({}), false);
  assert.equal(await hasSecretKey(new Headers({ apikey: "x" }), []), false);
});
