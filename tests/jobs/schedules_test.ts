import assert from "node:assert/strict";
import { withDatabase } from "../support/database.ts";
import { until } from "../support/wait.ts";
import { type Sql, undone } from "./support.ts";

/** A schedule of the test's own, whose table counts its runs. */
async function makeSchedule(sql: Sql, command: string, cron = "0 0 1 1 *"): Promise<string> {
  const name = `jobs-test-${crypto.randomUUID().replaceAll(/[^a-f]/g, "")}`;
  await sql`select private.schedule(${name}, ${cron}, ${command})`;
  return name;
}

const run = async (sql: Sql, name: string, dryRun = false) =>
  (await sql`select * from jobs_run(${name}, ${dryRun})`)[0]!;

Deno.test("scheduling again changes the schedule, and leaves one", () =>
  undone(async (sql) => {
    const name = await makeSchedule(sql, "select 1");
    await sql`select private.schedule(${name}, '0 5 * * *', 'select 2')`;
    const jobs = await sql`select schedule from cron.job where jobname = ${name}`;
    assert.deepEqual(jobs.map(({ schedule }) => schedule), ["0 5 * * *"]);
    const [row] = await sql`select cron, command from private.jobs_schedules where name = ${name}`;
    assert.deepEqual({ ...row }, { cron: "0 5 * * *", command: "select 2" });
  }));

Deno.test("each run leaves a row: how it ended and how many rows it touched", () =>
  undone(async (sql) => {
    const name = await makeSchedule(sql, "select generate_series(1, 3)");
    const done = await run(sql, name);
    assert.deepEqual([done.outcome, Number(done.rows), done.error], ["done", 3, null]);
    const failing = await makeSchedule(sql, "select 1 / 0");
    const failed = await run(sql, failing);
    assert.deepEqual([failed.outcome, failed.error], ["failed", "22012: division by zero"]);
  }));

Deno.test("a dry run tells what it would do and undoes it", () =>
  undone(async (sql) => {
    await sql`create table private.jobs_test_rows (n int)`;
    const name = await makeSchedule(
      sql,
      "insert into private.jobs_test_rows select generate_series(1, 4)",
    );
    const tried = await run(sql, name, true);
    assert.deepEqual([tried.outcome, Number(tried.rows)], ["tried", 4]);
    const [row] = await sql`select count(*)::int as count from private.jobs_test_rows`;
    assert.equal(row!.count, 0);
  }));

Deno.test("a paused schedule does not run by the clock, but by hand; resumed, it goes on", () =>
  undone(async (sql) => {
    const name = await makeSchedule(sql, "select 1");
    const byClock = async () =>
      (await sql`select outcome from private.jobs_run_schedule(${name})`)[0]!.outcome;
    const [paused] = await sql`select active, next_at from jobs_pause(${name})`;
    assert.deepEqual({ ...paused }, { active: false, next_at: null });
    assert.equal(await byClock(), null);
    assert.equal((await run(sql, name)).outcome, "done");
    const [resumed] = await sql`select active from jobs_resume(${name})`;
    assert.equal(resumed!.active, true);
    assert.equal(await byClock(), "done");
  }));

Deno.test("a schedule never overlaps itself, whoever runs it", async () => {
  const name = await withDatabase((sql) =>
    sql.begin((sql) => makeSchedule(sql, "select pg_sleep(1)"))
  );
  try {
    const outcome = () =>
      withDatabase(async (sql) => (await sql`select outcome from jobs_run(${name})`)[0]!.outcome);
    const outcomes = await Promise.all([outcome(), outcome(), outcome()]);
    assert.deepEqual(outcomes.sort(), ["done", "overlapped", "overlapped"]);
  } finally {
    await withDatabase(async (sql) => {
      await sql`select cron.unschedule(${name})`;
      await sql`delete from private.jobs_schedules where name = ${name}`;
      await sql`delete from private.jobs_runs where schedule = ${name}`;
    });
  }
});

Deno.test("a run that did not come is noticed, told by readiness, and made up for", () =>
  undone(async (sql) => {
    const name = await makeSchedule(sql, "select 1", "* * * * *");
    const late = async () =>
      (await sql`select 1 from private.jobs_late_schedules() l (name) where l.name = ${name}`)
        .length === 1;
    assert.equal(await late(), false);
    await sql`alter table private.jobs_schedules disable trigger user`;
    await sql`update private.jobs_schedules set updated_at = now() - interval '1 hour' where name = ${name}`;
    assert.equal(await late(), true);
    const [check] = await sql`select private.jobs_checks() ->> 'schedules' as schedules`;
    assert.match(check!.schedules, new RegExp(`^late: .*${name}`));
    const [ready] = await sql`select operations_ready() ->> 'status' as status`;
    assert.equal(ready!.status, "degraded");
    await sql`select private.jobs_catch_up()`;
    assert.equal(await late(), false);
    const runs = await sql`select outcome from private.jobs_runs where schedule = ${name}`;
    assert.deepEqual(runs.map(({ outcome }) => outcome), ["done"]);
  }));

Deno.test("a job for every tenant, when it is time where the tenant lives, and once", () =>
  undone(async (sql) => {
    const make = async (zone: string, modules: string[]) =>
      (await sql<{ id: string }[]>`
        insert into tenants (slug, name, time_zone, modules)
        values (${`t-${
        crypto.randomUUID().slice(0, 18)
      }`}, 'Local', ${zone}, ${modules}) returning id`)[0]!.id;
    // Where it is one hour past midnight now, and where it is not.
    const hour = new Date().getUTCHours();
    const zoneAt = (local: number) => {
      const ahead = (local - hour + 36) % 24 - 12;
      return `Etc/GMT${ahead > 0 ? "-" : "+"}${Math.abs(ahead)}`;
    };
    const due = await make(zoneAt(1), ["wallet"]);
    const off = await make(zoneAt(1), []);
    const elsewhere = await make(zoneAt(3), ["wallet"]);
    const name = `jobs-test-local`;
    await sql`select private.schedule_local(${name}, '0 0,1 * * *', 'wallet.test_local')`;
    await sql`update private.jobs_schedules set created_at = now() - interval '61 minutes' where name = ${name}`;
    const enqueued = async () => {
      await sql`select private.jobs_run_schedule(${name})`;
      const jobs = await sql`
        select tenant_id from private.jobs
        where kind = 'wallet.test_local' and tenant_id = any (${[due, off, elsewhere]})`;
      return jobs.map(({ tenant_id }) => tenant_id);
    };
    assert.deepEqual(await enqueued(), [due]);
    assert.deepEqual(await enqueued(), [due]);
  }));

Deno.test("the clock runs the schedules, each minute", () =>
  withDatabase(async (sql) => {
    const [before] = await sql`
      select coalesce(max(id), 0)::int as id from private.jobs_runs where schedule = 'jobs-tick'`;
    const found = await until(async () => {
      const [row] = await sql`
        select outcome from private.jobs_runs where schedule = 'jobs-tick' and id > ${before!.id}`;
      return row;
    }, { timeout: 75_000, every: 250 });
    assert.equal(found.outcome, "done");
  }));

Deno.test("cleanup ends retention, and keeps each schedule's last run", () =>
  undone(async (sql) => {
    const kind = "jobs.test_old";
    await sql`
      insert into private.jobs_dead (tenant_id, id, kind, payload, priority, attempts, reason, created_at, died_at)
      select private.platform(), private.uuid_v7(), ${kind}, '{}', 0, 4, 'failed', now(), now() - days * interval '1 day'
      from unnest(array[29, 31]) days`;
    await sql`
      insert into private.jobs_runs (schedule, outcome, started_at)
      select 'jobs-test-old', 'done', now() - days * interval '1 day' from unnest(array[40, 50]) days`;
    await sql`select private.jobs_cleanup()`;
    const [left] = await sql`
      select (select count(*)::int from private.jobs_dead where kind = ${kind}) as dead,
        (select count(*)::int from private.jobs_runs where schedule = 'jobs-test-old') as runs`;
    assert.deepEqual({ ...left }, { dead: 1, runs: 1 });
  }));
