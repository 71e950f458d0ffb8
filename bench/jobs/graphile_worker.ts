import { runMigrations } from "graphile-worker";
import { connect, type Contender } from "./contender.ts";

/** graphile-worker through SQL: add_job, and what its runner does with batches and no named queues. */
export async function graphileWorker(url: string): Promise<Contender> {
  const admin = await connect(url);
  return {
    name: "graphile-worker",
    async prepare() {
      await runMigrations({ connectionString: url });
    },
    async fill(count) {
      await admin.query("select graphile_worker.add_job('bench', '{}')");
      await admin.query("truncate graphile_worker._private_jobs");
      await admin.query(
        `select count(*) from graphile_worker.add_jobs(array(
          select row('bench', '{"id": 1}'::json, null, now(), 25, null, 0, null)::graphile_worker.job_spec
          from generate_series(1, $1)
        ))`,
        [count],
      );
      await admin.query("vacuum analyze graphile_worker._private_jobs");
    },
    async connect() {
      const client = await connect(url);
      const task = await client.query<{ id: number }>(
        "select id from graphile_worker._private_tasks where identifier = 'bench'",
      );
      return {
        async enqueue() {
          await client.query({
            name: "enqueue",
            text: "select graphile_worker.add_job($1, $2)",
            values: ["bench", '{"id": 1}'],
          });
        },
        async drain(batch) {
          const { rows } = await client.query<{ id: string }>({
            name: "claim",
            text: `with due as (
                select id from graphile_worker._private_jobs
                where is_available and run_at <= now() and task_id = any ($2) and job_queue_id is null
                order by priority, run_at limit $3 for update skip locked
              )
              update graphile_worker._private_jobs job
              set attempts = job.attempts + 1, locked_by = $1, locked_at = now()
              from due where job.id = due.id returning job.*`,
            values: ["bench", [task.rows[0]!.id], batch],
          });
          if (rows.length === 0) return 0;
          const done = await client.query({
            name: "complete",
            text: `delete from graphile_worker._private_jobs job
              using unnest($1::bigint[]) done (id) where job.id = done.id`,
            values: [rows.map(({ id }) => id)],
          });
          return done.rowCount ?? 0;
        },
        close: () => client.end(),
      };
    },
    close: () => admin.end(),
  };
}
