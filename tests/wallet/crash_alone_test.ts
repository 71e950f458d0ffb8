import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { readState } from "../../local/home.ts";
import { type Site, withSite } from "../local/start/fixture.ts";
import { descendants } from "../local/start/processes.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, issue, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import { assertIntact, pay, type Receipt } from "../support/wallet.ts";

const people = 6;
const each = 600;

/** Points the tests' clients at another stack for the time of `work`. */
async function against(site: Site, work: () => Promise<void>): Promise<void> {
  const state = await readState(site.home);
  const values = {
    SUPABASE_URL: state!.url,
    SUPABASE_PUBLISHABLE_KEY: state!.publishableKey,
    SUPABASE_SECRET_KEY: state!.secretKey,
    SUPABASE_DB_URL: state!.databaseUrl,
  };
  const before = Object.keys(values).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(values)) Deno.env.set(name, value);
  try {
    await work();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

/** Pays in a ring until the stack no longer answers; adds to `receipts` what was acknowledged. */
async function payAround(tenant: Tenant, members: Person[], receipts: string[]): Promise<void> {
  await Promise.all(members.map(async (member, index) => {
    for (;;) {
      const { data, error } = await pay(tenant, member, members[(index + 1) % people]!, 1);
      if (error) return;
      receipts.push((data as Receipt).id);
    }
  }));
}

Deno.test("kill -9 of the whole stack under load loses nothing that was acknowledged", async () => {
  await withSite(async (site) => {
    const running = await site.startReady();
    await against(site, async () => {
      const tenant = await createTenant();
      const owner = await createMember(tenant, "owner");
      const members = await Promise.all(
        Array.from({ length: people }, () => createMember(tenant)),
      );
      await Promise.all(members.map((member) => issue(tenant, member, each)));

      const receipts: string[] = [];
      const load = payAround(tenant, members, receipts);
      await until(() => receipts.length > 200, { timeout: 60_000 });
      for (const pid of [running.pid, ...await descendants(running.pid)]) killHard(pid);
      await load;

      await site.startReady();
      await assertIntact(tenant, owner);
      await withDatabase(async (sql) => {
        const [stored] = await sql`
          select count(*)::int as count from wallet_transfers
          where tenant_id = ${tenant.id} and id in ${sql(receipts)}`;
        assertEquals(stored!.count, receipts.length);
        const [total] = await sql`
          select sum(balance)::int as sum from wallet_ledger_accounts
          where tenant_id = ${tenant.id} and purpose = 'member'`;
        assertEquals(total!.sum, people * each);
      });
    });
  });
});

function killHard(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    // Its parent was first, and took it along.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
