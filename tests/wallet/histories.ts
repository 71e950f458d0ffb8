import { deepStrictEqual as assertEquals } from "node:assert/strict";
import fc from "fast-check";
import type { TransactionSql } from "postgres";
import type { Person } from "../support/clients.ts";
import type { Tenant } from "../support/tenants.ts";

/** Who holds an account: members, an organisation, and a system account whose entries are deferred. */
export interface Party {
  account: string;
  /** Null for accounts that no member holds. */
  person: Person | null;
  /** Who pays from it, and takes what is held for it. */
  acts: Person;
}

/** What somebody tries; `which` refers to holds and transfers made so far. */
export const stepAmong = (parties: number) =>
  fc.record({
    act: fc.oneof(
      {
        weight: 8,
        arbitrary: fc.constantFrom(
          ...["transfer", "settle", "hold", "capture", "void", "expire", "reverse"] as const,
        ),
      },
      { weight: 2, arbitrary: fc.constantFrom(...["issue", "fold", "unfreeze"] as const) },
      { weight: 1, arbitrary: fc.constantFrom(...["freeze", "unfreeze"] as const) },
    ),
    who: fc.nat(parties - 1),
    whom: fc.nat(parties - 2),
    amount: fc.integer({ min: 1, max: 120 }),
    which: fc.nat(60),
  });
export type Step = ReturnType<typeof stepAmong> extends fc.Arbitrary<infer S> ? S : never;

interface Held {
  id: string;
  from: number;
  to: number;
  amount: number;
  resolved: boolean;
}

/** What should be true after the steps that succeeded. */
class Model {
  readonly balances: number[];
  readonly held: number[];
  readonly holds: Held[] = [];
  readonly transfers: { id: string; legs: [number, number][]; reversed: boolean }[] = [];

  constructor(opening: number[]) {
    this.balances = [...opening];
    this.held = opening.map(() => 0);
  }

  move(id: string, legs: [number, number][]) {
    for (const [who, amount] of legs) this.balances[who]! += amount;
    this.transfers.push({ id, legs, reversed: false });
  }

  resolve(hold: Held) {
    assertEquals(hold.resolved, false, "resolved twice");
    hold.resolved = true;
    this.held[hold.from]! -= hold.amount;
  }
}

export interface World {
  tenant: Tenant;
  owner: Person;
  parties: Party[];
  opening: number[];
  /** The claims of each person's session. */
  claims: Map<Person, string>;
}

/** One history in a transaction that is never committed. */
export class History {
  readonly model: Model;
  /** How often each act succeeded on an account that no member holds. */
  readonly shared = new Set<string>();

  constructor(readonly tx: TransactionSql, readonly world: World) {
    this.model = new Model(world.opening);
  }

  /** Calls an RPC as somebody; what is refused changes nothing. */
  async #call(by: Person, call: (tx: TransactionSql) => Promise<unknown>) {
    return await this.tx.savepoint(async (point) => {
      await point`select set_config('request.jwt.claims', ${this.world.claims.get(by)!}, true)`;
      return await call(point) as { id: string }[];
    }).then(([row]) => row, (error) => {
      assertEquals(String(error.code).startsWith("PT"), true, `${error.code} ${error.message}`);
      return undefined;
    });
  }

  #note(act: string, ...indexes: number[]) {
    if (indexes.some((index) => this.world.parties[index]!.person === null)) this.shared.add(act);
  }

  async take(step: Step): Promise<void> {
    const { model } = this;
    const hold = model.holds[step.which % model.holds.length];
    const transfer = model.transfers[step.which % model.transfers.length];
    switch (step.act) {
      case "transfer":
        return await this.#transfer(step);
      case "settle":
        return await this.#settle(step);
      case "hold":
        return await this.#hold(step);
      case "issue":
        return await this.#issue(step);
      case "capture":
        return hold && await this.#capture(hold, step.amount);
      case "void":
        return hold && await this.#void(hold);
      case "expire":
        return hold && await this.#expire(hold);
      case "reverse":
        return transfer && await this.#reverse(transfer);
      case "fold": {
        const { tenant, parties } = this.world;
        await this.tx`select private.wallet_fold(${tenant.id}, ${parties.at(-1)!.account})`;
        return;
      }
      default:
        return await this.#freeze(step);
    }
  }

  /** Payer and payee of a step, as the RPCs are told. */
  #sides({ who, whom }: Step) {
    const { parties } = this.world;
    const to = (who + 1 + whom) % parties.length;
    const [payer, payee] = [parties[who]!, parties[to]!];
    return {
      to,
      by: payer.acts,
      from_account: payer.person ? null : payer.account,
      to_person: payee.person?.id ?? null,
      to_account: payee.person ? null : payee.account,
      key: crypto.randomUUID(),
    };
  }

  async #transfer(step: Step) {
    const { to, by, from_account, to_person, to_account, key } = this.#sides(step);
    const made = await this.#call(by, (tx) =>
      tx`
        select * from wallet_transfer(
          ${this.world.tenant.id}, ${to_person}, ${step.amount}, 'hours', ${key},
          from_account => ${from_account}, to_account => ${to_account}
        )`);
    if (!made) return;
    this.model.move(made.id, [[step.who, -step.amount], [to, step.amount]]);
    this.#note("transfer", step.who, to);
  }

  async #settle({ who, whom, amount }: Step) {
    const { tenant, owner, parties } = this.world;
    const to = (who + 1 + whom) % parties.length;
    const rest = parties.findIndex((_, index) => index !== who && index !== to);
    const legs: [number, number][] = [[who, -2 * amount], [to, amount], [rest, amount]];
    const wire = legs.map(([index, value]) => {
      const { person, account } = parties[index]!;
      return {
        ...(person ? { person: person.id } : { account }),
        currency: "hours",
        amount: value,
      };
    });
    const key = crypto.randomUUID();
    const made = await this.#call(
      owner,
      (tx) => tx`select * from wallet_settle(${tenant.id}, ${tx.json(wire)}, ${key})`,
    );
    if (!made) return;
    this.model.move(made.id, legs);
    this.#note("settle", who, to, rest);
  }

  async #hold(step: Step) {
    const { to, by, from_account, to_person, to_account, key } = this.#sides(step);
    const { who, amount } = step;
    const made = await this.#call(by, (tx) =>
      tx`
        select * from wallet_hold(
          ${this.world.tenant.id}, ${to_person}, ${amount}, 'hours', ${key},
          from_account => ${from_account}, to_account => ${to_account}
        )`);
    if (!made) return;
    this.model.held[who]! += amount;
    this.model.holds.push({ id: made.id, from: who, to, amount, resolved: false });
    this.#note("hold", who, to);
  }

  async #issue({ who, amount }: Step) {
    const { tenant, owner, parties } = this.world;
    const { person, account } = parties[who]!;
    const made = await this.#call(owner, (tx) =>
      tx`
        select * from wallet_issue(
          ${tenant.id}, ${person?.id ?? null}, ${amount}, 'hours', ${crypto.randomUUID()},
          to_account => ${person ? null : account}
        )`);
    if (!made) return;
    this.model.move(made.id, [[who, amount]]);
    this.#note("issue", who);
  }

  async #capture(hold: Held, amount: number) {
    const part = Math.min(amount, hold.amount);
    const key = crypto.randomUUID();
    const made = await this.#call(
      this.world.parties[hold.to]!.acts,
      (tx) =>
        tx`select * from wallet_capture(${this.world.tenant.id}, ${hold.id}, ${key}, ${part})`,
    );
    if (!made) return;
    this.model.resolve(hold);
    this.model.move(made.id, [[hold.from, -part], [hold.to, part]]);
    this.#note("capture", hold.from, hold.to);
  }

  async #void(hold: Held) {
    const wasResolved = hold.resolved;
    const made = await this.#call(
      this.world.parties[hold.to]!.acts,
      (tx) => tx`select * from wallet_void(${this.world.tenant.id}, ${hold.id})`,
    );
    // Voiding again what is void answers again.
    if (!made || wasResolved) return;
    this.model.resolve(hold);
    this.#note("void", hold.from, hold.to);
  }

  async #expire(hold: Held) {
    if (hold.resolved) return;
    await this.tx`update wallet_holds set expires_at = now() where id = ${hold.id}`;
    // Until the schedule comes the amount is held, and nobody takes it any more.
    await this.#capture(hold, hold.amount);
    assertEquals(hold.resolved, false, "captured after it ran out");
    await this.tx`select private.wallet_expire_holds()`;
    this.model.resolve(hold);
    this.#note("expire", hold.from, hold.to);
  }

  async #reverse(transfer: Model["transfers"][number]) {
    const key = crypto.randomUUID();
    const { tenant, owner } = this.world;
    const made = await this.#call(
      owner,
      (tx) => tx`select * from wallet_reverse(${tenant.id}, ${transfer.id}, 'Mistake', ${key})`,
    );
    if (!made) return;
    assertEquals(transfer.reversed, false, "reversed twice");
    transfer.reversed = true;
    for (const [index, value] of transfer.legs) this.model.balances[index]! -= value;
    this.#note("reverse", ...transfer.legs.map(([index]) => index));
  }

  async #freeze({ act, who }: Step) {
    const { tenant, owner, parties } = this.world;
    const { account } = parties[who]!;
    const made = await this.#call(
      owner,
      (tx) => tx`select * from wallet_freeze(${tenant.id}, ${account}, ${act === "freeze"})`,
    );
    if (made) this.#note("freeze", who);
  }

  async check(): Promise<void> {
    const { tx, world: { tenant, parties }, model } = this;
    const [total] = await tx`
      select sum(private.wallet_balance(tenant_id, id))::int as sum from wallet_ledger_accounts
      where tenant_id = ${tenant.id}`;
    assertEquals(total!.sum, 0);
    for (const [index, { account }] of parties.entries()) {
      const [row] = await tx`
        select private.wallet_balance(a.tenant_id, a.id)::int as balance, a.held::int, a.debt::int,
          a.lowest_balance::int as lowest,
          a.balance = private.wallet_balance(a.tenant_id, a.id) as folded,
          (select coalesce(sum(e.amount), 0)::int from wallet_entries e
            where e.tenant_id = a.tenant_id and e.account_id = a.id) as entries
        from wallet_ledger_accounts a where a.tenant_id = ${tenant.id} and a.id = ${account}`;
      const { balance, held, debt, lowest, folded, entries } = row!;
      assertEquals([balance, held, entries], [model.balances[index], model.held[index], balance]);
      // What is still to be folded has not lessened the debt yet.
      if (!folded) continue;
      const available = balance - held - lowest;
      assertEquals([available >= -debt, debt > 0], [true, available < 0], `${available} ${debt}`);
    }
    const broken = await tx`
      select fault from private.wallet_prove(${tenant.id}) where not intact`;
    assertEquals([...broken], []);
  }
}
