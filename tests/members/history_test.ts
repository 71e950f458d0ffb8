import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { must } from "../support/answers.ts";
import { admin, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { addMember, createMember, createTenant, issue } from "../support/tenants.ts";
import { createPerson } from "../support/clients.ts";

interface Step {
  status: string;
  role: string;
  actor: string | null;
}

Deno.test("who leaves and comes back is known by what they were, and has what they had", async (t) => {
  const tenant = await createTenant({ registration_policy: "approval" });
  const owner = await createMember(tenant, "owner");
  const ana = await createPerson();
  await addMember(tenant, ana, "staff");
  await issue(tenant, ana, 60);
  await must(ana.client.rpc("members_leave", { tenant_id: tenant.id }));
  await must(ana.client.rpc("members_join", { tenant: tenant.slug }));
  const person = { tenant_id: tenant.id, person: ana.id };
  await must(owner.client.rpc("members_set_status", { ...person, status: "active" }));

  const historySeenBy = async ({ client }: Person) => {
    const rows = client.from("members_history").select("status, role, actor")
      .eq("person_id", ana.id).order("id");
    return (await must<Step[]>(rows)).map(({ status, role, actor }) => [status, role, actor]);
  };
  const history = [
    ["active", "staff", null],
    ["left", "staff", ana.id],
    ["pending", "member", ana.id],
    ["active", "member", owner.id],
  ];
  await t.step("by themselves", async () => assertEquals(await historySeenBy(ana), history));
  await t.step(
    "by those who manage",
    async () => assertEquals(await historySeenBy(owner), history),
  );
  await t.step("by nobody else", async () => {
    assertEquals(await historySeenBy(await createMember(tenant)), []);
    assertEquals(await historySeenBy(await createMember(await createTenant(), "owner")), []);
  });
  await t.step("their account is the one they left", async () => {
    const accounts = ana.client.from("wallet_accounts").select("balance");
    assertEquals(await must(accounts), [{ balance: 60 }]);
  });
  await t.step("nobody rewrites it", async () => {
    await withDatabase(async (sql) => {
      for (
        const change of [
          sql`update members_history set role = 'owner' where person_id = ${ana.id}`,
          sql`delete from members_history where person_id = ${ana.id}`,
        ]
      ) {
        const code = await change.then(() => "done", ({ code }) => code);
        assertEquals(code, "PT409");
      }
    });
    const attempt = await admin().from("members_history").insert({ tenant_id: tenant.id });
    assertEquals(attempt.error?.code, "42501");
  });
});
