import { must } from "./answers.ts";
import { admin, type Person } from "./clients.ts";
import { withDatabase } from "./database.ts";
import type { Tenant } from "./tenants.ts";
import { until } from "./wait.ts";

export interface Receipt {
  id: string;
  amount: number;
  currency: string;
  from_account: string | null;
  to_account: string | null;
  created_at: string;
  balance_after: number | null;
  replayed: boolean;
}

export interface Account {
  id: string;
  currency: string;
  organisation_id: string | null;
  status: string;
  balance: number;
  held: number;
  debt: number;
  available: number;
  lowest_balance: number;
  alert: string | null;
}

export interface Hold {
  id: string;
  status: string;
  amount: number;
  captured: number | null;
  transfer_id: string | null;
  expires_at: string;
}

export interface Request {
  id: string;
  status: string;
  transfer_id: string | null;
}

type Arguments = Record<string, unknown>;

/** Calls an RPC of the wallet in a tenant. */
export const call = (
  tenant: Tenant,
  { client }: Pick<Person, "client">,
  name: string,
  args: Arguments,
) => client.rpc(name, { tenant_id: tenant.id, ...args });

const keyed = (args: Arguments) => ({
  currency: "hours",
  idempotency_key: crypto.randomUUID(),
  ...args,
});

export const pay = (
  tenant: Tenant,
  from: Person,
  to: Person,
  amount: number,
  args: Arguments = {},
) => call(tenant, from, "wallet_transfer", keyed({ to_person: to.id, amount, ...args }));

export const hold = (
  tenant: Tenant,
  from: Person,
  to: Person,
  amount: number,
  args: Arguments = {},
) => call(tenant, from, "wallet_hold", keyed({ to_person: to.id, amount, ...args }));

export const request = (
  tenant: Tenant,
  by: Person,
  of: Person,
  amount: number,
  args: Arguments = {},
) => call(tenant, by, "wallet_request", keyed({ from_person: of.id, amount, ...args }));

export const capture = (tenant: Tenant, by: Person, hold_id: string, args: Arguments = {}) =>
  call(tenant, by, "wallet_capture", { hold_id, idempotency_key: crypto.randomUUID(), ...args });

export const reverse = (tenant: Tenant, by: Person, transfer_id: string, args: Arguments = {}) =>
  call(tenant, by, "wallet_reverse", {
    transfer_id,
    reason: "Paid by mistake",
    idempotency_key: crypto.randomUUID(),
    ...args,
  });

export const settle = (tenant: Tenant, by: Person, legs: unknown, args: Arguments = {}) =>
  call(tenant, by, "wallet_settle", { legs, idempotency_key: crypto.randomUUID(), ...args });

/** A person's own account in a currency. */
export async function accountOf({ client }: Person, currency = "hours"): Promise<Account> {
  const [account] = await must<Account[]>(
    client.from("wallet_accounts").select("*").eq("currency", currency).is("organisation_id", null),
  );
  return account!;
}

/** An organisation that these people act for; its account in a currency. */
export async function organisation(
  tenant: Tenant,
  owner: Person,
  agents: Person[],
  currency = "hours",
): Promise<{ id: string; account: string }> {
  const { id } = await must<{ id: string }>(
    call(tenant, owner, "wallet_organisation_save", {
      name: `Club ${crypto.randomUUID().slice(0, 8)}`,
      agents: agents.map((agent) => agent.id),
    }),
  );
  const [account] = await must<{ id: string }[]>(
    admin().from("wallet_ledger_accounts").select("id")
      .eq("tenant_id", tenant.id).eq("organisation_id", id).eq("currency", currency),
  );
  return { id, account: account!.id };
}

/** One row in every table of the wallet that both may look at. */
export async function fillWallet(tenant: Tenant, owner: Person, member: Person): Promise<void> {
  await organisation(tenant, owner, [member]);
  const { id } = await must<Receipt>(pay(tenant, member, owner, 1));
  await must(reverse(tenant, owner, id));
  await must(hold(tenant, member, owner, 1));
  await must(request(tenant, member, owner, 1));
  await must(
    call(tenant, member, "wallet_trust", { payee: owner.id, currency: "hours", up_to: 1 }),
  );
}

/** Fails unless the tenant's ledger proves itself intact. */
export async function assertIntact(tenant: Tenant, owner: Person): Promise<void> {
  const proofs = await must<{ currency: string; intact: boolean; fault: string | null }[]>(
    call(tenant, owner, "wallet_reconcile", {}),
  );
  const broken = proofs.filter(({ intact }) => !intact);
  if (proofs.length === 0 || broken.length > 0) {
    throw new Error(`broken: ${JSON.stringify(broken)}`);
  }
}

/** How many notices of a kind people of the tenant got, once the worker has told what there is to tell. */
export async function noticesOf(tenant: Tenant, kind: string): Promise<number> {
  return await withDatabase(async (sql) => {
    await sql`select private.audit_follow()`;
    await until(async () => {
      const waiting = await sql`
        select from private.jobs
        where tenant_id = ${tenant.id} and kind like 'wallet.%' and run_at <= now() limit 1`;
      return waiting.length === 0;
    }, { timeout: 30_000 });
    const [row] = await sql`
      select count(*)::int as count from notifications
      where tenant_id = ${tenant.id} and kind = ${kind}`;
    return row!.count;
  });
}
