import { must } from "./answers.ts";
import type { Person } from "./clients.ts";
import { createMember, type Tenant } from "./tenants.ts";

export interface Opportunity {
  id: string;
  status: string;
  accepted: number;
  paid_minutes: number;
}

export interface Hours {
  id: string;
  person_id: string;
  minutes: number;
  status: string;
  reason: string | null;
  transfer_id: string | null;
}

type Arguments = Record<string, unknown>;

/** An RPC of the capability, as the person calls it. */
export const volunteering = (
  { client }: Pick<Person, "client">,
  { id: tenant_id }: Pick<Tenant, "id">,
  act: string,
  args: Arguments = {},
) => client.rpc(`volunteering_${act}`, { tenant_id, ...args });

/** A call that is open. */
export async function openCall(
  me: Person,
  tenant: Tenant,
  changes: Arguments = {},
): Promise<Opportunity> {
  const { id } = await must<Opportunity>(
    volunteering(me, tenant, "save", { changes: { title: "Clean the river", ...changes } }),
  );
  return await must(
    volunteering(me, tenant, "set_status", { opportunity: id, status: "open" }),
  );
}

/** A day of the last weeks. */
export const daysAgo = (days: number): string =>
  new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

/** Time that somebody gave, not approved yet. */
export const log = (
  me: Person,
  tenant: Tenant,
  { id: opportunity }: Pick<Opportunity, "id">,
  minutes = 60,
  more: Arguments = {},
) => volunteering(me, tenant, "log", { opportunity, day: daysAgo(2), minutes, ...more });

/** Approved hours of both, of a call that somebody else runs. */
export async function fillVolunteering(
  tenant: Tenant,
  owner: Person,
  member: Person,
): Promise<void> {
  const staff = await createMember(tenant, "staff");
  const call = await openCall(staff, tenant);
  for (const me of [owner, member]) {
    await must(volunteering(me, tenant, "sign_up", { opportunity: call.id }));
    const { id: hours } = await must<Hours>(log(me, tenant, call));
    await must(volunteering(staff, tenant, "decide", { hours, approve: true }));
  }
}
