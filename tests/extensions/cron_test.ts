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
