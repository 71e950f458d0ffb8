import { deepStrictEqual as assertEquals } from "node:assert/strict";
import fc from "fast-check";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant } from "../support/tenants.ts";

/** A step of a history: somebody is given, or pays, an amount. */
const step = fc.record({
  from: fc.integer({ min: 0, max: 3 }),
  to: fc.integer({ min: 0, max: 2 }),
  amount: fc.oneof(
    fc.integer({ min: 1, max: 500 }),
    fc.constantFrom(Number.MAX_SAFE_INTEGER, 2 ** 52),
  ),
});

Deno.test("any history of grants and payments keeps every sum, whatever is refused on the way", async () => {
  const tenant = await createTenant({ currencies: [{ code: "hours", kind: "points" }] });
  const members = await Promise.all([0, 1, 2].map(() => createMember(tenant)));
  await withDatabase(async (sql) => {
    const accounts = await sql<{ id: string }[]>`
      select id from wallet_ledger_accounts
      where tenant_id = ${tenant.id} and purpose in ('member', 'issuance')
      order by purpose desc, id`;
    assertEquals(accounts.length, members.length + 1);
    const rollback = new Error("rolled back");
    const history = async (steps: { from: number; to: number; amount: number }[]) => {
      await sql.begin(async (tx) => {
        const expected = [0n, 0n, 0n, 0n];
        for (const { from, to, amount } of steps) {
          const payee = (from + 1 + to) % 4;
          const moved = await tx.savepoint((point) =>
            point`
              select private.wallet_move(
                ${tenant.id}, private.uuid_v7(), 'transfer', null, ${accounts[from]!.id}, ${
              accounts[payee]!.id
            },
                ${amount}, 'hours', null, null
              )`
          ).then(() => true, () => false);
          const may = from === 3 || expected[from]! >= BigInt(amount);
          const fits = payee === 3 ||
            expected[payee]! + BigInt(amount) <= BigInt(Number.MAX_SAFE_INTEGER);
          assertEquals(moved, may && fits, `${from} pays ${payee} ${amount}`);
          if (moved) {
            expected[from]! -= BigInt(amount);
            expected[payee]! += BigInt(amount);
          }
        }
        for (const [index, { id }] of accounts.entries()) {
          const [row] = await tx`
            select private.wallet_balance(${tenant.id}, ${id})::text as balance,
              (select coalesce(sum(amount), 0) from wallet_entries
                where tenant_id = ${tenant.id} and account_id = ${id})::text as entries`;
          assertEquals(row, { balance: String(expected[index]), entries: String(expected[index]) });
        }
        throw rollback;
      }).catch((error) => {
        if (error !== rollback) throw error;
      });
    };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), history),
      { numRuns: 40 },
    );
  });
});

Deno.test("folding takes deferred entries into the balance once, whoever folds at the same time", async () => {
  const tenant = await createTenant();
  const member = await createMember(tenant);
  await withDatabase(async (sql) => {
    const [issuance, fund] = await sql<{ id: string }[]>`
      select id from wallet_ledger_accounts
      where tenant_id = ${tenant.id} and purpose in ('issuance', 'community_fund')
      order by purpose desc`;
    const [account] = await sql<{ id: string }[]>`
      select id from wallet_ledger_accounts where tenant_id = ${tenant.id} and person_id = ${member.id}`;
    const move = (from: string, to: string, amount: number) =>
      sql`select private.wallet_move(
        ${tenant.id}, private.uuid_v7(), 'transfer', null, ${from}, ${to}, ${amount}, 'hours', null, null)`;
    const balance = async () => {
      const [row] = await sql`
        select balance::int, private.wallet_balance(tenant_id, id)::int as counted
        from wallet_ledger_accounts where tenant_id = ${tenant.id} and id = ${fund!.id}`;
      return [row!.balance, row!.counted];
    };
    await Promise.all(Array.from({ length: 10 }, () => move(issuance!.id, fund!.id, 5)));
    assertEquals(await balance(), [0, 50]);
    const overdraft = await move(fund!.id, account!.id, 51).then(() => "done", (e) => e.message);
    assertEquals([overdraft, await balance()], ["wallet.insufficient_funds", [0, 50]]);
    await Promise.all([move(fund!.id, account!.id, 20), move(fund!.id, account!.id, 20)]);
    assertEquals(await balance(), [10, 10]);
  });
});
