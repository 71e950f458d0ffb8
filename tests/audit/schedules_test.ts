import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { admin } from "../support/clients.ts";
import { must } from "../support/answers.ts";
import { withDatabase } from "../support/database.ts";
import { createTenant } from "../support/tenants.ts";

Deno.test("the trail is sealed, verified and kept by schedules that succeed", async (t) => {
  const tenant = await createTenant();
  await withDatabase(async (sql) => {
    for (const name of ["audit-seal", "audit-verify", "audit-retain"]) {
      await t.step(name, async () => {
        const [run] = await sql`
          select outcome, error from private.jobs_run_schedule(${name}, manual => true)`;
        // Another run may be under way on the shared stack: it then leaves the work to that one.
        assertEquals([["done", "overlapped"].includes(run!.outcome), run!.error], [true, null]);
      });
    }
    const [verdict] = await sql`
      select verdict ->> 'intact' as intact from private.audit_verdicts where tenant_id = ${tenant.id}`;
    assertEquals(verdict?.intact ?? "true", "true");
  });
});

Deno.test("a broken trail is told on the trail itself, and noticed by readiness", async () => {
  const tenant = await createTenant();
  await withDatabase(async (sql) => {
    const undo = new Error("undone");
    await sql.begin(async (tx) => {
      await tx`insert into private.audit_seals (tenant_id, sequence, ids, macs, mac)
        values (${tenant.id}, 1, array[private.uuid_v7()], 'forged', 'forged')`;
      const [broken] = await tx`select private.audit_verify_all() as count`;
      assertEquals(broken!.count >= 1, true);
      const lines = await tx`
        select d.after ->> 'reason' as reason from private.audit_log l
        join private.audit_details d on d.tenant_id = l.tenant_id and d.id = l.id
        where l.tenant_id = ${tenant.id} and l.action = 'AUDIT_BROKEN'`;
      assertEquals([...lines], [{ reason: "seal_changed" }]);
      const [ready] = await tx`select public.operations_ready() -> 'checks' ->> 'audit' as audit`;
      assertEquals(ready!.audit, "broken");
      throw undo;
    }).catch((error) => {
      if (error !== undo) throw error;
    });
  });
  const ready = await must<{ checks: Record<string, unknown> }>(admin().rpc("operations_ready"));
  assertEquals("audit" in ready.checks, true);
});
