import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import { must } from "../support/answers.ts";
import { admin, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import type { Tenant } from "../support/tenants.ts";
import { awards, booked, call, createGame, profile, settle } from "./support.ts";

interface Member {
  streak: number;
  active_on: string;
}

const checkIn = (me: Person, tenant: Tenant) => must<Member>(call(me, tenant, "check_in"));

/** Moves everything the tenant noted about days into the past. */
const sleep = (tenant: Tenant, days: number) =>
  withDatabase(async (sql) => {
    await sql`update gamification_days set day = day - ${days}::int where tenant_id = ${tenant.id}`;
    await sql`
      update gamification_members set active_on = active_on - ${days}::int where tenant_id = ${tenant.id}`;
  });

const midnight = ({ id }: Tenant) =>
  must(admin().rpc("gamification_run", { tenant_id: id, kind: "gamification.daily_xp" }));

Deno.test("days in a row make a streak; a day left out ends it, and is seen at once", async () => {
  const { tenant, ana } = await createGame();
  assertEquals((await checkIn(ana, tenant)).streak, 1);
  assertEquals((await checkIn(ana, tenant)).streak, 1, "once a day");
  await sleep(tenant, 1);
  assertEquals((await checkIn(ana, tenant)).streak, 2);
  await sleep(tenant, 1);
  assertEquals((await profile(ana, tenant)).streak, 2, "today is not over");
  await sleep(tenant, 1);
  const { streak, longest_streak } = await profile(ana, tenant);
  assertEquals([streak, longest_streak], [0, 2]);
  assertEquals((await checkIn(ana, tenant)).streak, 1);
});

Deno.test("an act that is awarded is a day; one done by others is not", async () => {
  const { tenant, ana, ben } = await createGame();
  await settle(tenant, "x:1", [
    { person: ana, action: "send_credits" },
    { person: ben, action: "receive_credits" },
  ]);
  assertEquals([(await profile(ana, tenant)).streak, (await profile(ben, tenant)).streak], [1, 0]);
});

Deno.test("a day is the person's own, and who travels has none twice", async () => {
  const { tenant, ana } = await createGame();
  const travel = (time_zone: string) =>
    must(ana.client.rpc("people_update_me", { changes: { time_zone } }));
  const here = (zone: string) =>
    new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(new Date());
  // The two are 26 hours apart: never the same day.
  await travel("Pacific/Kiritimati");
  assertEquals((await checkIn(ana, tenant)).active_on, here("Pacific/Kiritimati"));
  await travel("Etc/GMT+12");
  const { active_on, streak } = await checkIn(ana, tenant);
  assertEquals([active_on, streak], [here("Pacific/Kiritimati"), 1]);
});

Deno.test("at midnight each day that is over is awarded once, every seventh in a row twice", async () => {
  const { tenant, ana } = await createGame();
  await checkIn(ana, tenant);
  assertEquals(await midnight(tenant), false, "today is not over");
  for (let i = 1; i < 7; i++) {
    await sleep(tenant, 1);
    await checkIn(ana, tenant);
  }
  await sleep(tenant, 1);
  while (await midnight(tenant));
  const got = (await awards(ana)).map(({ action }) => action);
  assertEquals(got.filter((action) => action === "daily_active").length, 7);
  assertEquals(got.filter((action) => action === "streak_week").length, 1);
  assertEquals((await profile(ana, tenant)).xp, 7 * 5 + 20);
});

Deno.test("the clock hands every tenant that plays to the worker at its own midnight", async () => {
  const { tenant, ana } = await createGame();
  await checkIn(ana, tenant);
  await sleep(tenant, 1);
  await withDatabase(async (sql) => {
    const [schedule] = await sql`
      select command from private.jobs_schedules where name = 'gamification-daily-xp'`;
    ok(schedule!.command.includes("0 0 * * *"), schedule!.command);
    await sql`
      select private.enqueue('gamification.daily_xp', '{}', ${tenant.id}),
        private.enqueue('gamification.leaderboards', '{}', ${tenant.id})`;
  });
  await booked(tenant);
  assertEquals((await profile(ana, tenant)).xp, 5);
});

Deno.test("two runs at once award a day once", async () => {
  const { tenant, ana, ben } = await createGame();
  await Promise.all([checkIn(ana, tenant), checkIn(ben, tenant)]);
  await sleep(tenant, 1);
  await Promise.all(Array.from({ length: 4 }, () => midnight(tenant)));
  assertEquals([(await profile(ana, tenant)).xp, (await profile(ben, tenant)).xp], [5, 5]);
});
