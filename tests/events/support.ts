import { must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { inDays } from "../support/events.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";

export interface Event {
  id: string;
  group_id: string | null;
  title: string;
  place: string | null;
  starts_local: string;
  time_zone: string;
  rule: string | null;
  capacity: number | null;
  status: "scheduled" | "cancelled";
  version: number;
}

export interface Occurrence {
  id: string;
  recurrence_id: string;
  starts_at: string;
  ends_at: string;
  place: string | null;
  moved: boolean;
  status: "scheduled" | "cancelled";
  taken: number;
  waiting: number;
  sequence: number;
}

export interface Attendance {
  person_id: string;
  status: "going" | "maybe" | "declined" | "waiting" | "offered" | "lapsed";
  offer_expires_at: string | null;
  remind_at: string | null;
  checked_in_at: string | null;
  checked_in_by: string | null;
}

/** Calls `events_<name>`, as supabase-js answers. */
export const act = (
  { client }: Person,
  { id: tenant_id }: Tenant,
  name: string,
  more: Record<string, unknown> = {},
) => client.rpc(`events_${name}`, { tenant_id, ...more });

/** The same, where it has to go well. */
export const does = <T = Event>(
  me: Person,
  tenant: Tenant,
  name: string,
  more: Record<string, unknown> = {},
) => must<T>(act(me, tenant, name, more));

export const create = (me: Person, tenant: Tenant, more: Record<string, unknown> = {}) =>
  does(me, tenant, "create", { title: "Harvest", starts_local: inDays(7), ...more });

export const occurrencesOf = ({ client }: Person, event_id: string) =>
  must<Occurrence[]>(
    client.from("events_occurrences").select().eq("event_id", event_id).order("starts_at"),
  );

export const firstOf = async (me: Person, event_id: string): Promise<Occurrence> =>
  (await occurrencesOf(me, event_id))[0]!;

export const respond = (
  me: Person,
  tenant: Tenant,
  occurrence_id: string,
  response: string | null = "going",
  more: Record<string, unknown> = {},
) => act(me, tenant, "respond", { occurrence_id, response, ...more });

export const answers = (
  me: Person,
  tenant: Tenant,
  occurrence_id: string,
  response = "going",
) => must<Attendance>(respond(me, tenant, occurrence_id, response));

export const noticesOf = async ({ client }: Person, tenant: Tenant): Promise<string[]> =>
  (await must<{ kind: string }[]>(
    client.from("notifications").select("kind").eq("tenant_id", tenant.id)
      .like("kind", "events.%").order("created_at"),
  )).map(({ kind }) => kind);

export interface Meeting {
  tenant: Tenant;
  /** Who organises. */
  ana: Person;
  ben: Person;
  carl: Person;
}

/** A tenant of three where events are made. */
export async function createMeeting(): Promise<Meeting> {
  const tenant = await createTenant({ modules: ["groups", "events"], currencies: [] });
  const [ana, ben, carl] = await Promise.all(
    Array.from({ length: 3 }, () => createMember(tenant)),
  ) as [Person, Person, Person];
  return { tenant, ana, ben, carl };
}

/** Moves an occurrence in time, as if it had been so long until now. */
export const bring = (occurrence_id: string, minutes: number) =>
  withDatabase((sql) =>
    sql`
      update events_occurrences set starts_at = now() + make_interval(mins => ${minutes}),
        ends_at = now() + make_interval(mins => ${minutes + 60})
      where id = ${occurrence_id}`
  );
