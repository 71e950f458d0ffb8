import type { Keys } from "../keys.ts";
import type { Log, Part } from "../part.ts";
import type { Database } from "../postgres/mod.ts";
import { Authorization } from "./authorization.ts";
import type { Hub } from "./channel.ts";
import { Connections } from "./connections.ts";
import { hostedLimits, type Limits, ratesOf } from "./limits.ts";
import { MessagesTable } from "./messages.ts";
import { Replication, type StoredMessage } from "./replication.ts";
import { Rooms } from "./rooms.ts";
import { UserBroadcast } from "./serializer.ts";

export interface Context {
  keys: Keys;
  database: Pick<Database, "url">;
  log: Log;
  /** Tests lower them. */
  limits?: Partial<Limits>;
}

/** The Realtime stand-in, and what it holds at the moment. */
export interface Realtime extends Part {
  readonly size: { connections: number; rooms: number };
}

/** Serves `/realtime/v1/websocket`; what commits after this resolves is delivered. */
export async function createRealtime(context: Context): Promise<Realtime> {
  const { keys, log } = context;
  const url = context.database.url("supabase_admin");
  const limits = { ...hostedLimits, ...context.limits };
  const rates = ratesOf(limits);
  const rooms = new Rooms(rates.events);
  const messages = await MessagesTable.open(url, log);
  const authorization = new Authorization(url, limits, log);
  const replication = new Replication(url, (message) => deliver(hub, message), log);
  const replicationReady = () => replication.ready;
  const hub: Hub = { keys, limits, rates, rooms, authorization, replicationReady, log };
  const connections = new Connections(hub);
  await replication.ready;
  return {
    fetch: (request) => connections.accept(request),
    get size() {
      return { connections: connections.size, rooms: rooms.size };
    },
    async stop() {
      await connections.drain(1_000);
      await Promise.all([replication.stop(), messages.stop(), authorization.stop()]);
    },
  };
}

const encoder = new TextEncoder();

/** The row's `private` flag, not who listens, decides which of two rooms of one name it reaches. */
function deliver({ limits, rates, rooms, log }: Hub, message: StoredMessage): void {
  const payload = encoder.encode(message.payload);
  if (payload.length > limits.payloadBytes) {
    return log(`realtime: UnableToBroadcastChanges: payload of ${message.topic} too big`);
  }
  if (rates.events.exceeded) {
    return log(`realtime: UnableToBroadcastChanges: too many messages per second`);
  }
  rates.events.add();
  const { id, topic, event, isPrivate } = message;
  rooms.find(topic, isPrivate)?.broadcast(new UserBroadcast(event, "json", payload, { id }));
}
