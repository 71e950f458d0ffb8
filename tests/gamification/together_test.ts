import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";
import { type Hours, log, openCall, volunteering } from "../support/volunteering.ts";
import { answers, create, firstOf } from "../events/support.ts";
import { booked, profile } from "./support.ts";

async function createPlace(module: string): Promise<[Tenant, Person, Person, Person]> {
  const tenant = await createTenant({ modules: [module, "gamification"], currencies: [] });
  await withDatabase((sql) => sql`delete from gamification_badges where tenant_id = ${tenant.id}`);
  const people = await Promise.all(
    ["staff", "member", "member"].map((role) => createMember(tenant, role)),
  );
  return [tenant, people[0]!, people[1]!, people[2]!];
}

const points = (tenant: Tenant, people: Person[]) =>
  Promise.all(people.map(async (person) => (await profile(person, tenant)).xp));

Deno.test("time given is worth its whole hours once somebody approved it, and nothing once revoked", async () => {
  const [tenant, staff, ana] = await createPlace("volunteering");
  const call = await openCall(staff, tenant);
  await must(volunteering(ana, tenant, "sign_up", { opportunity: call.id }));
  const { id: hours } = await must<Hours>(log(ana, tenant, call, 150));
  await booked(tenant);
  assertEquals(await points(tenant, [ana]), [0]);
  await must(volunteering(staff, tenant, "decide", { hours, approve: true }));
  await booked(tenant);
  assertEquals(await points(tenant, [ana]), [40]);
  const [given] = await must<{ score: number }[]>(
    ana.client.from("gamification_scores").select("score")
      .eq("measure", "volunteering").eq("span", "all"),
  );
  assertEquals(given!.score, 150);
  await must(volunteering(staff, tenant, "revoke", { hours, reason: "It was another day" }));
  await booked(tenant);
  assertEquals(await points(tenant, [ana]), [0]);
});

Deno.test("who comes to an event is awarded for it, who made it once two others came", async () => {
  const [tenant, staff, ana, ben] = await createPlace("events");
  const { id } = await create(staff, tenant);
  const { id: occurrence_id } = await firstOf(staff, id);
  const come = async (person: Person) => {
    await answers(person, tenant, occurrence_id);
    // The doors open shortly before an event begins: here they are checked in as the door does it.
    await withDatabase((sql) =>
      sql`update events_attendances set checked_in_at = now()
        where occurrence_id = ${occurrence_id} and person_id = ${person.id}`
    );
    await booked(tenant);
  };
  await come(staff);
  await come(ana);
  assertEquals(await points(tenant, [staff, ana]), [0, 15]);
  await come(ben);
  assertEquals(await points(tenant, [staff, ana, ben]), [30, 15, 15]);
});
