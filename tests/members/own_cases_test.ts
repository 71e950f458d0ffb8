import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { createPerson } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant } from "../support/tenants.ts";

Deno.test("nobody approves themselves: a policy of the permission, not of one function", async (t) => {
  await t.step("where deciding about oneself is a conflict", () =>
    withDatabase(async (sql) => {
      const rows = await sql`select name from permissions where not own_cases order by name`;
      const names = rows.map(({ name }) => name);
      for (const wanted of ["members.manage", "refunds.issue"]) {
        assertEquals(names.includes(wanted), true, wanted);
      }
    }));
  await t.step("an owner who waits elsewhere is not let in by themselves", async () => {
    const tenant = await createTenant({ registration_policy: "approval" });
    const [owner, person] = [await createMember(tenant, "owner"), await createPerson()];
    await must(person.client.rpc("members_join", { tenant: tenant.slug }));
    const admit = (by: typeof owner) =>
      by.client.rpc("members_set_status", {
        tenant_id: tenant.id,
        person: person.id,
        status: "active",
      });
    await assertRefused(admit(person), 403, "members.not_active");
    await must(admit(owner));
    await assertRefused(
      owner.client.rpc("members_set_status", {
        tenant_id: tenant.id,
        person: owner.id,
        status: "left",
      }),
      403,
      "members.not_yourself",
    );
  });
});

Deno.test("the permissions that the served systems name are there, under the modules they belong to", async () => {
  const tenant = await createTenant();
  const owner = await createMember(tenant, "owner");
  const named = ["financials.view", "inventory.manage", "refunds.issue", "stations.manage"];
  const rows = owner.client.from("permissions").select("name, module").in("name", named);
  assertEquals(await must(rows.order("name")), [
    { name: "financials.view", module: "wallet" },
    { name: "inventory.manage", module: "shop" },
    { name: "refunds.issue", module: "wallet" },
    { name: "stations.manage", module: "stations" },
  ]);
  const me = await must<{ tenants: { permissions: string[] }[] }>(owner.client.rpc("people_me"));
  const held = me.tenants[0]!.permissions.filter((name) => named.includes(name));
  // Shop and stations are switched off in this tenant.
  assertEquals(held, ["financials.view", "refunds.issue"]);
});
