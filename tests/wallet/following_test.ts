import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { connect, withDatabase } from "../support/database.ts";
import { createMember, createTenant, issue } from "../support/tenants.ts";
import { accountOf, call, noticesOf } from "../support/wallet.ts";

Deno.test("a transfer that commits late is told once: neither passed over nor told again", async () => {
  const tenant = await createTenant();
  const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]);
  const account = (await accountOf(ana)).id;
  const id = crypto.randomUUID();
  const sql = connect({ max: 3 });
  const told = async (person: Person, amount: number) => {
    await sql`select private.audit_follow()`;
    const [row] = await sql`
      select count(*)::int as count from realtime.messages
      where topic = ${`private-user-${person.id}`} and (payload ->> 'amount')::int = ${amount}
        and payload ->> 'tenant_id' = ${tenant.id}`;
    return row!.count;
  };
  try {
    await sql.begin(async (slow) => {
      await slow`
        select private.wallet_move(
          ${tenant.id}, ${id}, 'issue', null,
          private.wallet_system_account(${tenant.id}, 'hours', 'issuance'), ${account}, 5, 'hours', null, null
        )`;
      await issue(tenant, ben, 7);
      // While an older transaction is open, what came after it is told, and not told again.
      assertEquals([await told(ben, 7), await told(ben, 7), await told(ana, 5)], [1, 1, 0]);
    });
    assertEquals([await told(ana, 5), await told(ana, 5)], [1, 1]);
  } finally {
    await sql.end({ timeout: 5 });
  }
});

Deno.test("who crosses a soft limit without a payment is told by the daily schedule", async () => {
  const tenant = await createTenant();
  const [owner, ana] = await Promise.all([createMember(tenant, "owner"), createMember(tenant)]);
  await issue(tenant, ana, 600);
  const limits = { high_balance: 500 };
  await must(call(tenant, owner, "wallet_limit_currency", { currency: "hours", limits }));
  assertEquals((await accountOf(ana)).alert, null);
  await withDatabase((sql) => sql`select private.wallet_balance_alerts()`);
  assertEquals((await accountOf(ana)).alert, "high");
  assertEquals(await noticesOf(tenant, "wallet.balance_high"), 1);
});

Deno.test("what a role opens is what its permissions and the tenant's modules say", async () => {
  const tenant = await createTenant();
  const owner = await createMember(tenant, "owner");
  const role = { slug: "cashier", name: "Cashier", rank: 30 };
  const save = (permissions: string[]) =>
    must(call(tenant, owner, "members_role_save", { ...role, permissions }));
  const opened = () =>
    withDatabase(async (sql) => {
      const [row] = await sql`
        select permissions from private.role_rights
        where tenant_id = ${tenant.id} and role = 'cashier'`;
      return row!.permissions;
    });
  await save(["members.read", "wallet.read"]);
  assertEquals(await opened(), ["members.read", "wallet.read"]);
  await must(owner.client.from("tenants").update({ modules: [] }).eq("id", tenant.id));
  assertEquals(await opened(), ["members.read"]);
  await must(owner.client.from("tenants").update({ modules: ["wallet"] }).eq("id", tenant.id));
  await save(["wallet.read"]);
  assertEquals(await opened(), ["wallet.read"]);
});
