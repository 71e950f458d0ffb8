import postgres from "postgres";
import type { Log } from "../part.ts";
import type { Database, DatabaseRole } from "../postgres/mod.ts";
import { parseSchedule, type Schedule } from "./schedule.ts";
import { everyNowAndThen } from "./timer.ts";

interface Job {
  jobid: string;
  schedule: string;
  command: string;
  database: string;
  username: DatabaseRole;
}

/** What is remembered of a job between two looks at the table. */
interface Task {
  text: string;
  schedule: Schedule;
  lastStart: number;
  running: boolean;
  /** Runs that became due while one was running: they follow it one by one, as in pg_cron. */
  waiting: number;
}

/** As pg_cron's `cron.max_running_jobs`, but for a machine where people work. */
const mostAtOnce = 8;
/** Minutes that a sleeping machine missed and that are made up for. */
const mostMissed = 3;

/**
 * Runs what stands in `cron.job` where the server has no pg_cron: at the minute, in UTC, each run on
 * a connection of its own as the job's user, its outcome in `cron.job_run_details`.
 */
export async function startCron(database: Database, admin: postgres.Sql, log: Log) {
  await admin`
    update cron.job_run_details
    set status = 'failed', return_message = 'server restarted', end_time = now()
    where status in ('starting', 'running')`;
  const tasks = new Map<string, Task>();
  const running = new Set<Promise<void>>();
  const connections = new Set<postgres.Sql>();
  let minute = Math.floor(Date.now() / 60_000);
  let stopping = false;

  const run = async (job: Job, task: Task) => {
    task.running = true;
    task.lastStart = Date.now();
    try {
      await runOnce(database, admin, job, connections);
    } catch (error) {
      if (!stopping) log(`[cron] ${job.jobid}: ${error instanceof Error ? error.message : error}`);
    } finally {
      task.running = false;
    }
  };

  const tick = async () => {
    const jobs = await admin<Job[]>`
      select jobid, schedule, command, database, username from cron.job where active order by jobid`;
    const minutes = minutesSince(minute);
    minute = minutes.at(-1) ?? minute;
    forget(tasks, jobs);
    const ready = jobs.map((job) => ({ job, task: taskOf(tasks, job) })).filter(({ task }) => {
      task.waiting += due(task, minutes);
      return !task.running && task.waiting > 0;
    });
    // Who ran longest ago goes first, or those that come each second would leave no room for the rest.
    for (const { job, task } of ready.sort((a, b) => a.task.lastStart - b.task.lastStart)) {
      if (running.size >= mostAtOnce) break;
      task.waiting -= 1;
      const done = run(job, task).finally(() => running.delete(done));
      running.add(done);
    }
  };

  const timer = everyNowAndThen(1_000, tick, (message) => log(`[cron] ${message}`));
  return {
    async stop() {
      stopping = true;
      await timer.stop();
      await Promise.all([...connections].map((sql) => sql.end({ timeout: 0 }).catch(() => {})));
      await Promise.all(running);
    },
  };
}

/** The minutes that began since the last look. */
function minutesSince(last: number): number[] {
  const now = Math.floor(Date.now() / 60_000);
  const first = Math.max(last + 1, now - mostMissed + 1);
  return Array.from({ length: Math.max(now - first + 1, 0) }, (_, index) => first + index);
}

function taskOf(tasks: Map<string, Task>, { jobid, schedule: text }: Job): Task {
  const known = tasks.get(jobid);
  if (known?.text === text) return known;
  const schedule = parseSchedule(text);
  const task = {
    text,
    schedule,
    lastStart: Date.now(),
    running: known?.running ?? false,
    waiting: 0,
  };
  tasks.set(jobid, task);
  return task;
}

function forget(tasks: Map<string, Task>, jobs: Job[]): void {
  const active = new Set(jobs.map(({ jobid }) => jobid));
  for (const [id, { running }] of tasks) if (!active.has(id) && !running) tasks.delete(id);
}

function due({ schedule, lastStart, running, waiting }: Task, minutes: number[]): number {
  if ("matches" in schedule) {
    return minutes.filter((minute) => schedule.matches(new Date(minute * 60_000))).length;
  }
  return !running && waiting === 0 && Date.now() - lastStart >= schedule.everySeconds * 1_000
    ? 1
    : 0;
}

async function runOnce(
  database: Database,
  admin: postgres.Sql,
  job: Job,
  connections: Set<postgres.Sql>,
): Promise<void> {
  const [row] = await admin<{ runid: string }[]>`
    insert into cron.job_run_details (jobid, database, username, command, status, start_time)
    values (${job.jobid}, ${job.database}, ${job.username}, ${job.command}, 'starting', clock_timestamp())
    returning runid`;
  const sql = connect(database, job);
  connections.add(sql);
  let status = "succeeded";
  let message: string;
  try {
    const [{ pid }] = await sql`select pg_backend_pid() as pid` as [{ pid: number }];
    await admin`
      update cron.job_run_details set status = 'running', job_pid = ${pid} where runid = ${
      row!.runid
    }`;
    message = outcome(await sql.unsafe(job.command).simple());
  } catch (error) {
    status = "failed";
    message = `ERROR: ${error instanceof Error ? error.message : error}`;
  } finally {
    connections.delete(sql);
    await sql.end({ timeout: 1 });
  }
  await admin`
    update cron.job_run_details
    set status = ${status}, return_message = ${message}, end_time = clock_timestamp()
    where runid = ${row!.runid}`;
}

function connect(database: Database, { database: name, username }: Job): postgres.Sql {
  const url = new URL(database.url(username));
  url.pathname = `/${encodeURIComponent(name)}`;
  return postgres(url.href, {
    max: 1,
    connect_timeout: 10,
    onnotice() {},
    connection: { application_name: "pg_cron" },
  });
}

/** pg_cron keeps the tag of the last command, or how many rows it returned. */
function outcome(result: postgres.RowList<postgres.Row[]>): string {
  const results = Array.isArray(result[0]) ? result as unknown as typeof result[] : [result];
  const last = results.at(-1)!;
  if (last.columns === undefined) return `${last.command ?? ""}`;
  return `${last.length} ${last.length === 1 ? "row" : "rows"}`;
}
