import {
  type Bytes,
  decodeBytes,
  encoder,
  longestName,
  MalformedFrame,
  type Message,
  UserBroadcast,
} from "./wire.ts";

/** Kinds of binary frames: Phoenix's own push and broadcast, and Realtime's, which know the encoding. */
const kind = { push: 0, broadcast: 2, userBroadcastPush: 3, userBroadcast: 4 } as const;
const encodings = ["binary", "json"] as const;

/** The message in a client's binary frame: `[kind]`, lengths in bytes, then the texts, then the payload. */
export function decodeBinary(frame: Bytes): Message {
  if (frame[0] === kind.push) {
    const { texts: [joinRef, ref, topic, event], payload } = split(frame, 4, 5);
    return { ...address(joinRef!, ref!, topic!), event: event!, payload };
  }
  if (frame[0] !== kind.userBroadcastPush) throw new MalformedFrame("unknown binary frame");
  const { texts: [joinRef, ref, topic, event], payload } = split(frame, 5, 7);
  const encoding = frame[6] === 0 ? "binary" : "json";
  return {
    ...address(joinRef!, ref!, topic!),
    event: "broadcast",
    payload: new UserBroadcast(event!, encoding, payload),
  };
}

const address = (joinRef: string, ref: string, topic: string) => ({
  joinRef: joinRef || null,
  ref: ref || null,
  topic,
});

function split(frame: Bytes, count: number, header: number): { texts: string[]; payload: Bytes } {
  if (frame.length < header) throw new MalformedFrame("binary frame too short");
  let offset = header;
  const texts = [...frame.subarray(1, 1 + count)].map((length) => {
    const end = offset + length;
    if (end > frame.length) throw new MalformedFrame("binary frame too short");
    const text = decodeBytes(frame.subarray(offset, end));
    offset = end;
    return text;
  });
  return { texts, payload: frame.subarray(offset) };
}

/** `[4][topic][event][meta][encoding]`; undefined where a name is too long for its length. */
export function encodeUserBroadcast(topic: string, message: UserBroadcast): Bytes | undefined {
  const meta = message.meta ? JSON.stringify(message.meta) : "";
  const encoding = encodings.indexOf(message.encoding);
  return join(kind.userBroadcast, [topic, message.event, meta], [encoding], message.payload);
}

/** `[2][topic][event]`: what a push of bytes becomes for the others. */
export function encodeBroadcast(
  topic: string,
  event: string,
  payload: Uint8Array,
): Bytes | undefined {
  return join(kind.broadcast, [topic, event], [], payload);
}

function join(
  kind: number,
  names: string[],
  flags: number[],
  payload: Uint8Array,
): Bytes | undefined {
  const texts = names.map((name) => encoder.encode(name));
  if (texts.some((text) => text.length > longestName)) return undefined;
  const header = Uint8Array.from([kind, ...texts.map((text) => text.length), ...flags]);
  const parts = [header, ...texts, payload];
  const frame = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    frame.set(part, offset);
    offset += part.length;
  }
  return frame;
}
