import assert from "node:assert/strict";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, issue } from "../support/tenants.ts";
import { getStack } from "../support/stack.ts";
import { verifyBackup } from "./backup.ts";
import { differences } from "./proof.ts";
import { getChroot } from "./support.ts";

Deno.test("a backup of the running database holds every row, a ledger that adds up and whole trails", async () => {
  const tenant = await createTenant();
  await issue(tenant, await createMember(tenant), 60);
  await withDatabase((sql) => sql`select private.audit_seal()`);
  const { tables, rows, currencies, trails } = await verifyBackup(
    getChroot(),
    getStack().databaseUrl,
    () => {},
  );
  assert.ok(tables > 50 && rows > 100 && currencies > 0 && trails > 1);
});

Deno.test("a row that is missing or changed in the copy is noticed", () => {
  const held = (rows: number, digest: string) => new Map([["public.t", { rows, digest }]]);
  assert.deepEqual(differences(held(2, "a"), held(2, "a")), []);
  assert.deepEqual(differences(held(2, "a"), held(1, "b")), ["public.t has 1 of 2 rows"]);
  assert.deepEqual(differences(held(2, "a"), held(2, "b")), ["public.t has other content"]);
  assert.deepEqual(differences(held(2, "a"), new Map()), ["public.t is missing"]);
});
