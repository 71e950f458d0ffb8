import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { must } from "../support/answers.ts";
import { withDatabase } from "../support/database.ts";
import { createMarket, listings, publish } from "../support/listings.ts";
import { createMember } from "../support/tenants.ts";
import { awards, booked } from "./support.ts";

Deno.test("a listing is worth points once it is published, not when it is put up to be taken down", async () => {
  const tenant = await createMarket({}, { modules: ["listings", "messaging", "gamification"] });
  await withDatabase((sql) => sql`delete from gamification_badges where tenant_id = ${tenant.id}`);
  const ana = await createMember(tenant);
  const kept = await publish(ana, tenant);
  const dropped = await publish(ana, tenant);
  await booked(tenant);
  await must(listings(ana, tenant, "cancel", { listing: dropped.id }));
  await booked(tenant);
  const found = (await awards(ana)).map(({ source, kind, xp }) => [source, kind, xp]);
  assertEquals(found, [
    [`listings:${kept.id}`, "award", 15],
    [`listings:${dropped.id}`, "award", 15],
    [`listings:${dropped.id}`, "taken_back", -15],
  ]);
});
