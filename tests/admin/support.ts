import assert from "node:assert/strict";
import { callApi, tokenOf } from "../support/api.ts";
import { must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";
import { clientWith } from "../sessions/support.ts";

export interface Decision {
  id: string;
  kind: string;
  status: string;
  reason: string;
  decided_by: string;
  until: string | null;
  former_role: string | null;
  ended_by: string | null;
}

export interface Appeal {
  id: string;
  decision_id: string;
  status: string;
  answer: string | null;
  decided_by: string | null;
}

export interface Member {
  status: string;
  role: string;
}

export interface World {
  tenant: Tenant;
  owner: Person;
  manager: Person;
  second: Person;
  member: Person;
}

/** A tenant of the test's own: an owner, two admins and a member. */
export async function createWorld(): Promise<World> {
  const tenant = await createTenant();
  const [owner, manager, second, member] = await Promise.all(
    ["owner", "admin", "admin", "member"].map((role) => createMember(tenant, role)),
  ) as [Person, Person, Person, Person];
  return { tenant, owner, manager, second, member };
}

export const reason = "Repeated spam";

/** An ISO time so many seconds from now. */
export const soon = (seconds: number): string =>
  new Date(Date.now() + seconds * 1000).toISOString();

/** Calls an RPC about a person of the tenant. */
export const act = (
  { tenant }: Pick<World, "tenant">,
  by: Pick<Person, "client">,
  name: string,
  person: Pick<Person, "id">,
  args: Record<string, unknown> = {},
) => by.client.rpc(name, { tenant_id: tenant.id, person: person.id, ...args });

export const suspend = (
  world: World,
  by: Person,
  person: Person,
  args: Record<string, unknown> = {},
) => act(world, by, "members_set_status", person, { status: "suspended", reason, ...args });

/** What stands about a person, oldest first, as an admin reads it. */
export const decisionsOf = async (
  { tenant, owner }: World,
  person: Pick<Person, "id">,
): Promise<Decision[]> =>
  await must<Decision[]>(
    owner.client.from("admin_decisions").select("*")
      .eq("tenant_id", tenant.id).eq("person_id", person.id).order("id"),
  );

export async function memberOf({ tenant, owner }: World, person: Person): Promise<Member> {
  const [member] = await must<Member[]>(
    owner.client.from("members").select("status, role")
      .eq("tenant_id", tenant.id).eq("person_id", person.id),
  );
  return member!;
}

/** Lets the time of a person's decisions be over, and runs the schedule that ends them. */
export const runOut = (person: Pick<Person, "id">): Promise<unknown> =>
  withDatabase(async (sql) => {
    await sql`update admin_decisions set until = now() - interval '1 second'
      where person_id = ${person.id} and until is not null and status = 'standing'`;
    await sql`select private.jobs_run_schedule('admin-expire', manual => true)`;
  });

/** The kinds of notice that a person was sent in the tenant. */
export const noticesOf = async (person: Pick<Person, "id">): Promise<string[]> =>
  await withDatabase(async (sql) =>
    (await sql<{ kind: string }[]>`
      select kind from private.notifications_events where person_id = ${person.id} order by id`)
      .map(({ kind }) => kind)
  );

/** Calls a route under `/admin` in the tenant. */
export async function callAdmin(
  { tenant }: Pick<World, "tenant">,
  by: Person | Impersonating,
  path: string,
  options: { method?: string; body?: unknown } = {},
): Promise<Response> {
  return await callApi(`/v1/admin${path}`, {
    ...options,
    token: "token" in by ? by.token : await tokenOf(by),
    headers: { "nexus-tenant": tenant.slug },
  });
}

export interface Impersonation {
  id: string;
  read_only: boolean;
  expires_at: string;
  access_token: string;
}

/** Somebody as another sees them: the client and the token of that session. */
export interface Impersonating extends Person {
  token: string;
  impersonation: Impersonation;
}

/** Begins to act as the person. */
export async function impersonate(
  world: Pick<World, "tenant">,
  by: Person,
  person: Person,
  body: Record<string, unknown> = {},
): Promise<Impersonating> {
  const response = await callAdmin(world, by, `/users/${person.id}/impersonate`, {
    body: { reason: "To see what they see", ...body },
  });
  const impersonation: Impersonation = await response.json();
  assert.equal(response.status, 201, JSON.stringify(impersonation));
  const token = impersonation.access_token;
  return { ...person, client: clientWith(token), token, impersonation };
}
