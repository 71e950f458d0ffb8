import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { must } from "../support/answers.ts";
import { tokenOf } from "../support/api.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, issue } from "../support/tenants.ts";
import { call, pay, type Receipt, reverse, settle } from "../support/wallet.ts";

async function world() {
  const tenant = await createTenant();
  const [owner, ana, ben, cleo] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant),
    createMember(tenant),
    createMember(tenant),
  ]);
  await issue(tenant, ana, 6_000);
  return { tenant, owner, ana, ben, cleo };
}

Deno.test("parties of a transfer see it, its memo and its reversal; others see none of them", async () => {
  const { tenant, owner, ana, ben, cleo } = await world();
  const { id } = await must<Receipt>(pay(tenant, ana, ben, 10, { memo: "Bicycle" }));
  await must(reverse(tenant, owner, id));
  const legs = [
    { person: ana.id, currency: "hours", amount: -20 },
    { person: ben.id, currency: "hours", amount: 15 },
    { person: owner.id, currency: "hours", amount: 5 },
  ];
  const shared = await must<{ id: string }>(settle(tenant, ana, legs, { memo: "Harvest" }));
  const seen = async ({ client }: Person) => {
    const of = async (table: string, column: string) => {
      const rows = await must<Record<string, string>[]>(
        client.from(table).select(column).in(column, [id, shared.id]),
      );
      return rows.map((row) => row[column] === id ? "transfer" : "settlement").toSorted();
    };
    return [
      await of("wallet_transfers", "id"),
      await of("wallet_memos", "transfer_id"),
      await of("wallet_reversals", "transfer_id"),
    ];
  };
  const both = ["settlement", "transfer"];
  for (const party of [ana, ben, owner]) {
    assertEquals(await seen(party), [both, both, ["transfer"]]);
  }
  assertEquals(await seen(cleo), [[], [], []]);
});

Deno.test("to read one memo costs no reading of all the own entries", async () => {
  const { tenant, owner, ana, ben } = await world();
  const lines = Array.from({ length: 500 }, () => ({
    from: ana.id,
    to: ben.id,
    amount: 1,
    currency: "hours",
    memo: "One of many",
  }));
  const { id } = await must<{ id: string }>(
    call(tenant, owner, "wallet_batch", { lines, idempotency_key: "many" }),
  );
  const claims = atob(
    (await tokenOf(ana)).split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/"),
  );
  const plan = await withDatabase((sql) =>
    sql.begin(async (tx) => {
      await tx`select set_config('request.jwt.claims', ${claims}, true)`;
      await tx`set local role authenticated`;
      const [row] = await tx`
        explain (analyze, format json)
        select memo from wallet_memos where tenant_id = ${tenant.id} and transfer_id = ${id}`;
      return JSON.stringify(row);
    })
  );
  const counts = [...plan.matchAll(/"Actual Rows":\s*(\d+)/g)].map(([, rows]) => Number(rows));
  assertEquals(counts[0], 1);
  assertEquals(Math.max(...counts) < 10, true, plan);
});
