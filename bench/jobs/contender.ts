import pg from "pg";

/** One connection of a contender: what a producer or a worker does with it. */
export interface Line {
  enqueue(): Promise<void>;
  /** Takes up to `batch` jobs, marks them done, and returns how many those were. */
  drain(batch: number): Promise<number>;
  close(): Promise<void>;
}

/** A job queue that is measured. */
export interface Contender {
  name: string;
  prepare(): Promise<void>;
  /** Empties the queue and fills it with so many jobs. */
  fill(count: number): Promise<void>;
  connect(): Promise<Line>;
  close(): Promise<void>;
}

export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}
