import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, setStatus, type Tenant } from "../support/tenants.ts";
import { board, call, createGame, day, type Place, profile, settle } from "./support.ts";

const scores = ["all", "month", "week"];

/** Members without logins, as rows, with so many points each. */
async function crowd({ id }: Tenant, points: number[]): Promise<string[]> {
  return await withDatabase(async (sql) => {
    const people = await sql<{ id: string }[]>`
      insert into people (id, display_name)
      select gen_random_uuid(), 'Crowd ' || n from generate_series(1, ${points.length}) n
      returning id`;
    const ids = people.map((person) => person.id);
    await sql`
      insert into members (tenant_id, person_id, status, display_name)
      select ${id}, p, 'active', 'Crowd' from unnest(${ids}::uuid[]) p`;
    await sql`
      select private.gamification_lock(${id}, ${ids}), private.gamification_add(${id}, array(
        select row(p, 'xp', current_date, x)::private.gamification_delta
        from unnest(${ids}::uuid[], ${points}::bigint[]) c (p, x)
      ))`;
    return ids;
  });
}

const expected = (points: number[], mine: number) => points.filter((p) => p > mine).length + 1;

Deno.test("ranks are those of counting everybody above, for any scores, on every page", async () => {
  const { tenant, ana } = await createGame();
  const points = Array.from(
    { length: 300 },
    (_, i) => i % 3 === 0 ? 1 + i % 7 : Math.floor(Math.exp(Math.random() * 9)) + 1,
  );
  await crowd(tenant, points);
  const seen: Place[] = [];
  for (let cursor: string | null = null;;) {
    const page: Place[] = await board(ana, tenant, { cursor, page_size: 37 });
    seen.push(...page);
    if (page.length < 37) break;
    cursor = page.at(-1)!.cursor;
  }
  assertEquals(seen.map(({ score }) => score), points.toSorted((a, b) => b - a));
  assertEquals(seen.map(({ rank }) => rank), seen.map(({ score }) => expected(points, score)));
  assertEquals(new Set(seen.map(({ person_id }) => person_id)).size, 300, "nobody twice");
});

Deno.test("who stands near: so many each way, the same ranks, and oneself amid them", async () => {
  const { tenant, ana, ben } = await createGame();
  const points = Array.from({ length: 60 }, (_, i) => 1 + Math.floor(i / 3));
  await crowd(tenant, points);
  await settle(tenant, "x:1", [{ person: ana, action: "join_group" }]);
  const near = await must<Place[]>(call(ana, tenant, "near", { around: 4 }));
  const all = await board(ana, tenant, { page_size: 100 });
  const me = all.findIndex(({ person_id }) => person_id === ana.id);
  assertEquals(near, all.slice(me - 4, me + 5));
  assertEquals((await profile(ana, tenant)).rank, all[me]!.rank);
  assertEquals(await must(call(ben, tenant, "near")), [], "who has nothing stands nowhere");
  await assertRefused(call(ana, tenant, "near", { around: 21 }), 422, "request.invalid");
});

Deno.test("nine measures in each span, and what is taken back leaves them", async () => {
  const { tenant, ana } = await createGame();
  const acts = ["complete_transaction", "create_listing", "leave_review", "attend_event"];
  await settle(tenant, "x:1", [
    ...acts.map((action) => ({ person: ana, action })),
    { person: ana, action: "volunteer_hour", units: 1, amount: 60 },
    { person: ana, action: "send_credits", amount: 30 },
    { person: ana, action: "receive_credits", amount: 20 },
    { person: ana, action: "earn_badge" },
  ]);
  const wanted = {
    xp: 25 + 15 + 10 + 15 + 20 + 10 + 5 + 25,
    badges: 1,
    exchanges: 1,
    credits_earned: 20,
    credits_spent: 30,
    volunteering: 60,
    listings: 1,
    reviews: 1,
    events: 1,
  };
  for (const span of scores) {
    const found = await Promise.all(
      Object.keys(wanted).map(async (
        measure,
      ) => [measure, (await board(ana, tenant, { measure, span }))[0]?.score]),
    );
    assertEquals(Object.fromEntries(found), wanted, span);
  }
  await settle(tenant, "x:1", [], [ana]);
  for (const measure of Object.keys(wanted)) {
    assertEquals(await board(ana, tenant, { measure }), [], measure);
  }
});

Deno.test("who opts out is nowhere, and nobody's rank counts them; who leaves neither", async () => {
  const { tenant, owner, ana, ben } = await createGame();
  const carl = await createMember(tenant);
  const listing = (person: Person, i: number) => ({ person, action: "create_listing", units: i });
  await settle(tenant, "x:1", [listing(ana, 3), listing(ben, 2), listing(carl, 1)]);
  const ranks = async () =>
    (await board(carl, tenant)).map(({ person_id, rank }) => [person_id, rank]);
  await must(call(ana, tenant, "hide", { hidden: true }));
  assertEquals(await ranks(), [[ben.id, 1], [carl.id, 2]]);
  await assertRefused(
    call(carl, tenant, "profile", { person: ana.id }),
    404,
    "gamification.not_found",
  );
  const mine = await profile(ana, tenant);
  assertEquals([mine.xp, mine.rank, mine.hidden], [45, null, true]);
  await settle(tenant, "x:2", [listing(ana, 1)]);
  assertEquals((await ranks()).length, 2, "hidden while collecting");
  await setStatus(owner.client, tenant, ben, "suspended");
  assertEquals(await ranks(), [[carl.id, 1]]);
  await setStatus(owner.client, tenant, ben, "active");
  await must(call(ana, tenant, "hide", { hidden: false }));
  assertEquals(await ranks(), [[ana.id, 1], [ben.id, 2], [carl.id, 3]]);
  await assertRefused(call(ana, tenant, "hide", { hidden: null }), 422, "request.invalid");
});

Deno.test("a tenant may show its members only who is near", async () => {
  const { tenant, owner, ana, ben } = await createGame({ near_only: true });
  await settle(tenant, "x:1", [{ person: ana, action: "create_listing" }]);
  await assertRefused(call(ana, tenant, "leaderboard"), 403, "gamification.near_only");
  await assertRefused(
    call(ana, tenant, "snapshot", { day: day(-1) }),
    403,
    "gamification.near_only",
  );
  assertEquals((await board(owner, tenant)).length, 1, "who manages the rules sees all");
  assertEquals((await must<Place[]>(call(ana, tenant, "near"))).length, 1);
  assertEquals((await profile(ben, tenant, ana)).rank, null);
});

Deno.test("boards refuse what they do not know", async () => {
  const { tenant, ana } = await createGame();
  for (
    const bad of [
      { measure: "stars" },
      { measure: "wealth" },
      { span: "day" },
      { page_size: 0 },
      { page_size: 101 },
      { cursor: "x" },
    ]
  ) {
    await assertRefused(call(ana, tenant, "leaderboard", bad), 422, "request.invalid");
  }
  await assertRefused(
    call(ana, tenant, "leaderboard", { span: "season" }),
    404,
    "gamification.no_season",
  );
});

Deno.test("a season counts its own days, ends with its last, and awards its first three", async () => {
  const { tenant, owner, ana, ben } = await createGame();
  const season = { name: "Autumn", starts_on: day(1), ends_on: day(30) };
  const save = (more = {}) => call(owner, tenant, "season_save", { ...season, ...more });
  await must(save());
  await assertRefused(save({ starts_on: day(20) }), 409, "gamification.season_overlaps");
  await assertRefused(save({ starts_on: day() }), 422, "request.invalid");
  await assertRefused(
    call(ana, tenant, "season_save", season),
    403,
    "members.permission_denied",
  );
  await withDatabase((sql) =>
    sql`update gamification_seasons set starts_on = ${day()} where tenant_id = ${tenant.id}`
  );
  await settle(tenant, "x:1", [{ person: ana, action: "create_listing" }]);
  await settle(tenant, "x:2", [{ person: ben, action: "create_post" }]);
  assertEquals(
    (await board(ana, tenant, { span: "season" })).map(({ score }) => score),
    [15, 5],
  );
  // As if all of it had been a day earlier.
  await withDatabase(async (sql) => {
    await sql`
      update gamification_seasons set starts_on = ${day(-2)}, ends_on = ${day(-1)}
      where tenant_id = ${tenant.id}`;
    for (const table of ["public.gamification_scores", "private.gamification_buckets"]) {
      await sql`
        update ${sql(table)} set starts_on = ${day(-2)}
        where tenant_id = ${tenant.id} and span = 'season'`;
    }
  });
  await must(
    admin().rpc("gamification_run", { tenant_id: tenant.id, kind: "gamification.leaderboards" }),
  );
  const kept = await must<Place[]>(
    call(ana, tenant, "snapshot", { day: day(-1), span: "season" }),
  );
  assertEquals(kept.map(({ rank, person_id }) => [rank, person_id]), [[1, ana.id], [2, ben.id]]);
  assertEquals((await profile(ana, tenant)).xp, 115);
  const [{ status }] = await must<[{ status: string }]>(
    ana.client.from("gamification_seasons").select(),
  );
  assertEquals(status, "ended");
});

Deno.test("an erased person leaves no place behind, and what they were awarded has no name", async () => {
  const { tenant, ana, ben } = await createGame();
  await settle(tenant, "x:1", [{ person: ana, action: "create_listing" }]);
  await must(
    admin().rpc("gamification_run", {
      tenant_id: tenant.id,
      kind: "gamification.leaderboards",
    }),
  );
  await admin().auth.admin.deleteUser(ana.id);
  assertEquals(await board(ben, tenant), []);
  await withDatabase(async (sql) => {
    for (const table of ["gamification_scores", "gamification_snapshots", "gamification_days"]) {
      const rows = await sql`select from ${sql(table)} where person_id = ${ana.id}`;
      assertEquals(rows.length, 0, table);
    }
    const [bucket] = await sql`
      select sum(people)::int as people from private.gamification_buckets where tenant_id = ${tenant.id}`;
    assertEquals(bucket!.people, 0);
  });
});

Deno.test("a rank costs the same among many: buckets above, and the bucket itself", async () => {
  const { tenant } = await createGame();
  await crowd(tenant, Array.from({ length: 1000 }, (_, i) => 1 + i * 10));
  await withDatabase(async (sql) => {
    await sql`analyze gamification_scores`;
    await sql.begin(async (tx) => {
      const touched = async () => {
        const [row] = await tx`
          explain (analyze, buffers, format json)
          select private.gamification_above(${tenant.id}, 'xp', 'all', '1970-01-01', 700)`;
        const plan = row!["QUERY PLAN"][0].Plan;
        return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"];
      };
      // The first call of a session reads the catalogue, too.
      await touched();
      const blocks = await touched();
      ok(blocks < 200, `${blocks} blocks, for a rank among 1,000`);
    });
  });
});
