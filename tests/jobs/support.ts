import type postgres from "postgres";
import { connect } from "../support/database.ts";

export type Sql = postgres.TransactionSql;

/** A job as `jobs_claim` returns it. */
export interface Claimed {
  id: string;
  tenant_id: string;
  kind: string;
  aggregate: string | null;
  payload: Record<string, unknown>;
  attempts: number;
}

const undo = new Error("undo");

/**
 * Runs a test in a transaction that is undone: the queue of the running stack stays as it is, and
 * its own worker never sees what the test puts there.
 */
export async function undone(work: (sql: Sql) => Promise<void>): Promise<void> {
  const connection = connect({ max: 1 });
  try {
    await connection.begin(async (sql) => {
      await work(sql);
      throw undo;
    });
  } catch (error) {
    if (error !== undo) throw error;
  } finally {
    await connection.end({ timeout: 5 });
  }
}

/** A kind that nobody else's jobs have, and no worker of the stack knows. */
export const someKind = () => `jobs.test_${crypto.randomUUID().replaceAll(/[^a-f]/g, "")}`;

export async function enqueue(sql: Sql, kind: string, options: Record<string, unknown> = {}) {
  const { payload = {}, tenant, key = null, runAt = null, priority = 0 } = options;
  const [row] = await sql<{ id: string | null }[]>`
    select private.enqueue(
      ${kind}, ${sql.json(payload as postgres.JSONValue)}, ${tenant as string ?? null},
      dedupe_key => ${key as string | null}, run_at => ${runAt as Date | null},
      priority => ${priority as number}
    ) as id`;
  return row!.id;
}

/** Takes jobs of these kinds, whatever else is in the queue. */
export async function claim(sql: Sql, worker: string, kinds: string[], batch = 10) {
  // Other tests' jobs count too: the low-water mark is theirs as well, and a sweep ignores it.
  await sql`select setval('private.jobs_next_sweep', 1)`;
  return [
    ...await sql<Claimed[]>`select * from jobs_claim(${worker}, ${kinds}, ${batch}) order by id`,
  ];
}

export const complete = async (sql: Sql, worker: string, jobs: Claimed[]) => {
  const [row] = await sql<{ count: number }[]>`
    select jobs_complete(
      ${worker}, ${jobs.map((job) => job.tenant_id)}::uuid[], ${jobs.map((job) => job.id)}::uuid[]
    ) as count`;
  return row!.count;
};

export async function fail(sql: Sql, worker: string, job: Claimed, permanent = false) {
  const [row] = await sql<{ seconds: number | null }[]>`
    select extract(epoch from again - clock_timestamp())::float as seconds
    from jobs_fail(${worker}, ${job.tenant_id}, ${job.id}, 'broken', ${permanent}) again`;
  return row!.seconds;
}

/** Lets every waiting job of the kind be due. */
export const hurry = (sql: Sql, kind: string) =>
  sql`update private.jobs set run_at = clock_timestamp() where kind = ${kind} and run_at < 'infinity'`;
