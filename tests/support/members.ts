import { must } from "./answers.ts";
import { createPerson, type Person } from "./clients.ts";
import { withDatabase } from "./database.ts";
import type { Tenant } from "./tenants.ts";

/** Makes a link into the tenant, and answers with its token. */
export async function invite(
  by: Person,
  tenant: Tenant,
  options: Record<string, unknown> = {},
): Promise<{ id: string; token: string }> {
  return await must(by.client.rpc("invitations_create", { tenant_id: tenant.id, ...options }));
}

/** Comes in by a token. */
export const accept = ({ client }: Person, token: string | null) =>
  client.rpc("invitations_accept", { token });

/** A row of everything that belongs to members: used invitations, places, what each tells about themselves. */
export async function fillMembers(tenant: Tenant, owner: Person, member: Person): Promise<void> {
  const { token } = await invite(owner, tenant);
  await must(accept(await createPerson(), token));
  const call = (name: string, args: Record<string, unknown>) =>
    must<{ id: string }>(owner.client.rpc(name, { tenant_id: tenant.id, ...args }));
  await call("members_set_domains", { domains: ["matrix.test"] });
  const { id } = await call("locations_save", { name: "Matrix" });
  await call("locations_assign", { person: member.id, locations: [id] });
  for (const { client } of [owner, member]) {
    const changes = { phone: { value: "+41 44 000 00 00" } };
    await must(client.rpc("members_tell", { tenant_id: tenant.id, changes }));
  }
  // Offering asks for a second factor, which those here do not have.
  await withDatabase((sql) =>
    sql`
      insert into members_ownership_offers (tenant_id, person_id, offered_by, stays)
      values (${tenant.id}, ${member.id}, ${owner.id}, true)`
  );
}
