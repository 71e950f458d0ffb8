import type { Database } from "shared/database/client.ts";
import type { Job } from "./handlers.ts";

interface Figures {
  done: number;
  failed: number;
  milliseconds: number;
}

/** The database's queue as one worker sees it: what it takes is its own until it says how that ended. */
export class Queue {
  readonly worker = crypto.randomUUID();
  readonly #database: Database;
  #figures = new Map<string, Figures>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Takes jobs, and says in the same commit which of the last ones are done. */
  claim(kinds: string[], batch: number, done: Job[] = []): Promise<Job[]> {
    return this.#database.rpc("jobs_claim", {
      worker: this.worker,
      kinds,
      batch,
      done_tenants: done.map((job) => job.tenant_id),
      done_ids: done.map((job) => job.id),
    });
  }

  complete(jobs: Job[]): Promise<number> {
    return this.#database.rpc("jobs_complete", {
      worker: this.worker,
      tenants: jobs.map((job) => job.tenant_id),
      ids: jobs.map((job) => job.id),
    });
  }

  async fail({ tenant_id, id }: Job, error: string, permanent: boolean): Promise<Date | undefined> {
    const args = { worker: this.worker, tenant_id, id, error, permanent };
    const again = await this.#database.rpc<string | null>("jobs_fail", args);
    return again === null ? undefined : new Date(again);
  }

  /** When the next job falls due that waits for its time. */
  async next(): Promise<Date | undefined> {
    const next = await this.#database.rpc<string | null>("jobs_next");
    return next === null ? undefined : new Date(next);
  }

  /** Notes what was done; the database learns of it with the next heartbeat. */
  count(kind: string, outcome: "done" | "failed", milliseconds: number): void {
    const figures = this.#figures.get(kind) ?? { done: 0, failed: 0, milliseconds: 0 };
    figures[outcome] += 1;
    figures.milliseconds += milliseconds;
    this.#figures.set(kind, figures);
  }

  /** Renews the lease; false when it had run out, and others may do the jobs already. */
  heartbeat(): Promise<boolean> {
    const figures = [...this.#figures].map(([kind, { milliseconds, ...counts }]) => ({
      kind,
      ...counts,
      milliseconds: Math.round(milliseconds),
    }));
    this.#figures = new Map();
    return this.#database.rpc("jobs_heartbeat", { worker: this.worker, figures });
  }

  /** Gives back what is not done. With `more`, the database calls another worker. */
  async leave(more: boolean): Promise<void> {
    await this.heartbeat();
    await this.#database.rpc("jobs_leave", { worker: this.worker, more });
  }
}
