import { LogicalReplicationService, type Pgoutput, PgoutputPlugin } from "pg-logical-replication";
import type { Log } from "../part.ts";
import { inTime, pause } from "./time.ts";

/** One committed row of `realtime.messages`, its payload as the JSON text Postgres wrote. */
export interface StoredMessage {
  id: string;
  topic: string;
  event: string;
  payload: string;
  isPrivate: boolean;
}

/** Made with the schema: inserts into any partition of `realtime.messages`. */
const publication = "supabase_realtime_messages_publication";

/**
 * Reads what commits into `realtime.messages`, in commit order. The slot is temporary, as hosted's:
 * it keeps no WAL while nobody reads, so what commits during a reconnect is not delivered.
 */
export class Replication {
  readonly #url: string;
  readonly #onMessage: (message: StoredMessage) => void;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  #service: LogicalReplicationService | undefined;
  #ready = Promise.withResolvers<void>();
  readonly #running: Promise<void>;

  constructor(url: string, onMessage: (message: StoredMessage) => void, log: Log) {
    this.#url = url;
    this.#onMessage = onMessage;
    this.#log = log;
    this.#running = this.#run();
  }

  /** True as soon as messages are being read, false when they are not after so many milliseconds. */
  async readyWithin(milliseconds: number): Promise<boolean> {
    return await inTime(this.#ready.promise, milliseconds, this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#service?.stop();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let delay = firstDelay;
    while (!signal.aborted) {
      const startedAt = Date.now();
      try {
        await this.#read();
      } catch (error) {
        if (!signal.aborted) this.#log(`realtime: replication lost: ${messageOf(error)}`);
      }
      if (Date.now() - startedAt > longestDelay) delay = firstDelay;
      await pause(delay, signal);
      delay = Math.min(2 * delay, longestDelay);
    }
  }

  /** One connection, from its slot to its end. */
  async #read(): Promise<void> {
    const service = new LogicalReplicationService(
      {
        connectionString: this.#url,
        application_name: "realtime_replication_connection",
        keepAlive: true,
      },
      // Acknowledged by the clock, not by every message: often enough to let WAL go.
      { acknowledge: { auto: false, timeoutSeconds: 5 } },
    );
    this.#service = service;
    let started = false;
    service.on("start", () => {
      started = true;
      this.#ready.resolve();
      if (this.#stopping.signal.aborted) void service.stop();
    });
    service.on("data", (_lsn, log: Pgoutput.Message) => this.#receive(log));
    // The same error ends `subscribe`.
    service.on("error", () => {});
    try {
      const slot = `supabase_realtime_messages_replication_slot_${crypto.randomUUID().slice(0, 8)}`;
      await service.subscribe(
        new TemporarySlot({ protoVersion: 1, publicationNames: [publication] }),
        slot,
      );
    } finally {
      if (started) this.#ready = Promise.withResolvers();
      await service.destroy();
    }
  }

  #receive(log: Pgoutput.Message): void {
    if (log.tag === "relation") {
      // The payload is passed on as text: parsed and written again, large numbers would change.
      for (const column of log.columns) column.parser = (text: string) => text;
    }
    if (log.tag !== "insert" || log.relation.schema !== "realtime") return;
    const { id, topic, event, payload, private: isPrivate } = log.new;
    if (event === null || payload === null || isPrivate === null) return;
    try {
      this.#onMessage({ id, topic, event, payload, isPrivate: isPrivate === "t" });
    } catch (error) {
      this.#log(`realtime: UnableToBroadcastChanges: ${messageOf(error)}`);
    }
  }
}

/** Makes the slot on the connection that reads it: it is gone with the connection. */
class TemporarySlot extends PgoutputPlugin {
  override async start(
    client: Parameters<PgoutputPlugin["start"]>[0],
    slot: string,
  ): Promise<unknown> {
    await client.query(
      `CREATE_REPLICATION_SLOT "${slot}" TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT`,
    );
    return await super.start(client, slot, "0/0");
  }
}

const firstDelay = 100;
const longestDelay = 5_000;

const messageOf = (error: unknown) => error instanceof Error ? error.message : String(error);
