import { must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { createMember, createTenant, issue, type Tenant } from "../support/tenants.ts";

export interface Case {
  id: string;
  rule: string;
  person_id: string;
  status: string;
  findings: number;
  note: string | null;
}

export interface Finding {
  rule: string;
  facts: Record<string, unknown>;
}

export interface World {
  tenant: Tenant;
  owner: Person;
  staff: Person;
  ana: Person;
  ben: Person;
}

export async function createWorld(): Promise<World> {
  const tenant = await createTenant({ modules: ["wallet", "abuse"] });
  const [owner, staff, ana, ben] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant, "staff"),
    createMember(tenant),
    createMember(tenant),
  ]);
  await Promise.all([ana, ben].map((person) => issue(tenant, person, 10_000)));
  return { tenant, owner, staff, ana, ben };
}

export const call = (
  { client }: Person,
  { id: tenant_id }: Tenant,
  name: string,
  more: Record<string, unknown>,
) => client.rpc(`abuse_${name}`, { tenant_id, ...more });

export const cases = ({ client }: Person) =>
  must<Case[]>(client.from("abuse_cases").select().order("id"));

export const findings = ({ client }: Person) =>
  must<Finding[]>(client.from("abuse_findings").select().order("id"));
