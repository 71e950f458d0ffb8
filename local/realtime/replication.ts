import { Buffer } from "node:buffer";
import { LogicalReplicationService, type Pgoutput, PgoutputPlugin } from "pg-logical-replication";
import type { Log } from "../part.ts";
import type { StoredMessage } from "./archive.ts";
import { inTime, pause } from "./time.ts";

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
  #complaint: string | undefined;
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
        if (!signal.aborted) this.#complain(messageOf(error));
      }
      if (Date.now() - startedAt > longestDelay) delay = firstDelay;
      await pause(delay, signal);
      delay = Math.min(2 * delay, longestDelay);
    }
  }

  /** Logs what is wrong once, not at every try, and that it is over. */
  #complain(complaint: string | undefined): void {
    if (complaint === this.#complaint) return;
    this.#complaint = complaint;
    this.#log(`realtime: replication ${complaint ? `lost: ${complaint}` : "goes on"}`);
  }

  /** One connection, from its slot to its end. */
  async #read(): Promise<void> {
    const service = new LogicalReplicationService(
      {
        connectionString: this.#url,
        application_name: "realtime_replication_connection",
        keepAlive: true,
      },
      { acknowledge: { auto: false, timeoutSeconds: 0 } },
    );
    this.#service = service;
    let started = false;
    service.on("start", () => {
      started = true;
      this.#ready.resolve();
      this.#complain(undefined);
      if (this.#stopping.signal.aborted) void service.stop();
    });
    service.on("data", (_lsn, log: Pgoutput.Message) => this.#receive(log));
    const stopConfirming = confirmReading(service);
    // The same error ends `subscribe`.
    service.on("error", () => {});
    try {
      const slot = `supabase_realtime_messages_replication_slot_${crypto.randomUUID().slice(0, 8)}`;
      await service.subscribe(
        new TemporarySlot({ protoVersion: 1, publicationNames: [publication] }),
        slot,
      );
    } finally {
      stopConfirming();
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
    const { id, topic, event, payload, binary_payload: binary, private: isPrivate } = log.new;
    if (event === null || isPrivate === null || (payload === null && binary === null)) return;
    try {
      const content = binary === null ? payload : bytesOf(binary);
      this.#onMessage({ id, topic, event, payload: content, isPrivate: isPrivate === "t" });
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

const confirmInterval = 1_000;
const firstDelay = 100;
const longestDelay = 2_000;

/** The bytes behind `\\x0aff…`, as Postgres writes a bytea. */
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.slice(2), "hex"));

const messageOf = (error: unknown) => error instanceof Error ? error.message : String(error);

/** Tells the server how far it was read, often enough to let WAL go; returns how to end that. */
function confirmReading(service: LogicalReplicationService): () => void {
  let confirmed = service.lastLsn();
  const confirm = (lsn: string) => {
    confirmed = lsn;
    void service.acknowledge(before(lsn));
  };
  const timer = setInterval(() => {
    if (service.lastLsn() !== confirmed) confirm(service.lastLsn());
  }, confirmInterval);
  // It asks whether the reader is still there, and before it shuts down, whether all was read.
  service.on("heartbeat", (lsn, _time, asked) => void (asked && confirm(lsn)));
  return () => clearInterval(timer);
}

/**
 * The library confirms one byte more than it is told. Told the truth, it would confirm what was
 * never sent, and a server that shuts down waits for exactly what it sent.
 */
function before(lsn: string): string {
  const [high, low] = lsn.split("/").map((half) => BigInt(`0x${half}`)) as [bigint, bigint];
  const previous = (high << 32n) + low - 1n;
  return `${(previous >> 32n).toString(16)}/${(previous & 0xffffffffn).toString(16)}`;
}
