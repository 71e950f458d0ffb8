import type { Keys } from "../keys.ts";
import type { Log } from "../part.ts";
import type { Archive } from "./archive.ts";
import type { Authorization } from "./authorization.ts";
import type { Channel } from "./channel.ts";
import type { Limits, Rates } from "./limits.ts";
import type { Rooms } from "./rooms.ts";
import type { Frame, Message, Serializer } from "./wire.ts";

/** What all channels share. */
export interface Hub {
  keys: Keys;
  limits: Limits;
  rates: Rates;
  rooms: Rooms;
  authorization: Authorization;
  archive: Archive;
  /** False when messages of the database are not being read in time. */
  replicationReady(): Promise<boolean>;
  log: Log;
}

/** The socket a channel lives on. */
export interface Transport {
  readonly serializer: Serializer;
  readonly apiKey: string;
  readonly headers: Record<string, string>;
  readonly channelCount: number;
  send(frame: Frame): void;
  /** Tells the client that the topic is not joined (any more). */
  refuse(message: Message): void;
  forget(channel: Channel): void;
  close(code: number, reason: string): void;
}
