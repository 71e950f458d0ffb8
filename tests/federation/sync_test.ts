import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { type Sql, undone } from "../jobs/support.ts";
import { createTenant } from "../support/tenants.ts";

const statuses = ["active", "proposed", "paused", "ended"];

/** A partner of each status, by status. */
async function createPartners(sql: Sql, tenant: string): Promise<Record<string, string>> {
  const partners: Record<string, string> = {};
  for (const status of statuses) {
    const [partner] = await sql`
      insert into private.federation_partners (tenant_id, address, status)
      values (${tenant}, ${`https://${status}.example`}, ${status}) returning id`;
    partners[status] = partner!.id;
  }
  return partners;
}

Deno.test("each active partner is synced, once until that is done", async () => {
  const tenant = await createTenant({ modules: ["federation"] });
  await undone(async (sql) => {
    const { active } = await createPartners(sql, tenant.id);
    await sql`select private.federation_sync()`;
    await sql`select private.federation_sync()`;
    const jobs = await sql`
      select kind, payload from private.jobs where tenant_id = ${tenant.id}`;
    assertEquals(jobs.map(({ kind, payload }) => [kind, payload]), [
      ["federation.sync", { partner_id: active }],
    ]);
  });
});

Deno.test("nothing is synced for a tenant without the module", async () => {
  const tenant = await createTenant({ modules: [] });
  await undone(async (sql) => {
    await createPartners(sql, tenant.id);
    await sql`select private.federation_sync()`;
    assertEquals([...await sql`select from private.jobs where tenant_id = ${tenant.id}`], []);
  });
});
