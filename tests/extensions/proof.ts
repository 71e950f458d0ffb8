import postgres from "postgres";
import { StackError } from "../../local/part.ts";
import { type Content, contents, type Verified } from "./backup.ts";

/** Proves the restored database at `url`; throws a list of everything that is wrong with it. */
export async function prove(url: string, expected: Map<string, Content>): Promise<Verified> {
  const sql = postgres(url, { max: 1, onnotice() {} });
  try {
    return await sql.begin(async (sql) => {
      const found = await contents(sql);
      const problems = [
        ...differences(expected, found),
        ...await ledgerFaults(sql),
        ...await brokenTrails(sql),
      ];
      if (problems.length > 0) {
        throw new StackError(`The restored backup is not whole:\n  ${problems.join("\n  ")}`);
      }
      const [counts] = await sql<{ currencies: number; trails: number }[]>`
        select (select count(*) from public.wallet_currencies)::int as currencies,
          (select count(*) from public.tenants)::int as trails`;
      const rows = [...found.values()].reduce((sum, content) => sum + content.rows, 0);
      return { tables: found.size, rows, ...counts! };
    });
  } finally {
    await sql.end({ timeout: 5 });
  }
}

export function differences(expected: Map<string, Content>, found: Map<string, Content>): string[] {
  const names = new Set([...expected.keys(), ...found.keys()]);
  return [...names].flatMap((name) => {
    const [before, after] = [expected.get(name), found.get(name)];
    if (!before || !after) return [`${name} is ${before ? "missing" : "new"}`];
    if (before.rows !== after.rows) return [`${name} has ${after.rows} of ${before.rows} rows`];
    return before.digest === after.digest ? [] : [`${name} has other content`];
  });
}

/** Every currency adds up to zero; every balance is what its entries say. */
export async function ledgerFaults(sql: postgres.TransactionSql): Promise<string[]> {
  const rows = await sql<{ fault: string }[]>`
    select format('%s of tenant %s adds up to %s', a.currency, a.tenant_id, sum(e.amount)) as fault
    from public.wallet_entries e
    join public.wallet_ledger_accounts a on a.tenant_id = e.tenant_id and a.id = e.account_id
    group by a.tenant_id, a.currency having sum(e.amount) <> 0
    union all
    select format('account %s has %s and its entries say %s', a.id, balance.present, balance.due)
    from public.wallet_ledger_accounts a
    cross join lateral (
      select private.wallet_balance(a.tenant_id, a.id) as present, coalesce((
        select sum(e.amount) from public.wallet_entries e
        where e.tenant_id = a.tenant_id and e.account_id = a.id
      ), 0) as due
    ) balance
    where balance.present <> balance.due`;
  return rows.map(({ fault }) => fault);
}

export async function brokenTrails(sql: postgres.TransactionSql): Promise<string[]> {
  const rows = await sql<{ fault: string }[]>`
    select format('the audit trail of tenant %s is broken: %s', t.id, to_jsonb(v)) as fault
    from public.tenants t cross join lateral private.audit_verify(t.id) v
    where not v.intact`;
  return rows.map(({ fault }) => fault);
}
