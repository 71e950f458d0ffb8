import { must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";

export interface Guardianship {
  id: string;
  status: string;
  rights: string[];
}

export interface Watch {
  conversation_id: string;
  kind: string;
  ward_id: string | null;
  to_seq: number | null;
}

export const call = (
  { client }: Pick<Person, "client">,
  { id: tenant_id }: Pick<Tenant, "id">,
  name: string,
  more: Record<string, unknown> = {},
) => client.rpc(`safeguarding_${name}`, { tenant_id, ...more });

export interface Care {
  tenant: Tenant;
  owner: Person;
  staff: Person;
  /** Who is supported, by whom, and who talks to them. */
  ward: Person;
  supporter: Person;
  friend: Person;
}

export async function createCare(): Promise<Care> {
  const tenant = await createTenant({
    modules: ["wallet", "messaging", "listings", "exchanges", "safeguarding"],
    settings: { messaging: { send_limit: 10_000 } },
  });
  const [owner, staff, ward, supporter, friend] = await Promise.all(
    ["owner", "staff", "member", "member", "member"].map((role) => createMember(tenant, role)),
  ) as [Person, Person, Person, Person, Person];
  return { tenant, owner, staff, ward, supporter, friend };
}

export const later = (days: number): string =>
  new Date(Date.now() + days * 86_400_000).toISOString();

export const propose = (
  { tenant, ward, supporter }: Care,
  by: Person,
  rights: unknown = ["copies_of_messages"],
  more: Record<string, unknown> = {},
) =>
  call(by, tenant, "propose", {
    ward: ward.id,
    supporter: supporter.id,
    purpose: "care",
    rights,
    expires_at: later(30),
    ...more,
  });

/** A guardianship that both agreed to. */
export async function guardianship(care: Care, rights: string[]): Promise<Guardianship> {
  const { tenant, ward, supporter } = care;
  const { id } = await must<Guardianship>(propose(care, ward, rights));
  return await must(call(supporter, tenant, "answer", { guardianship: id, agree: true }));
}

export const watches = ({ client }: Person) =>
  must<Watch[]>(client.from("safeguarding_watches").select().order("id"));

export const audited = ({ client }: Person, { id: tenant_id }: Tenant, action: string) =>
  must<unknown[]>(client.rpc("audit_search", { tenant_id, action }));
