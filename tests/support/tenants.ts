import type { SupabaseClient } from "@supabase/supabase-js";
import { must } from "./answers.ts";
import { admin, createPerson, type Person } from "./clients.ts";

export interface Tenant {
  id: string;
  slug: string;
  name: string;
  modules: string[];
  registration_policy: string;
}

/** Makes a tenant of the test's own by the secret key: with a wallet that counts hours, unless told otherwise. */
export async function createTenant(options: Record<string, unknown> = {}): Promise<Tenant> {
  const slug = `t-${crypto.randomUUID().slice(0, 18)}`;
  return await must<Tenant>(
    admin().rpc("tenants_create", {
      slug,
      name: `Tenant ${slug}`,
      modules: ["wallet"],
      currencies: [{ code: "hours", kind: "time", lowest_balance: 0 }],
      ...options,
    }),
  );
}

/** Makes a person and an active member of the tenant. */
export async function createMember(tenant: Tenant, role = "member"): Promise<Person> {
  const person = await createPerson();
  await addMember(tenant, person, role);
  return person;
}

/** Makes a person an active member. */
export async function addMember(
  tenant: Pick<Tenant, "id">,
  person: Pick<Person, "id">,
  role = "member",
): Promise<void> {
  await must(admin().rpc("members_add", { tenant_id: tenant.id, person: person.id, role }));
}

/** Gives a member something to spend. */
export async function issue(
  tenant: Tenant,
  person: Person,
  amount: number,
  currency = "hours",
): Promise<void> {
  await must(
    admin().rpc("wallet_issue", {
      tenant_id: tenant.id,
      to_person: person.id,
      amount,
      currency,
      idempotency_key: crypto.randomUUID(),
    }),
  );
}

/** Changes a membership, as the tenant's owner does. */
export async function setStatus(
  owner: SupabaseClient,
  tenant: Tenant,
  person: Person,
  status: string,
): Promise<void> {
  const reason = ["suspended", "banned"].includes(status) ? { reason: "For the test" } : {};
  await must(
    owner.rpc("members_set_status", { tenant_id: tenant.id, person: person.id, status, ...reason }),
  );
}
