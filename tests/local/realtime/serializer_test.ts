import { deepStrictEqual as assertEquals, throws } from "node:assert/strict";
import {
  MalformedFrame,
  serializerFor,
  UserBroadcast,
} from "../../../local/realtime/serializer.ts";
import { userBroadcastPush } from "./raw_socket.ts";

const serializer = serializerFor("2.0.0")!;
const encoder = new TextEncoder();

Deno.test("a text frame is an array of join reference, reference, topic, event and payload", () => {
  const message = serializer.decode('["1","2","realtime:a","phx_join",{"config":{}}]');
  assertEquals(message, {
    joinRef: "1",
    ref: "2",
    topic: "realtime:a",
    event: "phx_join",
    payload: { config: {} },
  });
  assertEquals(serializer.encode(message), '["1","2","realtime:a","phx_join",{"config":{}}]');
});

Deno.test("lengths in a binary frame count bytes, not characters", () => {
  const message = serializer.decode(
    userBroadcastPush({
      joinRef: "1",
      ref: "22",
      topic: "realtime:é€😀",
      event: "ß",
      payload: "ü",
    }),
  );
  assertEquals([message.joinRef, message.ref, message.topic], ["1", "22", "realtime:é€😀"]);
  const payload = message.payload as UserBroadcast;
  assertEquals([payload.event, payload.encoding], ["ß", "json"]);
  assertEquals(new TextDecoder().decode(payload.payload), '"ü"');
});

Deno.test("a broadcast goes out as the bytes it came in, with its meta", () => {
  const payload = encoder.encode('{"n": 12345678901234567890}');
  const frame = serializer.broadcast(
    "realtime:a",
    "broadcast",
    new UserBroadcast("e", "json", payload, { id: "7" }),
  );
  assertEquals(
    frame,
    Uint8Array.from([4, 10, 1, 10, 1, ...encoder.encode('realtime:ae{"id":"7"}'), ...payload]),
  );
});

Deno.test("a broadcast with an event too long for its frame has none", () => {
  const message = new UserBroadcast("e".repeat(256), "json", new Uint8Array());
  assertEquals(serializer.broadcast("realtime:a", "broadcast", message), undefined);
});

Deno.test("what no Phoenix client sends is refused", () => {
  const bad = [
    "",
    "{}",
    "[1,2,3]",
    '["1","2",3,"e",{}]',
    "[".repeat(100_000),
    new Uint8Array(),
    Uint8Array.from([3, 0, 0]),
    Uint8Array.from([3, 0, 0, 200, 0, 0, 1, 65]),
    Uint8Array.from([3, 0, 0, 1, 0, 0, 1, 0xff]),
    Uint8Array.from([9, 0, 0, 0, 0, 0, 0]),
  ];
  for (const frame of bad) throws(() => serializer.decode(frame), MalformedFrame);
});

Deno.test("only version 2 of the protocol is known", () => {
  assertEquals(["1.0.0", "2", "20.0.0", ""].map(serializerFor), [
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
