import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, issue } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import { pay } from "../support/wallet.ts";
import { listen } from "../messaging/support.ts";
import { awards, booked, call, createGame, day, profile, settle } from "./support.ts";

const notices = ({ client }: Person, kind: string) =>
  must<{ kind: string }[]>(client.from("notifications").select("kind").eq("kind", kind));

Deno.test("a badge and a level are won live, told once, and worth points", async () => {
  const tenant = await createTenant({ modules: ["wallet", "gamification"] });
  const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]);
  await using ears = await listen(ben, `private-user-${ben.id}`);
  await issue(tenant, ana, 100);
  await must(pay(tenant, ana, ben, 60));
  const [badge] = await ears.wait("gamification:badge");
  assertEquals(
    [badge!.badge, badge!.tier, badge!.tenant_id],
    ["first_credits", "bronze", tenant.id],
  );
  await booked(tenant);
  const { xp, badges } = await profile(ben, tenant);
  assertEquals([xp, badges], [30, ["first_credits"]]);
  assertEquals((await notices(ben, "gamification.badge")).length, 1);

  const exchanges = Array.from({ length: 4 }, (_, i) => i);
  for (const i of exchanges) {
    await settle(tenant, `exchanges:${i}`, [{ person: ben, action: "complete_transaction" }]);
  }
  const [level] = await ears.wait("gamification:level");
  assertEquals(level!.level, 2);
  assertEquals((await notices(ben, "gamification.level")).length, 1);
});

Deno.test("25 levels, each further than the one before", async () => {
  const { ana } = await createGame();
  const levels = await must<{ level: number; xp: number }[]>(
    ana.client.from("gamification_levels").select().order("level"),
  );
  const steps = levels.slice(1).map(({ xp }, i) => xp - levels[i]!.xp);
  assertEquals([levels.length, levels[0]!.xp], [25, 0]);
  assertEquals(steps, steps.toSorted((a, b) => a - b));
});

Deno.test("a badge of quality asks for an average and for enough to take it of", async () => {
  const { tenant, owner, ana } = await createGame();
  await must(call(owner, tenant, "badge_save", {
    slug: "trusted",
    name: "Trusted",
    tier: "gold",
    condition: { ratings: 3, rating: 450 },
    xp: 0,
  }));
  const rate = (i: number, stars: number) =>
    settle(tenant, `exchanges_reviews:${i}`, [
      { person: ana, action: "be_reviewed" },
      { person: ana, action: "receive_stars", units: 0, amount: stars },
    ]);
  const badges = async () => (await profile(ana, tenant)).badges;
  await rate(1, 5);
  await rate(2, 4);
  assertEquals(await badges(), []);
  await rate(3, 4);
  assertEquals(await badges(), [], "433 on average");
  await rate(4, 5);
  assertEquals(await badges(), ["trusted"]);
});

Deno.test("a badge goes with what it was earned by, and its points with it", async () => {
  const { tenant, owner, ana } = await createGame();
  await must(call(owner, tenant, "badge_save", {
    slug: "two_listings",
    name: "Two listings",
    tier: "bronze",
    condition: { listings: 2 },
  }));
  const listing = [{ person: ana, action: "create_listing" }];
  await settle(tenant, "listings:1", listing);
  await settle(tenant, "listings:2", listing);
  assertEquals((await profile(ana, tenant)).xp, 55);
  await settle(tenant, "listings:1", [], [ana]);
  assertEquals([(await profile(ana, tenant)).xp, (await profile(ana, tenant)).badges], [15, []]);
  await settle(tenant, "listings:1", listing);
  assertEquals((await profile(ana, tenant)).badges, ["two_listings"]);
  assertEquals((await notices(ana, "gamification.badge")).length, 1, "told once");
});

Deno.test("a new badge reaches who meets it already, within the hour, and none who left it", async () => {
  const { tenant, owner, ana, ben } = await createGame();
  await settle(tenant, "events:1", [{ person: ana, action: "attend_event" }]);
  await settle(tenant, "events:2", [{ person: ben, action: "create_post" }]);
  const badge = { slug: "guest", name: "Guest", tier: "bronze", condition: { events: 1 } };
  await must(call(owner, tenant, "badge_save", badge));
  assertEquals((await profile(ana, tenant)).badges, []);
  const check = (size: number) =>
    withDatabase(async (sql) => {
      const [row] = await sql`
        select private.gamification_check_new_badges(${tenant.id}, ${size}) as more`;
      return row!.more as boolean;
    });
  assertEquals([await check(1), await check(1), await check(1)], [true, true, false]);
  assertEquals(
    [(await profile(ana, tenant)).badges, (await profile(ben, tenant)).badges],
    [["guest"], []],
  );
  await must(call(owner, tenant, "badge_save", { ...badge, condition: { events: 9 } }));
  assertEquals(await check(100), false);
  assertEquals((await profile(ana, tenant)).badges, ["guest"], "nobody loses it");
});

Deno.test("the hourly look is the worker's, for each tenant with new badges and no other", async () => {
  const [game, other] = [await createGame(), await createGame()];
  const { tenant, owner, ana } = game;
  await settle(tenant, "events:1", [{ person: ana, action: "attend_event" }]);
  for (const [slug, events] of [["guest", 1], ["regular", 2]] as const) {
    const badge = { slug, name: slug, tier: "bronze", condition: { events } };
    await must(call(owner, tenant, "badge_save", badge));
  }
  await withDatabase(async (sql) => {
    await sql`select private.gamification_enqueue_badges()`;
    const jobs = await sql`
      select from private.jobs where tenant_id = ${other.tenant.id} and kind = 'gamification.badges'`;
    assertEquals(jobs.length, 0);
    await until(async () => {
      const unchecked = await sql`
        select from gamification_badges
        where tenant_id = ${tenant.id} and unchecked_after is not null`;
      return unchecked.length === 0;
    }, { timeout: 30_000, message: "new badges are given" });
  });
  assertEquals((await profile(ana, tenant)).badges, ["guest"]);
});

Deno.test("badges are declared by who manages the rules, in measures that exist", async () => {
  const { tenant, owner, ana } = await createGame();
  const badge = { slug: "x_1", name: "X", tier: "gold", condition: { listings: 1 } };
  await assertRefused(call(ana, tenant, "badge_save", badge), 403, "members.permission_denied");
  for (
    const bad of [
      { slug: "X" },
      { name: " " },
      { tier: "wood" },
      { condition: {} },
      { condition: [1] },
      { condition: { wealth: 1 } },
      { condition: { listings: 0 } },
      { condition: { listings: "1; drop table" } },
      { xp: -1 },
      { description: "x".repeat(501) },
      { active: null },
    ]
  ) {
    await assertRefused(
      call(owner, tenant, "badge_save", { ...badge, ...bad }),
      422,
      "request.invalid",
    );
  }
});

Deno.test("a challenge counts from its first day to its last, and pays once it is met", async () => {
  const { tenant, owner, ana, ben } = await createGame();
  const rule = { name: "Two posts", action: "create_post", goal: 2, xp: 40 };
  const dates = { starts_on: day(), ends_on: day(6) };
  const { id } = await must<{ id: string }>(
    call(owner, tenant, "challenge_save", { ...rule, ...dates }),
  );
  const post = (person: Person, i: number) =>
    settle(tenant, `feed_posts:${i}`, [{ person, action: "create_post" }]);
  await post(ana, 1);
  await post(ben, 2);
  await post(ana, 3);
  await post(ana, 4);
  assertEquals((await profile(ana, tenant)).xp, 55);
  assertEquals((await notices(ana, "gamification.challenge")).length, 1);
  await settle(tenant, "feed_posts:3", [], [ana]);
  await settle(tenant, "feed_posts:4", [], [ana]);
  assertEquals((await profile(ana, tenant)).xp, 5, "below the goal again");
  const progress = await must<{ count: number; completed_at: string | null }[]>(
    ana.client.from("gamification_progress").select().eq("challenge_id", id),
  );
  assertEquals([progress[0]!.count, progress[0]!.completed_at], [1, null]);
  await must(call(owner, tenant, "challenge_cancel", { challenge: id }));
  await post(ben, 5);
  assertEquals((await profile(ben, tenant)).xp, 10, "nobody reaches what is over");
  await assertRefused(
    call(owner, tenant, "challenge_cancel", { challenge: id }),
    404,
    "gamification.not_found",
  );
});

Deno.test("challenges end by themselves; they are made for days to come", async () => {
  const { tenant, owner, ana } = await createGame();
  const rule = { name: "Posts", action: "create_post", goal: 2, xp: 40 };
  const save = (more = {}) =>
    call(owner, tenant, "challenge_save", { ...rule, starts_on: day(), ends_on: day(6), ...more });
  const { id } = await must<{ id: string }>(save());
  await withDatabase(async (sql) => {
    await sql`
      update gamification_challenges set starts_on = current_date - 9, ends_on = current_date - 2
      where tenant_id = ${tenant.id}`;
    await sql`select private.jobs_run_schedule('gamification-challenges')`;
  });
  const [ended] = await must<{ status: string }[]>(
    ana.client.from("gamification_challenges").select().eq("id", id),
  );
  assertEquals(ended!.status, "ended");
  await assertRefused(
    call(owner, tenant, "challenge_cancel", { challenge: id }),
    409,
    "request.transition_refused",
  );
  for (
    const bad of [
      { starts_on: day(-1) },
      { ends_on: day(-1) },
      { ends_on: day(400) },
      { goal: 0 },
      { xp: 1001 },
      { action: "daily_active" },
      { name: "" },
    ]
  ) {
    await assertRefused(save(bad), 422, "request.invalid");
  }
  await assertRefused(
    call(ana, tenant, "challenge_save", { ...rule, starts_on: day(), ends_on: day(1) }),
    403,
    "members.permission_denied",
  );
  assertEquals(await awards(ana), []);
});
