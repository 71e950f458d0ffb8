import assert from "node:assert/strict";
import type postgres from "postgres";
import { withDatabase } from "../../support/database.ts";
import { until } from "../../support/wait.ts";

interface Run {
  status: string;
  return_message: string;
  username: string;
  start_time: Date;
  end_time: Date;
}

/** Schedules a command for the length of a test. */
async function scheduled(
  schedule: string,
  command: string,
  work: (sql: postgres.Sql, jobid: string) => Promise<void>,
): Promise<void> {
  const name = `jobs-test-${crypto.randomUUID().slice(0, 8)}`;
  await withDatabase(async (sql) => {
    const [row] = await sql`select cron.schedule(${name}, ${schedule}, ${command}) as id`;
    try {
      await work(sql, row!.id);
    } finally {
      await sql`select cron.unschedule(${name})`;
    }
  });
}

const runsOf = async (sql: postgres.Sql, jobid: string) => [
  ...await sql<Run[]>`
    select status, return_message, username, start_time, end_time from cron.job_run_details
    where jobid = ${jobid} and end_time is not null order by start_time`,
];

Deno.test("a job runs as the role that scheduled it, again and again, and each run leaves a row", async () => {
  await scheduled("1 second", "select current_user, session_user", async (sql, jobid) => {
    const runs = await until(async () => {
      const found = await runsOf(sql, jobid);
      return found.length >= 2 ? found : undefined;
    }, { timeout: 15_000 });
    assert.deepEqual(
      runs.slice(0, 2).map((run) => [run.status, run.return_message, run.username]),
      [
        ["succeeded", "1 row", "postgres"],
        ["succeeded", "1 row", "postgres"],
      ],
    );
  });
});

Deno.test("a job that fails says why, and runs again", async () => {
  await scheduled("1 second", "select 1 / 0", async (sql, jobid) => {
    const runs = await until(async () => {
      const found = await runsOf(sql, jobid);
      return found.length >= 2 ? found : undefined;
    }, { timeout: 15_000 });
    assert.equal(runs[0]!.status, "failed");
    assert.match(runs[0]!.return_message, /division by zero/);
  });
});

Deno.test("a job never overlaps itself", async () => {
  await scheduled("1 second", "select pg_sleep(1.6)", async (sql, jobid) => {
    const runs = await until(async () => {
      const found = await runsOf(sql, jobid);
      return found.length >= 3 ? found : undefined;
    }, { timeout: 25_000 });
    runs.reduce((before, run) => {
      assert.ok(run.start_time >= before.end_time);
      return run;
    });
  });
});

Deno.test("a job with five fields runs at the minute; a command of several statements is one transaction", async () => {
  const table = `jobs_test_${crypto.randomUUID().slice(0, 8)}`;
  await withDatabase((sql) => sql.unsafe(`create table private.${table} (at timestamptz)`));
  const insert = `insert into private.${table} values (clock_timestamp())`;
  await scheduled("* * * * *", `${insert}; ${insert}; select 1 / 0`, async (failing, failingId) => {
    await scheduled("* * * * *", `${insert}; ${insert}`, async (sql, jobid) => {
      const [run] = await until(async () => {
        const found = await runsOf(sql, jobid);
        return found.length > 0 ? found : undefined;
      }, { timeout: 75_000, every: 200 });
      await until(async () => (await runsOf(failing, failingId)).length > 0, { timeout: 10_000 });
      assert.deepEqual([run!.status, run!.return_message], ["succeeded", "INSERT"]);
      assert.ok(run!.start_time.getUTCSeconds() < 5, run!.start_time.toISOString());
      const [{ count }] = await sql.unsafe(`select count(*)::int from private.${table}`) as [
        { count: number },
      ];
      assert.equal(count, 2);
    });
  });
  await withDatabase((sql) => sql.unsafe(`drop table private.${table}`));
});

Deno.test("scheduling a name again replaces the job; unscheduling what is not there is refused", async () => {
  await withDatabase(async (sql) => {
    const schedule = async (command: string) => {
      const [row] =
        await sql`select cron.schedule('jobs-test-twice', '0 0 1 1 *', ${command}) as id`;
      return row!.id;
    };
    assert.equal(await schedule("select 1"), await schedule("select 2"));
    const [job] = await sql`
      select schedule, command, database, username, active from cron.job where jobname = 'jobs-test-twice'`;
    assert.deepEqual({ ...job }, {
      schedule: "0 0 1 1 *",
      command: "select 2",
      database: "postgres",
      username: "postgres",
      active: true,
    });
    await sql`
      select cron.alter_job(job_id := jobid, active := false) from cron.job where jobname = 'jobs-test-twice'`;
    const [paused] = await sql`select active from cron.job where jobname = 'jobs-test-twice'`;
    assert.equal(paused!.active, false);
    await sql`select cron.unschedule('jobs-test-twice')`;
    await assert.rejects(async () => await sql`select cron.unschedule('jobs-test-twice')`, {
      message: "could not find valid entry for job 'jobs-test-twice'",
    });
    await assert.rejects(async () => await sql`update cron.job set active = false`, {
      code: "42501",
    });
  });
});
