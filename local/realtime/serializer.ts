/** One message of the Phoenix protocol. */
export interface Message {
  joinRef: string | null;
  ref: string | null;
  topic: string;
  event: string;
  payload: unknown;
}

export type Frame = string | Uint8Array<ArrayBuffer>;

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
}

export class MalformedFrame extends Error {
  override name = "MalformedFrame";
}

/** The serializer for the `vsn` a client asks for. */
export function serializerFor(vsn: string): Serializer | undefined {
  return /^2\.\d+\.\d+$/.test(vsn) ? version2 : undefined;
}

const version2: Serializer = {
  decode: (frame) => typeof frame === "string" ? decodeText(frame) : decodePush(frame),
  encode: ({ joinRef, ref, topic, event, payload }) =>
    JSON.stringify([joinRef, ref, topic, event, payload]),
  broadcast(topic, event, payload) {
    if (payload instanceof UserBroadcast) return encodeBroadcast(topic, payload);
    return JSON.stringify([null, null, topic, event, payload]);
  },
};

function decodeText(frame: string): Message {
  let parts: unknown;
  try {
    parts = JSON.parse(frame);
  } catch {
    throw new MalformedFrame("not JSON");
  }
  if (!Array.isArray(parts) || parts.length < 5) throw new MalformedFrame("not a vsn 2 array");
  const [joinRef, ref, topic, event, payload] = parts;
  if (typeof topic !== "string" || typeof event !== "string") {
    throw new MalformedFrame("topic and event must be text");
  }
  return { joinRef: reference(joinRef), ref: reference(ref), topic, event, payload };
}

const reference = (value: unknown): string | null =>
  value === null || value === undefined ? null : String(value);

/** The bytes of a payload as it travels. */
export function sizeOf(payload: unknown): number {
  return payload instanceof UserBroadcast
    ? payload.payload.length
    : encoder.encode(JSON.stringify(payload)).length;
}

/** Kinds of binary frames, and the byte that says how the payload is encoded. */
const kind = { userBroadcastPush: 3, userBroadcast: 4 } as const;
const encodings = ["binary", "json"] as const;

/** Bytes a topic or event may have: their length is one byte of a binary frame. */
export const longestName = 255;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** `[3][joinRef][ref][topic][event][meta][encoding]`: five lengths in bytes, then the texts, then the payload. */
function decodePush(frame: Uint8Array<ArrayBuffer>): Message {
  const header = 7;
  if (frame[0] !== kind.userBroadcastPush || frame.length < header) {
    throw new MalformedFrame("unknown binary frame");
  }
  let offset = header;
  const texts = [...frame.subarray(1, 6)].map((length) => {
    const end = offset + length;
    if (end > frame.length) throw new MalformedFrame("binary frame too short");
    const text = decodeBytes(frame.subarray(offset, end));
    offset = end;
    return text;
  });
  const [joinRef, ref, topic, event] = texts as [string, string, string, string];
  const encoding = frame[6] === 0 ? "binary" : "json";
  return {
    joinRef: joinRef || null,
    ref: ref || null,
    topic,
    event: "broadcast",
    payload: new UserBroadcast(event, encoding, frame.subarray(offset)),
  };
}

function decodeBytes(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new MalformedFrame("not UTF-8");
  }
}

/** `[4][topic][event][meta][encoding]`, then the texts, then the payload. */
function encodeBroadcast(topic: string, message: UserBroadcast): Frame | undefined {
  const meta = message.meta ? JSON.stringify(message.meta) : "";
  const texts = [topic, message.event, meta].map((text) => encoder.encode(text));
  if (texts.some((text) => text.length > longestName)) return undefined;
  const header = [kind.userBroadcast, ...texts.map((text) => text.length)];
  const parts = [
    Uint8Array.from([...header, encodings.indexOf(message.encoding)]),
    ...texts,
    message.payload,
  ];
  const frame = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    frame.set(part, offset);
    offset += part.length;
  }
  return frame;
}
