import assert from "node:assert/strict";
import { breakingChanges } from "../../local/openapi/breaking.ts";
import { committed, describe } from "../../local/openapi/document.ts";

Deno.test("the routes keep what docs/openapi.json promises to clients", async () => {
  assert.deepEqual(breakingChanges(await committed(), await describe()), []);
});

Deno.test("docs/openapi.json is up to date: `deno task openapi` writes it", async () => {
  assert.deepEqual(await committed(), await describe());
});
