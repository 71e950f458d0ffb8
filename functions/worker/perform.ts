import { describeError, mask } from "shared/log.ts";
import type { Services } from "shared/services.ts";
import { span } from "shared/tracing.ts";
import { PermanentFailure } from "./failure.ts";
import type { Handler, Job } from "./handlers.ts";
import type { Queue } from "./queue.ts";

/** What all jobs of one worker share. */
export interface Bench {
  queue: Queue;
  handlers: Record<string, Handler>;
  services: Services;
  /** Aborted when the jobs are not this worker's any more. */
  lost: AbortSignal;
  /** Milliseconds that one job may take. */
  jobLimit: number;
}

/** Runs one job and says how it ended; completed ones are handed to `complete`, to be told in batches. */
export async function perform(bench: Bench, job: Job, complete: (job: Job) => void): Promise<void> {
  const { queue, services, lost } = bench;
  const started = performance.now();
  try {
    const attributes = { "nexus.job": job.id, "nexus.tenant": job.tenant_id };
    await span(`job ${job.kind}`, attributes, () => runHandler(bench, job));
    queue.count(job.kind, "done", performance.now() - started);
    complete(job);
  } catch (error) {
    queue.count(job.kind, "failed", performance.now() - started);
    if (lost.aborted) return;
    const permanent = error instanceof PermanentFailure;
    const again = await queue.fail(job, mask(messageOf(error)), permanent);
    services.log(again ? "warn" : "error", again ? "job failed" : "job is dead", {
      job_id: job.id,
      tenant_id: job.tenant_id,
      kind: job.kind,
      attempts: job.attempts,
      ...describeError(error),
    });
  }
}

async function runHandler({ handlers, services, lost, jobLimit }: Bench, job: Job): Promise<void> {
  const limit = AbortSignal.timeout(jobLimit);
  const signal = AbortSignal.any([limit, lost]);
  const ended = Promise.withResolvers<never>();
  const end = () => ended.reject(signal.reason);
  signal.addEventListener("abort", end);
  try {
    // A handler that does not listen to its signal must not hold the worker for ever.
    await Promise.race([handlers[job.kind]!(job, services, signal), ended.promise]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);
