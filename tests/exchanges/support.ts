import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { must } from "../support/answers.ts";
import { createPerson, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { act, type Exchange } from "../support/exchanges.ts";
import { addMember, createTenant, issue, type Tenant } from "../support/tenants.ts";

export interface Part {
  person_id: string;
  side: "gives" | "receives";
  minutes: number;
  agreed_at: string | null;
  confirmed_minutes: number | null;
  final_minutes: number | null;
  hold_id: string | null;
}

export interface World {
  tenant: Tenant;
  /** Receives, and has ten hours to pay with. */
  ana: Person;
  /** Gives. */
  ben: Person;
  broker: Person;
  owner: Person;
}

type People = Omit<World, "tenant">;

let known: Promise<People> | undefined;
let before: Tenant | undefined;

async function createPeople(): Promise<People> {
  const [ana, ben, broker, owner] = await Promise.all(Array.from({ length: 4 }, createPerson));
  return { ana: ana!, ben: ben!, broker: broker!, owner: owner! };
}

/**
 * A time bank with two members who know each other, a broker and an owner. It is the same four in
 * every test of a file: they leave the time bank of the test before, and see nothing of it any more.
 */
export async function createTimeBank(settings: Record<string, unknown> = {}): Promise<World> {
  const people = await (known ??= createPeople());
  if (before) {
    const { id } = before;
    await withDatabase((sql) =>
      sql`
      update members set status = 'left' where tenant_id = ${id} and status in ('active', 'suspended')`
    );
  }
  const tenant = before = await createTenant({
    modules: ["wallet", "listings", "exchanges", "messaging"],
    settings,
  });
  const { ana, ben, broker, owner } = people;
  await Promise.all([
    addMember(tenant, ana),
    addMember(tenant, ben),
    addMember(tenant, broker, "staff"),
    addMember(tenant, owner, "owner"),
  ]);
  await issue(tenant, ana, 600);
  return { tenant, ...people };
}

/** Ana asks Ben. */
export const propose = (
  { tenant, ana, ben }: World,
  args: Record<string, unknown> = {},
): Promise<Exchange> =>
  must<Exchange>(act(tenant, ana, "request", { person: ben.id, minutes: 60, ...args }));

/** What leads to each state that an exchange passes on its way: by whom, by which act. */
const way: Record<string, [who: "ana" | "ben", act: string, args?: Record<string, unknown>][]> = {
  pending_provider: [],
  accepted: [["ben", "accept"]],
  in_progress: [["ben", "accept"], ["ben", "start"]],
  pending_confirmation: [["ben", "accept"], ["ben", "start"], ["ben", "confirm", { minutes: 60 }]],
  completed: [
    ["ben", "accept"],
    ["ben", "start"],
    ["ben", "confirm", { minutes: 60 }],
    ["ana", "confirm", { minutes: 60 }],
  ],
  disputed: [
    ["ben", "accept"],
    ["ben", "start"],
    ["ben", "confirm", { minutes: 60 }],
    ["ana", "confirm", { minutes: 15 }],
  ],
};

/** An exchange of an hour between Ana and Ben that has come to this state. */
export async function exchangeIn(
  world: World,
  status: string,
  args: Record<string, unknown> = {},
): Promise<Exchange> {
  let exchange = await propose(world, args);
  for (const [who, name, more] of way[status]!) {
    exchange = await must<Exchange>(
      act(world.tenant, world[who], name, { exchange_id: exchange.id, ...more }),
    );
  }
  assertEquals(exchange.status, status);
  return exchange;
}

export const read = async ({ client }: Person, id: string): Promise<Exchange> =>
  (await must<Exchange[]>(client.from("exchanges").select().eq("id", id)))[0]!;

export const parts = ({ client }: Person, exchange_id: string): Promise<Part[]> =>
  must(client.from("exchanges_parts").select().eq("exchange_id", exchange_id).order("side"));

export const balance = async ({ client }: Person): Promise<number> =>
  (await must<{ balance: number }[]>(client.from("wallet_accounts").select("balance")))[0]!.balance;

/** The kinds of notices about exchanges that somebody has in their inbox, sorted. */
export const notices = async ({ client }: Person): Promise<string[]> =>
  (await must<{ kind: string }[]>(
    client.from("notifications").select("kind").like("kind", "exchanges.%"),
  )).map(({ kind }) => kind.replace("exchanges.", "")).toSorted();

/** Lets the time of an exchange run out, and has the clock come round. */
export async function runOut(id: string): Promise<void> {
  await withDatabase(async (sql) => {
    await sql`update exchanges set due_at = now() - interval '1 second' where id = ${id}`;
    await sql`select private.exchanges_end_due()`;
  });
}
