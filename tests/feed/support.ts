import { must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";

export interface Post {
  id: string;
  tenant_id: string;
  author_id: string;
  group_id: string | null;
  body: string | null;
  mentions: string[];
  files: string[];
  tags: string[];
  version: number;
  pinned_at: string | null;
  edited_at: string | null;
  deleted_at: string | null;
}

export interface Entry extends Post {
  author_name: string;
  comments: number;
  reactions: Record<string, number>;
  mine: string[];
  poll: Poll | null;
}

export interface Comment {
  id: string;
  post_id: string;
  parent_id: string | null;
  author_id: string;
  body: string | null;
  answers: number;
  reactions: Record<string, number>;
  mine: string[];
  deleted_at: string | null;
}

export interface Poll {
  options: string[];
  closed: boolean;
  voted: boolean;
  choices: number[] | null;
  voters: number | null;
  votes: number[] | null;
}

export interface World {
  tenant: Tenant;
  staff: Person;
  ana: Person;
  ben: Person;
  /** Calls `feed_<name>` as somebody; what it refuses fails the test. */
  call: <T>(me: Person, name: string, more?: Record<string, unknown>) => Promise<T>;
  /** The same call, refused or not. */
  ask: (
    me: Person,
    name: string,
    more?: Record<string, unknown>,
  ) => ReturnType<Person["client"]["rpc"]>;
  post: (me: Person, more?: Record<string, unknown>) => Promise<Post>;
  page: (me: Person, more?: Record<string, unknown>) => Promise<Entry[]>;
}

/** A tenant with a feed and groups; nobody is told to slow down, unless `settings` say so. */
export async function createWorld(settings: Record<string, unknown> = {}): Promise<World> {
  const tenant = await createTenant({
    modules: ["feed", "groups", "messaging"],
    currencies: [],
    settings: { feed: { post_limit: 10_000, comment_limit: 10_000, ...settings } },
  });
  const [staff, ana, ben] = await Promise.all([
    createMember(tenant, "staff"),
    createMember(tenant),
    createMember(tenant),
  ]);
  const ask: World["ask"] = ({ client }, name, more = {}) =>
    client.rpc(`feed_${name}`, { tenant_id: tenant.id, ...more });
  const call: World["call"] = (me, name, more) => must(ask(me, name, more));
  return {
    tenant,
    staff,
    ana,
    ben,
    ask,
    call,
    post: (me, more) => call(me, "post", { body: "Hello", ...more }),
    page: (me, more) => call(me, "page", more),
  };
}

/** A group of the first, with the others in it. */
export async function createGroup(
  { tenant }: World,
  visibility: string,
  owner: Person,
  ...members: Person[]
): Promise<string> {
  const tenant_id = tenant.id;
  const { id: group_id } = await must<{ id: string }>(
    owner.client.rpc("groups_create", { tenant_id, name: `A ${visibility} circle`, visibility }),
  );
  for (const { id: person, client } of members) {
    await must(owner.client.rpc("groups_invite", { tenant_id, group_id, person }));
    await must(client.rpc("groups_join", { tenant_id, group_id }));
  }
  return group_id;
}

export const block = ({ client }: Person, { tenant }: World, { id }: Person, blocked = true) =>
  must(client.rpc("messaging_block", { tenant_id: tenant.id, person: id, blocked }));

export const bodies = (entries: { body: string | null }[]) => entries.map(({ body }) => body);
