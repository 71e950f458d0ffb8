// @ts-types="@types/pg"
import { DatabaseError, Pool, type PoolClient } from "pg";
import type { Log } from "../part.ts";
import type { Limits } from "./limits.ts";
import { Refusal } from "./refusal.ts";
import type { Extension } from "./rooms.ts";
import type { Claims } from "./tokens.ts";

/** Who asks for which topic. */
export interface Subject {
  topic: string;
  claims: Claims;
  /** The `x-*` headers of the handshake, which policies can read. */
  headers: Record<string, string>;
}

/** The policies of `realtime.messages`, asked as hosted asks them: by probe rows that are never committed. */
export class Authorization {
  readonly #pool: Pool;
  readonly #busy = new Set<PoolClient>();
  readonly #limits: Limits;
  readonly #log: Log;

  // Not postgres.js: it takes the process down when a backend dies within a transaction.
  constructor(url: string, limits: Limits, log: Log) {
    this.#limits = limits;
    this.#log = log;
    this.#pool = new Pool({
      connectionString: url,
      application_name: "realtime_connect",
      max: 4,
      connectionTimeoutMillis: 5_000,
      statement_timeout: limits.policyTimeout,
      query_timeout: 2 * limits.policyTimeout,
    });
    // A broken connection is replaced at the next use; who was using it has the error already.
    this.#pool.on("error", () => {});
    this.#pool.on("connect", (client) => client.on("error", () => {}));
  }

  /** Which extensions of the topic the subject may read: those whose probe row it sees. */
  async read(subject: Subject, extensions: Extension[]): Promise<Set<Extension>> {
    return await this.#probe(async (client) => {
      const { rows: probes } = await client.query<{ id: string; extension: Extension }>(
        `insert into realtime.messages (topic, extension)
         select $1, unnest($2::text[]) returning id, extension`,
        [subject.topic, extensions],
      );
      await become(client, subject);
      const { rows: seen } = await client.query<{ id: string }>(
        "select id from realtime.messages where id = any ($1::uuid[])",
        [probes.map((probe) => probe.id)],
      );
      const ids = new Set(seen.map((row) => row.id));
      return new Set(probes.filter((probe) => ids.has(probe.id)).map((probe) => probe.extension));
    });
  }

  /** Whether the subject may write to an extension of the topic. */
  async write(subject: Subject, extension: Extension): Promise<boolean> {
    return await this.#probe(async (client) => {
      await become(client, subject);
      try {
        await client.query("insert into realtime.messages (topic, extension) values ($1, $2)", [
          subject.topic,
          extension,
        ]);
        return true;
      } catch (error) {
        if (error instanceof DatabaseError && error.code === "42501") return false;
        throw error;
      }
    });
  }

  async stop(): Promise<void> {
    // In the middle of a query this cuts the connection: nobody waits for the answer any more.
    for (const client of this.#busy) void client.end();
    await this.#pool.end();
  }

  async #probe<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    if (this.#pool.waitingCount >= this.#limits.policyQueue) throw overloaded();
    try {
      return await this.#rolledBack(work);
    } catch (error) {
      const refusal = refusalFor(error);
      const cause = error instanceof Error ? error.message : String(error);
      this.#log(`realtime: ${refusal.code}: ${cause}`);
      throw refusal;
    }
  }

  async #rolledBack<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    this.#busy.add(client);
    let healthy = true;
    try {
      await client.query("begin");
      return await work(client);
    } catch (error) {
      healthy = error instanceof DatabaseError;
      throw error;
    } finally {
      if (healthy) await client.query("rollback").catch(() => healthy = false);
      this.#busy.delete(client);
      client.release(!healthy);
    }
  }
}

async function become(client: PoolClient, { topic, claims, headers }: Subject): Promise<void> {
  await client.query(
    `select set_config('role', $1, true), set_config('realtime.topic', $2, true),
       set_config('request.jwt.claims', $3, true), set_config('request.jwt.claim.sub', $4, true),
       set_config('request.jwt.claim.role', $1, true), set_config('request.headers', $5, true)`,
    [claims.role, topic, JSON.stringify(claims), claims.sub ?? "", JSON.stringify(headers)],
  );
}

const overloaded = () =>
  new Refusal("IncreaseConnectionPool", "Please increase your connection pool size");

function refusalFor(error: unknown): Refusal {
  if (!(error instanceof DatabaseError)) {
    // The pool's only word for "no connection came free in time".
    const waited = error instanceof Error && error.message.includes("timeout exceeded");
    return waited ? overloaded() : new Refusal(
      "UnableToConnectToProject",
      "Realtime was unable to connect to the project database",
    );
  }
  if (error.code === "57014") return new Refusal("QueryCanceled", error.message);
  if (error.code === "23514" && error.table === "messages") {
    return new Refusal(
      "MissingPartition",
      "Realtime was unable to find the expected messages partition",
    );
  }
  if (error.code?.startsWith("57P") || error.code?.startsWith("08")) {
    return new Refusal(
      "UnableToConnectToProject",
      "Realtime was unable to connect to the project database",
    );
  }
  return new Refusal("RlsPolicyError", error.message);
}
