// @ts-types="@types/pg"
import { Pool } from "pg";
import type { Log } from "../part.ts";
import type { Limits } from "./limits.ts";
import { Refusal } from "./refusal.ts";
import { encoder, UserBroadcast } from "./wire.ts";

/** One committed row of `realtime.messages`, its payload as the JSON text Postgres wrote, or bytes. */
export interface StoredMessage {
  id: string;
  topic: string;
  event: string;
  payload: string | Uint8Array;
  isPrivate: boolean;
}

/** The stored message as clients receive it. */
export function broadcastOf(
  { id, event, payload }: StoredMessage,
  meta: Record<string, unknown> = {},
): UserBroadcast {
  return typeof payload === "string"
    ? new UserBroadcast(event, "json", encoder.encode(payload), { ...meta, id })
    : new UserBroadcast(event, "binary", payload, { ...meta, id });
}

/** How many of the newest messages a join may ask for, and gets when it names no number. */
const most = 25;

/** What a join asks to hear again: messages since a time in milliseconds, the newest so many. */
export interface ReplayRequest {
  since: number;
  limit: number;
}

/** Undefined where the client wrote no object, which hosted takes for no wish; throws for a wrong one. */
export function readReplay(wish: unknown): ReplayRequest | undefined {
  if (typeof wish !== "object" || wish === null || Array.isArray(wish)) return undefined;
  const { since, limit } = wish as Record<string, unknown>;
  const request = { since: since ?? 0, limit: limit ?? most };
  if (!Number.isSafeInteger(request.since) || !Number.isSafeInteger(request.limit)) {
    throw new Refusal("UnableToReplayMessages", "Replay params are not valid");
  }
  const { since: from, limit: count } = request as ReplayRequest;
  return { since: from, limit: Math.max(1, Math.min(count, most)) };
}

/** The messages of private topics that are still kept, for those who join late. */
export class Archive {
  readonly #pool: Pool;
  readonly #log: Log;

  constructor(url: string, limits: Limits, log: Log) {
    this.#log = log;
    this.#pool = new Pool({
      connectionString: url,
      application_name: "realtime_connect",
      max: 2,
      connectionTimeoutMillis: 5_000,
      statement_timeout: limits.policyTimeout,
      query_timeout: 2 * limits.policyTimeout,
    });
    this.#pool.on("error", () => {});
    this.#pool.on("connect", (client) => client.on("error", () => {}));
  }

  /** Oldest first. */
  async read(topic: string, { since, limit }: ReplayRequest): Promise<StoredMessage[]> {
    try {
      const { rows } = await this.#pool.query<Row>(
        `select id, event, payload::text, binary_payload from realtime.messages
         where topic = $1 and private and extension = 'broadcast' and event is not null
           and inserted_at >= to_timestamp($2::bigint / 1000.0) at time zone 'UTC'
         order by inserted_at desc limit $3`,
        [topic, since, limit],
      );
      return rows.reverse().flatMap(({ id, event, payload, binary_payload: binary }) => {
        const content = binary ?? payload;
        return content === null ? [] : [{ id, topic, event, payload: content, isPrivate: true }];
      });
    } catch (error) {
      this.#log(`realtime: UnableToReplayMessages: ${messageOf(error)}`);
      throw new Refusal("UnableToReplayMessages", "Realtime was unable to replay messages");
    }
  }

  async stop(): Promise<void> {
    await this.#pool.end();
  }
}

interface Row {
  id: string;
  event: string;
  payload: string | null;
  binary_payload: Uint8Array | null;
}

const messageOf = (error: unknown) => error instanceof Error ? error.message : String(error);
