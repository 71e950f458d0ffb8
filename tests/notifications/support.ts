import type postgres from "postgres";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import type { Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";

export interface Telling {
  kind?: string;
  payload?: postgres.JSONValue;
  tenant?: Pick<Tenant, "id"> | undefined;
  expiresIn?: string;
}

/** Tells a person something as a capability does, from SQL. */
export async function notify(
  sql: postgres.Sql,
  { id }: Pick<Person, "id">,
  { kind = "auth.password_changed", payload = {}, tenant, expiresIn }: Telling = {},
): Promise<string> {
  const [row] = await sql`
    select private.notify(
      ${id}, ${kind}, ${sql.json(payload)}, ${tenant?.id ?? null},
      now() + ${expiresIn ?? null}::interval
    ) as id`;
  return row!.id;
}

export interface Delivery {
  channel: string;
  status: string;
  reason: string | null;
  due_at: Date;
  provider: string | null;
  provider_id: string | null;
}

/** What became of an event, by channel. */
export async function deliveriesOf(
  sql: postgres.Sql,
  event: string,
): Promise<Record<string, Delivery>> {
  const rows = await sql<Delivery[]>`
    select channel, status, reason, due_at, provider, provider_id
    from private.notifications_deliveries where event_id = ${event}`;
  return Object.fromEntries(rows.map((row) => [row.channel, { ...row }]));
}

/** Waits until a delivery has this status, and gives it. */
export const delivered = (
  sql: postgres.Sql,
  event: string,
  status: string,
  channel = "email",
): Promise<Delivery> =>
  until(async () => {
    const { [channel]: delivery } = await deliveriesOf(sql, event);
    return delivery?.status === status ? delivery : undefined;
  }, { timeout: 10_000, message: `${channel} of ${event} is ${status}` });

export const jobOf = (event: string) => `notifications_events:${event}`;

/** The job of an event, once it is dead. */
export const deadJob = (sql: postgres.Sql, event: string) =>
  until(async () => {
    const [job] = await sql`
      select attempts, reason, last_error from private.jobs_dead where aggregate = ${jobOf(event)}`;
    return job;
  }, { timeout: 15_000 });

/** Waits until no job of an event is left. */
export const done = (sql: postgres.Sql, event: string) =>
  until(async () => {
    const [job] = await sql`select from private.jobs where aggregate = ${jobOf(event)}`;
    return !job;
  }, { timeout: 10_000 });

/** Kinds of the tests' own, declared as a migration would, whichever file comes first. */
export const declareKinds = () =>
  withDatabase((sql) =>
    sql`
      insert into private.notifications_kinds (
        kind, inbox, email, push, security, outsiders, group_key, template
      )
      values
        ('notifications.test_plain', 'instant', 'off', 'off', false, false, null, 'notifications.digest'),
        ('notifications.test_grouped', 'instant', 'off', 'off', false, false, 'thread', 'notifications.digest'),
        ('notifications.test_mail', 'instant', 'instant', 'instant', false, false, null, 'notifications.digest'),
        ('notifications.test_daily', 'instant', 'daily', null, false, false, 'thread', 'two_factor.backup_code_used'),
        ('notifications.test_bulk', null, 'instant', null, false, false, null, 'notifications.digest'),
        ('notifications.test_named', 'instant', 'daily', null, false, false, null, 'messaging.message')
      on conflict (kind) do nothing`
  );
