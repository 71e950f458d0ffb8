import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, issue, type Tenant } from "../support/tenants.ts";
import { accountOf, call, noticesOf, pay } from "../support/wallet.ts";

async function world(options: Record<string, unknown> = {}) {
  const tenant = await createTenant(options);
  const [owner, ana, ben] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant),
    createMember(tenant),
  ]);
  return { tenant, owner, ana, ben };
}

const limitCurrency = (tenant: Tenant, by: Person, limits: unknown) =>
  call(tenant, by, "wallet_limit_currency", { currency: "hours", limits });

const limitAccount = async (tenant: Tenant, by: Person, of: Person, limits: unknown) =>
  await call(tenant, by, "wallet_limit_account", { account_id: (await accountOf(of)).id, limits });

Deno.test("an account's own soft limits are in order, together with the currency's", async () => {
  const { tenant, owner, ana } = await world();
  await must(limitCurrency(tenant, owner, { low_balance: 100, high_balance: 500 }));
  for (
    const limits of [
      { critical_balance: 101 },
      { low_balance: 500 },
      { low_balance: null, critical_balance: 500 },
      { high_balance: 100 },
    ]
  ) {
    await assertRefused(limitAccount(tenant, owner, ana, limits), 422, "request.invalid");
  }
  await must(limitAccount(tenant, owner, ana, { critical_balance: 100, high_balance: 101 }));
});

Deno.test("soft limits tell the holder once a crossing", async () => {
  const { tenant, owner, ana, ben } = await world();
  await issue(tenant, ana, 1_000);
  await must(
    limitCurrency(tenant, owner, { low_balance: 500, critical_balance: 100, high_balance: 2_000 }),
  );
  const counts = async () =>
    await Promise.all(
      ["low", "critical", "high"].map((alert) => noticesOf(tenant, `wallet.balance_${alert}`)),
    );
  const before = await counts();
  const since = async () => (await counts()).map((count, index) => count - before[index]!);
  await must(pay(tenant, ana, ben, 450));
  await must(pay(tenant, ana, ben, 60));
  const alerted = (await accountOf(ana)).alert;
  await must(pay(tenant, ana, ben, 10));
  const [low] = await since();
  assertEquals([alerted, (await accountOf(ana)).alert], ["low", "low"]);
  await must(pay(tenant, ana, ben, 400));
  assertEquals([(await accountOf(ana)).alert, (await since())[1]], ["critical", 1]);
  await must(pay(tenant, ben, ana, 300));
  assertEquals([(await accountOf(ana)).alert, (await since())[0]], ["low", low]);
  await issue(tenant, ben, 5_000);
  assertEquals([(await accountOf(ben)).alert, (await since())[2]], ["high", 1]);
});

Deno.test("who stays beyond a soft limit is nudged after thirty days", async () => {
  const { tenant, owner, ana } = await world();
  await must(limitCurrency(tenant, owner, { high_balance: 500 }));
  await issue(tenant, ana, 600);
  await withDatabase(async (sql) => {
    await sql`select private.wallet_nudge()`;
    assertEquals(await noticesOf(tenant, "wallet.nudge"), 0);
    await sql`
      update wallet_ledger_accounts set nudged_at = now() - interval '31 days'
      where tenant_id = ${tenant.id} and person_id = ${ana.id}`;
    await sql`select private.wallet_nudge()`;
    await sql`select private.wallet_nudge()`;
  });
  assertEquals(await noticesOf(tenant, "wallet.nudge"), 1);
});

Deno.test("who was beyond a soft limit from the start is nudged, too", async () => {
  const { tenant, ana } = await world({
    currencies: [{ code: "hours", kind: "time", lowest_balance: 0, low_balance: 60 }],
  });
  assertEquals((await accountOf(ana)).alert, "low");
  await withDatabase(async (sql) => {
    await sql`
      update wallet_ledger_accounts set created_at = created_at - interval '31 days'
      where tenant_id = ${tenant.id} and person_id = ${ana.id}`;
    await sql`select private.wallet_nudge()`;
    await sql`select private.wallet_nudge()`;
  });
  assertEquals(await noticesOf(tenant, "wallet.nudge"), 1);
});
