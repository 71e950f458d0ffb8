import assert from "node:assert/strict";
import { withDatabase } from "../support/database.ts";
import { until } from "../support/wait.ts";

Deno.test("postgres schedules, pg_cron runs, and the run is on record", async () => {
  await withDatabase(async (sql) => {
    const name = `test-${crypto.randomUUID()}`;
    const [job] = await sql<{ id: string }[]>`
      select cron.schedule(${name}, '1 second', 'select 1') as id`;
    try {
      const run = await until(async () => {
        const [row] = await sql`
          select status, username, database, command, end_time >= start_time as timed
          from cron.job_run_details
          where jobid = ${job!.id} and status in ('succeeded', 'failed') limit 1`;
        return row;
      }, { timeout: 20_000 });
      assert.deepEqual({ ...run }, {
        status: "succeeded",
        username: "postgres",
        database: "postgres",
        command: "select 1",
        timed: true,
      });
    } finally {
      await sql`select cron.unschedule(${name})`;
    }
  });
});

Deno.test("a run that fails is on record with its reason", async () => {
  await withDatabase(async (sql) => {
    const name = `test-${crypto.randomUUID()}`;
    const [job] = await sql<{ id: string }[]>`
      select cron.schedule(${name}, '1 second', 'select 1 / 0') as id`;
    try {
      const run = await until(async () => {
        const [row] = await sql`
          select return_message from cron.job_run_details
          where jobid = ${job!.id} and status = 'failed' limit 1`;
        return row;
      }, { timeout: 20_000 });
      assert.match(run.return_message, /division by zero/);
    } finally {
      await sql`select cron.unschedule(${name})`;
    }
  });
});

Deno.test("every schedule of ours is a job of pg_cron, and the ones of each minute do run there", async () => {
  await withDatabase(async (sql) => {
    const missing = await sql`
      select s.name from private.jobs_schedules s
      where not exists (
        select from cron.job j where j.jobname = s.name and j.schedule = s.cron and j.active
      )`;
    assert.deepEqual([...missing], []);
    await until(async () => {
      const [late] = await sql`
        select j.jobname from cron.job j
        join private.jobs_schedules s on s.name = j.jobname
        where j.schedule = '* * * * *' and not (
          exists (
            select from cron.job_run_details d where d.jobid = j.jobid and d.status = 'succeeded'
          )
          and exists (
            select from private.jobs_runs r where r.schedule = s.name and r.outcome = 'done'
          )
        )`;
      return late === undefined;
    }, { timeout: 75_000, every: 500 });
    const failed = await sql`
      select j.jobname, d.return_message from cron.job_run_details d
      join cron.job j using (jobid)
      join private.jobs_schedules s on s.name = j.jobname
      where d.status = 'failed'`;
    assert.deepEqual([...failed], []);
  });
});
