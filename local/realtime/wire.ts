/** One message of the Phoenix protocol. */
export interface Message {
  joinRef: string | null;
  ref: string | null;
  topic: string;
  event: string;
  payload: unknown;
}

export type Bytes = Uint8Array<ArrayBuffer>;

export type Frame = string | Bytes;

/** A broadcast whose payload travels from the sender to the members as the bytes it came in. */
export class UserBroadcast {
  constructor(
    readonly event: string,
    readonly encoding: "json" | "binary",
    readonly payload: Uint8Array,
    readonly meta?: Record<string, unknown>,
  ) {}
}

/** One version of the wire format. */
export interface Serializer {
  /** Throws `MalformedFrame` for anything a Phoenix client does not send. */
  decode(frame: Frame): Message;
  encode(message: Message): Frame;
  /** What all members of a room receive alike; undefined where this format cannot carry it. */
  broadcast(topic: string, event: string, payload: unknown): Frame | undefined;
  /** A broadcast of earlier, for the one member that joined with `joinRef` and asked for it. */
  replay(joinRef: string | null, topic: string, message: UserBroadcast): Frame | undefined;
}

export class MalformedFrame extends Error {
  override name = "MalformedFrame";
}

/** Bytes a topic or event may have: their length is one byte of a binary frame. */
export const longestName = 255;

/** The bytes of a payload as it travels. */
export function sizeOf(payload: unknown): number {
  if (payload instanceof UserBroadcast) return payload.payload.length;
  return payload instanceof Uint8Array
    ? payload.length
    : encoder.encode(JSON.stringify(payload)).length;
}

export const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function decodeBytes(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new MalformedFrame("not UTF-8");
  }
}
