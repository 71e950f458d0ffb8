import { describeError } from "shared/log.ts";
import type { Services } from "shared/services.ts";
import { pause } from "./background.ts";
import type { Handler, Job } from "./handlers.ts";
import { perform } from "./perform.ts";
import { Queue } from "./queue.ts";

export interface Limits {
  /** Milliseconds after which it takes no more jobs: hosted ends a function some time after. */
  lifetime: number;
  /** Jobs after which it leaves the rest to another one: hosted counts a function's CPU seconds. */
  jobs: number;
  batch: number;
  /** How long it looks for more after its last job: longer than enqueuers rely on its being there. */
  linger: number;
  lookEvery: number;
  /** Milliseconds that one job may take. */
  job: number;
  heartbeatEvery: number;
}

export const standardLimits: Limits = {
  lifetime: 100_000,
  jobs: 1_000,
  batch: 20,
  linger: 2_500,
  lookEvery: 250,
  job: 40_000,
  heartbeatEvery: 8_000,
};

/**
 * Takes jobs in small batches and runs them until the queue is empty, staying for those that fall
 * due within its lifetime. Returns how many it ran.
 */
export async function drain(
  services: Services,
  handlers: Record<string, Handler>,
  stop: AbortSignal,
  limits: Limits = standardLimits,
): Promise<number> {
  const queue = new Queue(services.database.asService());
  const lost = new AbortController();
  const beat = setInterval(() => keepLease(queue, lost, services), limits.heartbeatEvery);
  const bench = { queue, handlers, services, lost: lost.signal, jobLimit: limits.job };
  const over = AbortSignal.any([stop, lost.signal]);
  const end = Date.now() + limits.lifetime;
  const completions = new Completions(queue);
  let ran = 0;
  let more = false;
  try {
    for (let lastJob = Date.now(); !over.aborted && Date.now() < end;) {
      const jobs = await queue.claim(Object.keys(handlers), limits.batch, await completions.rest());
      if (jobs.length > 0) {
        await Promise.all(jobs.map((job) => perform(bench, job, (done) => completions.add(done))));
        ran += jobs.length;
        lastJob = Date.now();
        more = ran >= limits.jobs || Date.now() >= end;
        if (more) break;
        continue;
      }
      const wait = await howLong(queue, limits, lastJob, end);
      if (wait === undefined) break;
      await pause(wait, over);
    }
  } finally {
    clearInterval(beat);
    await completions.flush().finally(() => queue.leave(more));
  }
  return ran;
}

/** Milliseconds until it is worth looking again; undefined when it is not within this lifetime. */
async function howLong(
  queue: Queue,
  { linger, lookEvery }: Limits,
  lastJob: number,
  end: number,
): Promise<number | undefined> {
  const now = Date.now();
  if (now - lastJob < linger) return lookEvery;
  const next = await queue.next();
  if (!next || next.getTime() >= end) return undefined;
  // The clocks of database and function differ a little.
  return Math.max(next.getTime() - now, 0) + 10;
}

async function keepLease(queue: Queue, lost: AbortController, services: Services): Promise<void> {
  try {
    if (!await queue.heartbeat()) lost.abort(new Error("the lease ran out"));
  } catch (error) {
    services.log("warn", "heartbeat failed", describeError(error));
  }
}

const tellWithin = 100;

/** Jobs that are done and not told yet: told together, but soon, as a killed worker's are done again. */
class Completions {
  readonly #queue: Queue;
  #waiting: Job[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #telling: Promise<unknown> = Promise.resolve();

  constructor(queue: Queue) {
    this.#queue = queue;
  }

  add(job: Job): void {
    this.#waiting.push(job);
    this.#timer ??= setTimeout(() => this.#tell(), tellWithin);
  }

  /** Those that nobody was told of yet; whoever asks tells it. */
  async rest(): Promise<Job[]> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const jobs = this.#waiting;
    this.#waiting = [];
    await this.#telling;
    return jobs;
  }

  async flush(): Promise<void> {
    this.#tell();
    await this.#telling;
  }

  #tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const jobs = this.#waiting;
    this.#waiting = [];
    if (jobs.length === 0) return;
    this.#telling = Promise.all([this.#telling, this.#queue.complete(jobs)]);
    // Whoever flushes is told; a failure in between must not end the function.
    this.#telling.catch(() => {});
  }
}
