import { deepStrictEqual as assertEquals } from "node:assert/strict";
import type { Person } from "../support/clients.ts";
import { connect } from "../support/database.ts";
import { createMember, createTenant, issue, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";

const transfers = 10_000;
const clients = 200;
const people = 20;
const each = 600;

interface Payment {
  from: Person;
  request: Record<string, unknown>;
}

/** A transfer of 1 to 40 minutes between two of them, as one key and body that may be sent again. */
function payment(tenant: Tenant, members: Person[]): Payment {
  const from = Math.floor(Math.random() * people);
  const to = (from + 1 + Math.floor(Math.random() * (people - 1))) % people;
  return {
    from: members[from]!,
    request: {
      tenant_id: tenant.id,
      to_person: members[to]!.id,
      amount: 1 + Math.floor(Math.random() * 40),
      currency: "hours",
      idempotency_key: crypto.randomUUID(),
    },
  };
}

/** What a client does: asks again, with the same key, for as long as it has no answer to go by. */
async function settle(
  { from, request }: Payment,
): Promise<{ id: string; replayed: boolean } | null> {
  let aborts = Math.random() < 0.01;
  return await until(async () => {
    const call = from.client.rpc("wallet_transfer", request);
    const { data, error } = await (aborts ? call.abortSignal(AbortSignal.timeout(2)) : call);
    aborts = false;
    if (!error) return { receipt: data };
    if (error.message === "wallet.insufficient_funds") return { receipt: null };
    // A killed backend or a restarting service says nothing about the transfer; a lock never does.
    assertEquals(error.code === "40P01", false, "a deadlock reached a client");
    return undefined;
  }, { timeout: 120_000, every: 100 }).then(({ receipt }) => receipt);
}

Deno.test("a bank under fire: 10,000 transfers by 200 clients, repeated keys, aborts, killed backends, every read sums to the constant", async () => {
  const tenant = await createTenant();
  const members = await Promise.all(Array.from({ length: people }, () => createMember(tenant)));
  await Promise.all(members.map((member) => issue(tenant, member, each)));
  const sql = connect({ max: 2 });
  const constant = people * each;
  const total = async () => {
    const [row] = await sql`
      select sum(balance)::int as members from wallet_ledger_accounts
      where tenant_id = ${tenant.id} and purpose = 'member'`;
    return row!.members;
  };

  let done = 0;
  let reads = 0;
  let kills = 0;
  const watch = async () => {
    while (done < transfers) {
      assertEquals(await total(), constant);
      reads++;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const kill = async () => {
    while (done < transfers) {
      const goal = done + 500;
      await until(() => done >= Math.min(goal, transfers), { timeout: 120_000 });
      const [killed] = await sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where usename = 'authenticator' and state <> 'idle' order by random() limit 1`;
      if (killed) kills++;
    }
  };
  const answers = new Map<string, { id: string; replayed: boolean }[]>();
  const client = async () => {
    while (done < transfers) {
      done++;
      const paying = payment(tenant, members);
      const times = Math.random() < 0.1 ? 2 : 1;
      const settled = await Promise.all(Array.from({ length: times }, () => settle(paying)));
      const key = String(paying.request.idempotency_key);
      answers.set(key, settled.filter((receipt) => receipt !== null));
    }
  };
  try {
    await Promise.all([watch(), kill(), ...Array.from({ length: clients }, client)]);
    await audit(sql, tenant, answers);
    assertEquals(await total(), constant);
    assertEquals([reads > 20, kills > 3], [true, true], `${reads} reads, ${kills} kills`);
  } finally {
    await sql.end({ timeout: 5 });
  }
});

/** Afterwards: no key acted twice, every balance is the sum of its entries, every transfer sums to zero. */
async function audit(
  sql: ReturnType<typeof connect>,
  tenant: Tenant,
  answers: Map<string, { id: string }[]>,
) {
  const stored = await sql<{ key: string; transfer_id: string }[]>`
    select key, result_id as transfer_id from wallet_keys
    where tenant_id = ${tenant.id} and operation = 'wallet_transfer'`;
  const transferOf = new Map(stored.map(({ key, transfer_id }) => [key, transfer_id]));
  for (const [key, receipts] of answers) {
    for (const { id } of receipts) assertEquals(id, transferOf.get(key));
  }
  const made = await sql`
    select count(*)::int as count from wallet_transfers where tenant_id = ${tenant.id} and actor is not null`;
  assertEquals(made[0]!.count, stored.length);
  const crooked = await sql`
    select a.id from wallet_ledger_accounts a
    left join wallet_entries e on e.tenant_id = a.tenant_id and e.account_id = a.id
    where a.tenant_id = ${tenant.id}
    group by a.tenant_id, a.id
    having private.wallet_balance(a.tenant_id, a.id) <> coalesce(sum(e.amount), 0) or a.balance < a.lowest_balance`;
  assertEquals([...crooked], []);
  const unbalanced = await sql`
    select transfer_id from wallet_entries where tenant_id = ${tenant.id}
    group by transfer_id having sum(amount) <> 0 or count(*) <> 2`;
  assertEquals([...unbalanced], []);
}
