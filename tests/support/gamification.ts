import { must } from "./answers.ts";
import type { Person } from "./clients.ts";
import { withDatabase } from "./database.ts";
import type { Tenant } from "./tenants.ts";
import { until } from "./wait.ts";

/** What a source deserves, as the capabilities' own functions say it. */
export interface Claim {
  person: Pick<Person, "id">;
  action: string;
  units?: number;
  amount?: number;
}

/** Books awards as if a source of them stood for them now; without claims, takes back what it gave. */
export async function settle(
  { id }: Pick<Tenant, "id">,
  source: string,
  claims: Claim[],
  also: Pick<Person, "id">[] = [],
): Promise<void> {
  const rows = claims.map(({ person, action, units = 1, amount = 1 }) => ({
    person_id: person.id,
    action,
    units,
    amount,
  }));
  await withDatabase((sql) =>
    sql`
      select private.gamification_settle(${id}, ${source}, array(
        select c from jsonb_populate_recordset(null::private.gamification_claim, ${
      sql.json(rows)
    }) c
      ), ${also.map((person) => person.id)}::uuid[])`
  );
}

/** Waits until the worker has booked everything that happened in the tenant. */
export async function booked({ id }: Pick<Tenant, "id">): Promise<void> {
  await withDatabase((sql) =>
    until(async () => {
      const [job] = await sql`
        select from private.jobs
        where tenant_id = ${id} and kind like 'gamification.%' and run_at <= now() limit 1`;
      return !job;
    }, { timeout: 30_000, message: "awards are booked" })
  );
}

/** A day so many days from today, where a tenant in UTC lives. */
export const day = (offset = 0): string =>
  new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);

/** A row in every table of gamification, for both of them. */
export async function fillGamification(
  tenant: Tenant,
  owner: Person,
  member: Person,
): Promise<void> {
  const call = ({ client }: Person, name: string, args: Record<string, unknown> = {}) =>
    must(client.rpc(`gamification_${name}`, { tenant_id: tenant.id, ...args }));
  const dates = { starts_on: day(), ends_on: day(7) };
  const rule = { name: "Matrix", goal: 5, xp: 10 };
  await call(owner, "challenge_save", { ...rule, action: "create_listing", ...dates });
  await call(owner, "season_save", { name: "Matrix", starts_on: day(1), ends_on: day(7) });
  for (const person of [owner, member]) {
    await call(person, "check_in");
    await settle(tenant, `matrix:${person.id}`, [
      { person, action: "create_listing" },
      { person, action: "complete_transaction" },
    ]);
  }
  await withDatabase((sql) =>
    sql`
      insert into gamification_snapshots (tenant_id, day, measure, span, rank, person_id, score)
      select tenant_id, current_date, 'xp', 'all', 1, person_id, xp
      from gamification_members where tenant_id = ${tenant.id}`
  );
}
