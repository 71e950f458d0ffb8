import { decodeBinary, encodeBroadcast, encodeUserBroadcast } from "./binary_frames.ts";
import {
  decodeBytes,
  MalformedFrame,
  type Message,
  type Serializer,
  UserBroadcast,
} from "./wire.ts";

/** The serializer for the `vsn` a client asks for. */
export function serializerFor(vsn: string): Serializer | undefined {
  if (/^1\.0\.\d+$/.test(vsn)) return version1;
  return /^2\.0\.\d+$/.test(vsn) ? version2 : undefined;
}

/** Objects, without a join reference on the way out; nothing binary either way. */
const version1: Serializer = {
  decode(frame) {
    if (typeof frame !== "string") throw new MalformedFrame("vsn 1 has no binary frames");
    const message = parse(frame);
    if (typeof message !== "object" || message === null || Array.isArray(message)) {
      throw new MalformedFrame("not a vsn 1 object");
    }
    const { topic, event, payload, ref, join_ref } = message as Record<string, unknown>;
    return messageOf(topic, event, payload, ref, join_ref);
  },
  encode: ({ ref, topic, event, payload }) => JSON.stringify({ topic, event, payload, ref }),
  broadcast(topic, event, payload) {
    if (payload instanceof UserBroadcast) return this.replay(null, topic, payload);
    if (payload instanceof Uint8Array) return undefined;
    return JSON.stringify({ topic, event, payload, ref: null });
  },
  replay(_joinRef, topic, message) {
    if (message.encoding === "binary") return undefined;
    return `{"topic":${JSON.stringify(topic)},"event":"broadcast",` +
      `"payload":${jsonOf(message)},"ref":null}`;
  },
};

/** Arrays; broadcasts of a client's or the database's own bytes travel as binary frames. */
const version2: Serializer = {
  decode(frame) {
    if (typeof frame !== "string") return decodeBinary(frame);
    const parts = parse(frame);
    if (!Array.isArray(parts) || parts.length < 5) throw new MalformedFrame("not a vsn 2 array");
    const [joinRef, ref, topic, event, payload] = parts;
    return messageOf(topic, event, payload, ref, joinRef);
  },
  encode: ({ joinRef, ref, topic, event, payload }) =>
    JSON.stringify([joinRef, ref, topic, event, payload]),
  broadcast(topic, event, payload) {
    if (payload instanceof UserBroadcast) return encodeUserBroadcast(topic, payload);
    if (payload instanceof Uint8Array) return encodeBroadcast(topic, event, payload);
    return JSON.stringify([null, null, topic, event, payload]);
  },
  replay(joinRef, topic, message) {
    if (message.encoding === "binary") return encodeUserBroadcast(topic, message);
    const start = JSON.stringify([joinRef, null, topic, "broadcast"]);
    return `${start.slice(0, -1)},${jsonOf(message)}]`;
  },
};

function parse(frame: string): unknown {
  try {
    return JSON.parse(frame);
  } catch {
    throw new MalformedFrame("not JSON");
  }
}

function messageOf(
  topic: unknown,
  event: unknown,
  payload: unknown,
  ref: unknown,
  joinRef: unknown,
): Message {
  if (typeof topic !== "string" || typeof event !== "string") {
    throw new MalformedFrame("topic and event must be text");
  }
  return { joinRef: reference(joinRef), ref: reference(ref), topic, event, payload };
}

const reference = (value: unknown): string | null =>
  value === null || value === undefined ? null : String(value);

/** The broadcast as text frames carry it. Its payload is not parsed: large numbers would change. */
function jsonOf({ event, payload, meta }: UserBroadcast): string {
  const rest = JSON.stringify({ event, type: "broadcast", ...(meta && { meta }) });
  return `${rest.slice(0, -1)},"payload":${decodeBytes(payload)}}`;
}
