import { runMigrations } from "graphile-worker";
import { connect, type Contender } from "./contender.ts";

/**
 * graphile-worker through SQL: add_job, and the statements its runner sends at its fastest setting,
 * a local queue with batches and batched completion (0.18, `sql/getJobs` and `sql/completeJobs`).
 */
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
            text: `with taken as (
                select jobs.job_queue_id, jobs.priority, jobs.run_at, jobs.id
                from graphile_worker._private_jobs jobs
                where jobs.is_available = true and run_at <= now() and task_id = any ($2::int[])
                  and (jobs.job_queue_id is null or jobs.job_queue_id in (
                    select id from graphile_worker._private_job_queues queues
                    where queues.is_available = true for update skip locked
                  ))
                order by priority, run_at limit ${batch} for update skip locked
              ), one_a_queue as (
                select distinct on (job_queue_id, case when job_queue_id is null then id end)
                  job_queue_id, id
                from taken
                order by job_queue_id, case when job_queue_id is null then id end, priority, run_at
              ), queues as (
                update graphile_worker._private_job_queues queues
                set locked_by = $1::text, locked_at = now()
                from one_a_queue where queues.id = one_a_queue.job_queue_id
              )
              update graphile_worker._private_jobs job
              set attempts = job.attempts + 1, locked_by = $1::text, locked_at = now()
              from one_a_queue where job.id = one_a_queue.id returning *`,
            values: ["bench", [task.rows[0]!.id]],
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
