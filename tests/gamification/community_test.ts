import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { must } from "../support/answers.ts";
import { withDatabase } from "../support/database.ts";
import { createMarket, listings, publish } from "../support/listings.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import { create, does } from "../groups/support.ts";
import { awards, booked, profile } from "./support.ts";

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

Deno.test("joining a group is worth points while one is in it; making one, once others came", async () => {
  const tenant = await createTenant({ modules: ["groups", "gamification"], currencies: [] });
  await withDatabase((sql) => sql`delete from gamification_badges where tenant_id = ${tenant.id}`);
  const [ana, ben, carl] = await Promise.all([1, 2, 3].map(() => createMember(tenant)));
  const { id: group_id } = await create(ana!, tenant);
  await does(ben!, tenant, "join", { group_id });
  await booked(tenant);
  const points = async () =>
    (await Promise.all([ana!, ben!].map((person) => profile(person, tenant)))).map(({ xp }) => xp);
  assertEquals(await points(), [0, 10]);
  await does(carl!, tenant, "join", { group_id });
  await booked(tenant);
  assertEquals(await points(), [50, 10]);
  await does(ben!, tenant, "leave", { group_id });
  await booked(tenant);
  assertEquals(await points(), [0, 0]);
});
