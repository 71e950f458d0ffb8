import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { decodeJwt } from "jose";
import fc from "fast-check";
import type { Sql, TransactionSql } from "postgres";
import { tokenOf } from "../support/api.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import { organisation } from "../support/wallet.ts";
import { History, type Party, stepAmong, type World } from "./histories.ts";

const grant = 200;

/** Three members, an organisation that the first of them acts for, and the community fund. */
async function createWorld(): Promise<World> {
  const tenant = await createTenant({
    currencies: [{ code: "hours", kind: "time", lowest_balance: -50, starting_grant: grant }],
  });
  const owner = await createMember(tenant, "owner");
  const members: Person[] = [];
  for (let made = 0; made < 3; made++) members.push(await createMember(tenant));
  const club = await organisation(tenant, owner, [members[0]!]);
  const claims = new Map<Person, string>();
  for (const person of [owner, ...members]) {
    claims.set(person, JSON.stringify(decodeJwt(await tokenOf(person))));
  }
  return await withDatabase(async (sql) => {
    const accountOf = async (condition: ReturnType<Sql>) => {
      const [row] = await sql`
        select a.id, a.balance::int from wallet_ledger_accounts a
        where a.tenant_id = ${tenant.id} and ${condition}`;
      return row as { id: string; balance: number };
    };
    const accounts = [
      ...await Promise.all(members.map(({ id }) => accountOf(sql`a.person_id = ${id}`))),
      await accountOf(sql`a.id = ${club.account}`),
      await accountOf(sql`a.purpose = 'community_fund'`),
    ];
    const parties = accounts.map(({ id: account }, index): Party => ({
      account,
      person: members[index] ?? null,
      acts: members[index] ?? (index === members.length ? members[0]! : owner),
    }));
    return { tenant, owner, parties, opening: accounts.map(({ balance }) => balance), claims };
  });
}

async function inRolledBack(sql: Sql, work: (tx: TransactionSql) => Promise<void>): Promise<void> {
  const rollback = new Error("rolled back");
  await sql.begin(async (tx) => {
    await work(tx);
    throw rollback;
  }).catch((error) => {
    if (error !== rollback) throw error;
  });
}

Deno.test("any history keeps every sum, resolves no hold and reverses no transfer twice", async () => {
  const world = await createWorld();
  let [moved, reversed, resolved] = [0, 0, 0];
  const shared = new Set<string>();
  await withDatabase((sql) =>
    fc.assert(
      fc.asyncProperty(
        fc.array(stepAmong(world.parties.length), { minLength: 20, maxLength: 60 }),
        (steps) =>
          inRolledBack(sql, async (tx) => {
            const history = new History(tx, world);
            for (const step of steps) await history.take(step);
            await history.check();
            const { transfers, holds } = history.model;
            moved += transfers.length;
            reversed += transfers.filter((transfer) => transfer.reversed).length;
            resolved += holds.filter((hold) => hold.resolved).length;
            for (const act of history.shared) shared.add(act);
          }),
      ),
      { numRuns: 30 },
    )
  );
  // Histories in which all is refused would prove nothing.
  const counts = [moved, reversed, resolved];
  assertEquals(counts.every((count) => count > 10), true, counts.join());
  const acts = ["capture", "expire", "freeze", "hold", "issue", "reverse", "settle", "transfer"];
  assertEquals(acts.filter((act) => !shared.has(act)), [], "on accounts that no member holds");
});
