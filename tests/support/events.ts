import { must } from "./answers.ts";
import type { Person } from "./clients.ts";
import type { Tenant } from "./tenants.ts";

/** A local time some days ahead, without a zone. */
export const inDays = (days: number, time = "18:00:00"): string =>
  `${new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)}T${time}`;

/** An event of the tenant to which both of them come. */
export async function fillEvents({ id: tenant_id }: Tenant, owner: Person, member: Person) {
  const { id } = await must<{ id: string }>(
    owner.client.rpc("events_create", {
      tenant_id,
      title: "Harvest",
      starts_local: inDays(7),
    }),
  );
  const [occurrence] = await must<{ id: string }[]>(
    owner.client.from("events_occurrences").select("id").eq("event_id", id),
  );
  for (const { client } of [owner, member]) {
    await must(
      client.rpc("events_respond", {
        tenant_id,
        occurrence_id: occurrence!.id,
        response: "going",
      }),
    );
  }
}
