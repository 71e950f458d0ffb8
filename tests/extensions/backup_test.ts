import assert from "node:assert/strict";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, issue } from "../support/tenants.ts";
import { getStack } from "../support/stack.ts";
import { verifyBackup } from "./backup.ts";
import { brokenTrails, differences, ledgerFaults } from "./proof.ts";
import { asSuperuser, getChroot } from "./support.ts";

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

Deno.test("a balance, an entry or a line of the trail that was tampered with is noticed", async () => {
  const tenant = await createTenant();
  await issue(tenant, await createMember(tenant), 60);
  const undo = new Error("undo");
  await asSuperuser(async (sql) => {
    await sql`select private.audit_seal()`;
    await sql.begin(async (sql) => {
      // Nobody else can switch the triggers off.
      await sql`set local session_replication_role = replica`;
      await sql`
        update public.wallet_ledger_accounts set balance = balance + 1
        where tenant_id = ${tenant.id} and purpose = 'member'`;
      assert.equal((await ledgerFaults(sql)).length, 1);
      await sql`
        update public.wallet_entries set amount = amount + 1
        where tenant_id = ${tenant.id} and amount > 0`;
      assert.match((await ledgerFaults(sql)).join(), /adds up to 1\b/);
      await sql`
        update private.audit_log set resource = 'members:somebody-else'
        where tenant_id = ${tenant.id} and action = 'MEMBER_JOINED'`;
      assert.equal((await brokenTrails(sql)).length, 1);
      throw undo;
    }).catch((error) => assert.equal(error, undo));
  });
});
