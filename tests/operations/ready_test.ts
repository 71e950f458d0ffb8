import assert from "node:assert/strict";
import type postgres from "postgres";
import { withDatabase } from "../support/database.ts";

interface Readiness {
  status: string;
  checks: Record<string, string>;
}

/** What readiness says after a change that is undone afterwards, so that nobody else sees it. */
async function readyAfter(change: (sql: postgres.TransactionSql) => Promise<unknown>) {
  let found: Readiness | undefined;
  const undo = new Error("undo");
  await withDatabase(async (sql) => {
    await sql.begin(async (sql) => {
      await sql`delete from private.jobs`;
      await change(sql);
      const [row] = await sql`select public.operations_ready() as ready`;
      found = row!.ready as Readiness;
      throw undo;
    }).catch((error) => {
      if (error !== undo) throw error;
    });
  });
  return found!;
}

const onTime = (sql: postgres.TransactionSql) =>
  sql`update private.jobs_schedules set updated_at = now()`;

Deno.test("readiness asks the database, the queue and the schedules", async () => {
  const { status, checks } = await readyAfter(onTime);
  assert.deepEqual([status, checks], ["ok", {
    audit: "ok",
    database: "ok",
    queue: "ok",
    schedules: "ok",
  }]);
});

Deno.test("a queue that nobody drains degrades readiness", async () => {
  const { status, checks } = await readyAfter(async (sql) => {
    await onTime(sql);
    const long = new Date(Date.now() - 10 * 60_000);
    await sql`select private.enqueue('operations.probe', run_at => ${long})`;
  });
  assert.equal(status, "degraded");
  assert.match(checks.queue!, /^waiting since /);
  assert.equal(checks.schedules, "ok");
});

Deno.test("a schedule that did not run in time degrades readiness, and is named", async () => {
  const { status, checks } = await readyAfter(async (sql) => {
    await sql`select private.schedule('operations-probe', '* * * * *', 'select 1')`;
    await onTime(sql);
    await sql`alter table private.jobs_schedules disable trigger jobs_schedules_touch`;
    await sql`
      update private.jobs_schedules set updated_at = now() - interval '1 hour'
      where name = 'operations-probe'`;
  });
  assert.equal(status, "degraded");
  assert.match(checks.schedules!, /operations-probe/);
  assert.equal(checks.queue, "ok");
});
