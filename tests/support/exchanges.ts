import { must } from "./answers.ts";
import type { Person } from "./clients.ts";
import type { Tenant } from "./tenants.ts";

export interface Exchange {
  id: string;
  kind: "direct" | "group";
  listing_id: string | null;
  requester_id: string;
  provider_id: string | null;
  status: string;
  reason: string | null;
  minutes: number;
  final_minutes: number | null;
  due_at: string | null;
  escalated_at: string | null;
  decided_by: string | null;
  transfer_id: string | null;
}

/** Calls `exchanges_<name>` in a tenant. */
export const act = (
  tenant: Pick<Tenant, "id">,
  { client }: Pick<Person, "client">,
  name: string,
  args: Record<string, unknown> = {},
) => client.rpc(`exchanges_${name}`, { tenant_id: tenant.id, ...args });

/** An exchange with a row in every table, rated by both. */
export async function fillExchanges(tenant: Tenant, owner: Person, member: Person): Promise<void> {
  const { id: exchange_id } = await must<Exchange>(
    act(tenant, owner, "request", { person: member.id, minutes: 15, note: "Matrix" }),
  );
  await must(act(tenant, member, "accept", { exchange_id }));
  await must(act(tenant, member, "start", { exchange_id }));
  for (const me of [owner, member]) {
    await must(act(tenant, me, "confirm", { exchange_id, minutes: 15 }));
  }
  for (const me of [owner, member]) {
    await must(act(tenant, me, "review", { exchange_id, rating: 5 }));
  }
}
