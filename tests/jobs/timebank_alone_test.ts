import { deepStrictEqual as assertEquals } from "node:assert/strict";
import type postgres from "postgres";
import { withDatabase } from "../support/database.ts";
import { until } from "../support/wait.ts";

/** The seed's thirteen by their names here. */
const times: Record<string, string> = {
  "newsletters-queue": "*/5 * * * *",
  "newsletters-recurring": "*/15 * * * *",
  "groups-digests": "0 9 * * mon",
  "gamification-daily-xp": "0 0 * * *",
  "gamification-badges": "27 * * * *",
  "gamification-challenges": "35 2 * * *",
  "gamification-leaderboards": "10 0 * * *",
  "abuse-detect": "41 * * * *",
  "wallet-balance-alerts": "20 6 * * *",
  "accounts-forget-tokens": "23 * * * *",
  "notifications-digests": "* * * * *",
  "feed-trending": "0 * * * *",
  "federation-sync": "*/30 * * * *",
};
const names = Object.keys(times);
/** Looked at each minute, for every tenant's own hour. */
const local = ["groups-digests", "gamification-daily-xp", "gamification-leaderboards"];

interface Schedule {
  name: string;
  cron: string;
  command: string;
}

const schedulesIn = async (sql: postgres.Sql): Promise<Schedule[]> => [
  ...await sql<Schedule[]>`
    select name, cron, command from private.jobs_schedules where name = any (${names})`,
];

Deno.test("the time bank's thirteen schedules are there, at their times", () =>
  withDatabase(async (sql) => {
    const found = await schedulesIn(sql);
    const said = found.map(({ name, cron, command }) => [
      name,
      local.includes(name) ? /'(\S+ \S+ \S+ \S+ \S+)'/.exec(command)?.[1] : cron,
    ]);
    assertEquals(Object.fromEntries(said), times);
  }));

Deno.test("the clock runs each of them, and each run ends well", () =>
  withDatabase(async (sql) => {
    const before = await schedulesIn(sql);
    const [since] = await sql`select clock_timestamp() as now`;
    const schedule = ({ name, command }: Schedule, cron: string) =>
      sql`select private.schedule(${name}, ${cron}, ${command})`;
    try {
      for (const one of before) await schedule(one, "1 second");
      const ended = () =>
        sql<{ schedule: string; outcome: string; error: string | null }[]>`
          select distinct on (schedule) schedule, outcome, error from private.jobs_runs
          where schedule = any (${names}) and started_at > ${since!.now} and outcome <> 'overlapped'
          order by schedule, id`;
      const runs = await until(async () => {
        const rows = await ended();
        return rows.length === names.length ? rows : null;
      }, { timeout: 60_000 });
      assertEquals(
        runs.map(({ schedule, outcome, error }) => [schedule, outcome, error]),
        names.toSorted().map((name) => [name, "done", null]),
      );
    } finally {
      for (const one of before) await schedule(one, one.cron);
    }
  }));
