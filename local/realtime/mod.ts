import type { Keys } from "../keys.ts";
import type { Log, Part } from "../part.ts";
import type { Database } from "../postgres/mod.ts";
import { Archive, broadcastOf, type StoredMessage } from "./archive.ts";
import { Authorization } from "./authorization.ts";
import { Connections } from "./connections.ts";
import { answerBroadcast, isBroadcastPath } from "./http.ts";
import type { Hub } from "./hub.ts";
import { hostedLimits, type Limits, ratesOf } from "./limits.ts";
import { MessagesTable } from "./messages.ts";
import { Replication } from "./replication.ts";
import { Rooms } from "./rooms.ts";
import { inTime } from "./time.ts";
import { encoder, longestName } from "./wire.ts";

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

/** Serves `/realtime/v1/websocket` and `/realtime/v1/api/broadcast`; what commits after this resolves is delivered. */
export async function createRealtime(context: Context): Promise<Realtime> {
  const { keys, log } = context;
  const url = context.database.url("supabase_admin");
  const limits = { ...hostedLimits, ...context.limits };
  const rates = ratesOf(limits);
  const rooms = new Rooms(rates.events);
  const messages = await MessagesTable.open(url, log);
  const authorization = new Authorization(url, limits, log);
  const archive = new Archive(url, limits, log);
  const replication = new Replication(url, (message) => deliver(hub, message), log);
  const replicationReady = () => replication.readyWithin(limits.replicationReady);
  const hub: Hub = {
    keys,
    limits,
    rates,
    rooms,
    authorization,
    archive,
    replicationReady,
    log,
  };
  const connections = new Connections(hub);
  if (!(await replicationReady())) log("realtime: still waiting for the replication slot");

  let stopped: Promise<void> | undefined;
  const stop = async () => {
    const parts = [connections, replication, messages, authorization, archive];
    await inTime(Promise.all(parts.map((part) => part.stop())), patience);
  };
  return {
    fetch: (request) =>
      isBroadcastPath(request) ? answerBroadcast(hub, request) : connections.accept(request),
    get size() {
      return { connections: connections.size, rooms: rooms.size };
    },
    stop: () => stopped ??= stop(),
  };
}

/** How long clients and policies have to let go; what is left then ends with the process. */
const patience = 1_500;

/** Hands a stored message to its room. */
function deliver({ limits, rates, rooms, log }: Hub, message: StoredMessage): void {
  const { topic, event, isPrivate } = message;
  const skip = (why: string) => log(`realtime: UnableToBroadcastChanges: ${topic}: ${why}`);
  // The row's flag, not who listens, decides which of two rooms of one name it is for.
  const room = rooms.find(topic, isPrivate);
  if (!room) return rates.events.add();
  const broadcast = broadcastOf(message);
  if (broadcast.payload.length > limits.payloadBytes) return skip("payload too big");
  if (encoder.encode(event).length > longestName) return skip("event name too long");
  if (rates.events.exceeded) return skip("too many messages per second");
  rates.events.add();
  room.broadcast(broadcast);
}
