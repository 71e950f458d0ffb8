import { must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";

export { booked, day, settle } from "../support/gamification.ts";

export interface Standing {
  person_id: string;
  xp: number;
  level: number;
  next_level_xp: number | null;
  streak: number;
  longest_streak: number;
  badges: string[];
  rank: number | null;
  hidden: boolean;
}

export interface Place {
  rank: number;
  person_id: string;
  score: number;
  cursor: string;
}

export interface Award {
  id: string;
  action: string;
  source: string;
  kind: string;
  xp: number;
  units: number;
  reverses: string | null;
}

export const call = (
  { client }: Pick<Person, "client">,
  { id: tenant_id }: Pick<Tenant, "id">,
  name: string,
  more: Record<string, unknown> = {},
) => client.rpc(`gamification_${name}`, { tenant_id, ...more });

export const profile = (me: Person, tenant: Tenant, person?: Person) =>
  must<Standing>(call(me, tenant, "profile", person && { person: person.id }));

export const board = (me: Person, tenant: Tenant, more = {}) =>
  must<Place[]>(call(me, tenant, "leaderboard", more));

/** What the caller was awarded, in the order of booking. */
export const awards = ({ client }: Person) =>
  must<Award[]>(client.from("gamification_awards").select().order("id"));

export interface Game {
  tenant: Tenant;
  owner: Person;
  ana: Person;
  ben: Person;
}

/** A tenant in UTC that plays, without the usual badges: their points would stand in every sum. */
export async function createGame(settings: Record<string, unknown> = {}): Promise<Game> {
  const tenant = await createTenant({
    modules: ["wallet", "messaging", "gamification"],
    settings: { gamification: settings },
  });
  await withDatabase((sql) => sql`delete from gamification_badges where tenant_id = ${tenant.id}`);
  const [owner, ana, ben] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant),
    createMember(tenant),
  ]);
  return { tenant, owner, ana, ben };
}
