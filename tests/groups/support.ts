import { must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";

export interface Group {
  id: string;
  parent_id: string | null;
  name: string;
  visibility: "public" | "private" | "secret";
  status: "active" | "closed";
  members: number;
  threads: number;
  version: number;
}

export interface Membership {
  group_id: string;
  person_id: string;
  role: "owner" | "moderator" | "member";
  status: "requested" | "invited" | "active" | "left" | "banned";
  note: string | null;
}

export interface Post {
  id: string;
  group_id: string;
  thread_id: string | null;
  author_id: string;
  kind: "thread" | "announcement" | "reply";
  title: string | null;
  body: string | null;
  pinned: boolean;
  locked: boolean;
  replies: number;
  deleted_at: string | null;
}

/** Calls `groups_<name>`, as supabase-js answers. */
export const act = (
  { client }: Person,
  { id: tenant_id }: Tenant,
  name: string,
  more: Record<string, unknown> = {},
) => client.rpc(`groups_${name}`, { tenant_id, ...more });

/** The same, where it has to go well. */
export const does = <T = Membership>(
  me: Person,
  tenant: Tenant,
  name: string,
  more: Record<string, unknown> = {},
) => must<T>(act(me, tenant, name, more));

export const create = (me: Person, tenant: Tenant, more: Record<string, unknown> = {}) =>
  does<Group>(me, tenant, "create", { name: "Gardeners", ...more });

export const read = async ({ client }: Person, id: string): Promise<Group | undefined> =>
  (await must<Group[]>(client.from("groups").select().eq("id", id)))[0];

/** The people of a group as somebody sees them, with where they stand. */
export const people = async ({ client }: Person, group_id: string) =>
  Object.fromEntries(
    (await must<Membership[]>(client.from("groups_members").select().eq("group_id", group_id)))
      .map(({ person_id, role, status }) => [person_id, status === "active" ? role : status]),
  );

export const posts = ({ client }: Person, group_id: string) =>
  must<Post[]>(client.from("groups_posts").select().eq("group_id", group_id).order("id"));

export interface Circle {
  tenant: Tenant;
  /** Who made the group. */
  ana: Person;
  /** Who is in it. */
  ben: Person;
  /** Who is not. */
  carl: Person;
  group: Group;
}

/** A tenant with a group of two, and a third who is outside. */
export async function createCircle(visibility: Group["visibility"]): Promise<Circle> {
  const tenant = await createTenant({ modules: ["groups", "messaging"], currencies: [] });
  const [ana, ben, carl] = await Promise.all(
    Array.from({ length: 3 }, () => createMember(tenant)),
  ) as [Person, Person, Person];
  const group = await create(ana, tenant, { visibility });
  await enter(ana, tenant, group.id, ben);
  return { tenant, ana, ben, carl, group };
}

/** Lets somebody into a group by its owner's invitation. */
export async function enter(owner: Person, tenant: Tenant, group_id: string, person: Person) {
  await does(owner, tenant, "invite", { group_id, person: person.id });
  await does(person, tenant, "join", { group_id });
}
