import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { must } from "../support/answers.ts";
import { withDatabase } from "../support/database.ts";
import { createMarket, listings, publish } from "../support/listings.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import { createTimeBank, exchangeIn } from "../exchanges/support.ts";
import { create, does } from "../groups/support.ts";
import { act } from "../support/exchanges.ts";
import { awards, booked, profile } from "./support.ts";

Deno.test("a listing is worth points once it is published, not when it is put up to be taken down", async () => {
  const tenant = await createMarket({}, { modules: ["listings", "messaging", "gamification"] });
  await withDatabase((sql) => sql`delete from gamification_badges where tenant_id = ${tenant.id}`);
  const ana = await createMember(tenant);
  const kept = await publish(ana, tenant);
  await booked(tenant);
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

Deno.test("an exchange counts for both once it is done, a review for both sides of it", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben, owner } = world;
  const modules = [...tenant.modules, "gamification"];
  await must(owner.client.from("tenants").update({ modules }).eq("id", tenant.id));
  await withDatabase((sql) => sql`delete from gamification_badges where tenant_id = ${tenant.id}`);
  const { id } = await exchangeIn(world, "completed");
  await booked(tenant);
  const acts = async (person: typeof ana) =>
    (await awards(person)).map(({ action, kind, xp }) => `${action} ${kind} ${xp}`).toSorted();
  assertEquals(await acts(ana), ["complete_transaction award 25", "send_credits award 0"]);
  assertEquals(await acts(ben), ["complete_transaction award 25", "receive_credits award 0"]);
  await must(act(tenant, ana, "review", { exchange_id: id, rating: 4 }));
  await booked(tenant);
  assertEquals((await acts(ana))[1], "leave_review award 10");
  assertEquals(
    (await must<{ measure: string; score: number }[]>(
      ben.client.from("gamification_scores").select("measure, score").in("measure", [
        "stars",
        "ratings",
      ]).order("measure"),
    )).map(({ score }) => score),
    [1, 4],
  );
});
