import { deepStrictEqual as assertEquals } from "node:assert/strict";
import fc from "fast-check";
import type { Sql, TransactionSql } from "postgres";
import { decodeJwt } from "jose";
import { tokenOf } from "../support/api.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";

const people = 3;
const start = 200;

/** What somebody tries; which and what refer to holds and transfers made so far. */
const step = fc.record({
  act: fc.oneof(
    {
      weight: 8,
      arbitrary: fc.constantFrom(
        ...["transfer", "settle", "hold", "capture", "void", "expire", "reverse"] as const,
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom(...["freeze", "unfreeze", "unfreeze"] as const) },
  ),
  who: fc.nat(people - 1),
  whom: fc.nat(people - 2),
  amount: fc.integer({ min: 1, max: 120 }),
  which: fc.nat(60),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

interface Held {
  id: string;
  from: number;
  to: number;
  amount: number;
  resolved: boolean;
}

/** What should be true after the steps that succeeded. */
class Model {
  readonly balances = Array<number>(people).fill(start);
  readonly held = Array<number>(people).fill(0);
  readonly holds: Held[] = [];
  readonly transfers: { id: string; legs: [number, number][]; reversed: boolean }[] = [];

  move(id: string, legs: [number, number][]) {
    for (const [who, amount] of legs) this.balances[who]! += amount;
    this.transfers.push({ id, legs, reversed: false });
  }
}

/** One history in a transaction that is never committed. */
class History {
  readonly model = new Model();

  constructor(
    readonly tx: TransactionSql,
    readonly tenant: Tenant,
    readonly members: Person[],
    readonly owner: Person,
    readonly claims: Map<Person, string>,
    readonly accounts: string[],
  ) {}

  /** Calls an RPC as somebody; what is refused changes nothing. */
  async #call(by: Person, call: (tx: TransactionSql) => Promise<unknown>) {
    return await this.tx.savepoint(async (point) => {
      await point`select set_config('request.jwt.claims', ${this.claims.get(by)!}, true)`;
      return await call(point) as { id: string }[];
    }).then(([row]) => row, (error) => {
      assertEquals(String(error.code).startsWith("PT"), true, `${error.code} ${error.message}`);
      return undefined;
    });
  }

  async take({ act, who, whom, amount, which }: Step): Promise<void> {
    const { model, tenant, members, owner, accounts } = this;
    const to = (who + 1 + whom) % people;
    const [payer, payee] = [members[who]!, members[to]!];
    const key = crypto.randomUUID();
    const hold = model.holds[which % model.holds.length];
    const transfer = model.transfers[which % model.transfers.length];
    switch (act) {
      case "transfer": {
        const made = await this.#call(
          payer,
          (tx) =>
            tx`select * from wallet_transfer(${tenant.id}, ${payee.id}, ${amount}, 'hours', ${key})`,
        );
        if (made) model.move(made.id, [[who, -amount], [to, amount]]);
        break;
      }
      case "settle": {
        const rest = 3 - who - to;
        const legs: [number, number][] = [[who, -2 * amount], [to, amount], [rest, amount]];
        const wire = legs.map(([index, value]) => ({
          person: members[index]!.id,
          currency: "hours",
          amount: value,
        }));
        const made = await this.#call(
          owner,
          (tx) => tx`select * from wallet_settle(${tenant.id}, ${tx.json(wire)}, ${key})`,
        );
        if (made) model.move(made.id, legs);
        break;
      }
      case "hold": {
        const made = await this.#call(
          payer,
          (tx) =>
            tx`select * from wallet_hold(${tenant.id}, ${payee.id}, ${amount}, 'hours', ${key})`,
        );
        if (!made) break;
        model.held[who]! += amount;
        model.holds.push({ id: made.id, from: who, to, amount, resolved: false });
        break;
      }
      case "capture": {
        if (!hold) break;
        const part = Math.min(amount, hold.amount);
        const made = await this.#call(
          members[hold.to]!,
          (tx) => tx`select * from wallet_capture(${tenant.id}, ${hold.id}, ${key}, ${part})`,
        );
        if (!made) break;
        this.#resolve(hold);
        model.move(made.id, [[hold.from, -part], [hold.to, part]]);
        break;
      }
      case "void": {
        if (!hold) break;
        const wasResolved = hold.resolved;
        const made = await this.#call(
          members[hold.to]!,
          (tx) => tx`select * from wallet_void(${tenant.id}, ${hold.id})`,
        );
        // Voiding again what is void answers again.
        if (made && !wasResolved) this.#resolve(hold);
        break;
      }
      case "expire":
        if (!hold || hold.resolved) break;
        await this.tx`update wallet_holds set expires_at = now() where id = ${hold.id}`;
        await this.tx`select private.wallet_expire_holds()`;
        this.#resolve(hold);
        break;
      case "reverse": {
        if (!transfer) break;
        const made = await this.#call(
          owner,
          (tx) => tx`select * from wallet_reverse(${tenant.id}, ${transfer.id}, 'Mistake', ${key})`,
        );
        if (!made) break;
        assertEquals(transfer.reversed, false, "reversed twice");
        transfer.reversed = true;
        for (const [index, value] of transfer.legs) model.balances[index]! -= value;
        break;
      }
      default:
        await this.#call(
          owner,
          (tx) =>
            tx`select * from wallet_freeze(${tenant.id}, ${accounts[who]!}, ${act === "freeze"})`,
        );
    }
  }

  #resolve(hold: Held) {
    assertEquals(hold.resolved, false, "resolved twice");
    hold.resolved = true;
    this.model.held[hold.from]! -= hold.amount;
  }

  async check(): Promise<void> {
    const { tx, tenant, model } = this;
    const [total] = await tx`
      select sum(private.wallet_balance(tenant_id, id))::int as sum from wallet_ledger_accounts
      where tenant_id = ${tenant.id}`;
    assertEquals(total!.sum, 0);
    for (const [index, id] of this.accounts.entries()) {
      const [account] = await tx`
        select a.balance::int, a.held::int, a.debt::int, a.lowest_balance::int as lowest,
          (select coalesce(sum(e.amount), 0)::int from wallet_entries e
            where e.tenant_id = a.tenant_id and e.account_id = a.id) as entries
        from wallet_ledger_accounts a where a.tenant_id = ${tenant.id} and a.id = ${id}`;
      const { balance, held, debt, lowest, entries } = account!;
      assertEquals([balance, held, entries], [model.balances[index], model.held[index], balance]);
      const available = balance - held - lowest;
      assertEquals([available >= -debt, debt > 0], [true, available < 0], `${available} ${debt}`);
    }
    const broken = await tx`
      select fault from private.wallet_prove(${tenant.id}) where not intact`;
    assertEquals([...broken], []);
  }
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
  const tenant = await createTenant({
    currencies: [{ code: "hours", kind: "time", lowest_balance: -50, starting_grant: start }],
  });
  const owner = await createMember(tenant, "owner");
  const members: Person[] = [];
  for (let made = 0; made < people; made++) members.push(await createMember(tenant));
  const claims = new Map<Person, string>();
  for (const person of [owner, ...members]) {
    claims.set(person, JSON.stringify(decodeJwt(await tokenOf(person))));
  }
  await withDatabase(async (sql) => {
    const accounts = await Promise.all(members.map(async ({ id }) => {
      const [account] = await sql`
        select id from wallet_ledger_accounts where tenant_id = ${tenant.id} and person_id = ${id}`;
      return account!.id as string;
    }));
    let [moved, reversed, resolved] = [0, 0, 0];
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 60 }),
        (steps) =>
          inRolledBack(sql, async (tx) => {
            const history = new History(tx, tenant, members, owner, claims, accounts);
            for (const one of steps) await history.take(one);
            await history.check();
            const { transfers, holds } = history.model;
            moved += transfers.length;
            reversed += transfers.filter((transfer) => transfer.reversed).length;
            resolved += holds.filter((hold) => hold.resolved).length;
          }),
      ),
      { numRuns: 20 },
    );
    // Histories in which all is refused would prove nothing.
    const counts = [moved, reversed, resolved];
    assertEquals(counts.every((count) => count > 10), true, counts.join());
  });
});
