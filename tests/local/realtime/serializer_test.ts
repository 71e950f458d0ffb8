import { deepStrictEqual as assertEquals, throws } from "node:assert/strict";
import { serializerFor } from "../../../local/realtime/serializer.ts";
import { MalformedFrame, UserBroadcast } from "../../../local/realtime/wire.ts";
import { userBroadcastPush } from "./raw_socket.ts";

const serializer = serializerFor("2.0.0")!;
const older = serializerFor("1.0.0")!;
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
    Uint8Array.from([0, 0, 0]),
    Uint8Array.from([0, 9, 0, 0, 0]),
  ];
  for (const frame of bad) throws(() => serializer.decode(frame), MalformedFrame);
});

Deno.test("only versions 1 and 2 of the protocol are known", () => {
  assertEquals(["1", "1.1.0", "2", "3.0.0", "20.0.0", ""].flatMap((vsn) => serializerFor(vsn)), [
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("version 1 reads and writes objects, and names no join on the way out", () => {
  const text = '{"topic":"realtime:a","event":"phx_join","payload":{},"ref":"2","join_ref":"1"}';
  const message = older.decode(text);
  assertEquals(message, {
    joinRef: "1",
    ref: "2",
    topic: "realtime:a",
    event: "phx_join",
    payload: {},
  });
  assertEquals(JSON.parse(older.encode(message) as string), {
    topic: "realtime:a",
    event: "phx_join",
    payload: {},
    ref: "2",
  });
  for (const bad of ["[]", "null", "1", "{}", Uint8Array.from([3, 0, 0, 0, 0, 0, 1])]) {
    throws(() => older.decode(bad), MalformedFrame);
  }
});

Deno.test("version 1 carries a JSON broadcast with its numbers untouched, and no binary one", () => {
  const json = new UserBroadcast("e", "json", encoder.encode('{"n": 12345678901234567890}'), {
    id: "7",
  });
  assertEquals(
    older.broadcast("realtime:a", "broadcast", json),
    '{"topic":"realtime:a","event":"broadcast",' +
      '"payload":{"event":"e","type":"broadcast","meta":{"id":"7"},"payload":{"n": 12345678901234567890}},' +
      '"ref":null}',
  );
  const bytes = Uint8Array.from([1, 2]);
  const binary = new UserBroadcast("e", "binary", bytes);
  assertEquals(older.broadcast("realtime:a", "broadcast", binary), undefined);
  assertEquals(older.broadcast("realtime:a", "broadcast", bytes), undefined);
});

Deno.test("a replayed broadcast names the join that asked for it", () => {
  const json = new UserBroadcast("e", "json", encoder.encode('{"n": 1.10}'), { id: "7" });
  assertEquals(
    serializer.replay("1", "realtime:a", json),
    '["1",null,"realtime:a","broadcast",' +
      '{"event":"e","type":"broadcast","meta":{"id":"7"},"payload":{"n": 1.10}}]',
  );
  const binary = new UserBroadcast("e", "binary", Uint8Array.from([9]));
  assertEquals(
    serializer.replay("1", "realtime:a", binary),
    Uint8Array.from([4, 10, 1, 0, 0, ...encoder.encode("realtime:ae"), 9]),
  );
});

Deno.test("Phoenix's own push of bytes is read, and goes out as its own broadcast", () => {
  const texts = encoder.encode("12realtime:aevent");
  const message = serializer.decode(Uint8Array.from([0, 1, 1, 10, 5, ...texts, 7, 8]));
  assertEquals(message, {
    joinRef: "1",
    ref: "2",
    topic: "realtime:a",
    event: "event",
    payload: Uint8Array.from([7, 8]),
  });
  assertEquals(
    serializer.broadcast("realtime:a", "event", message.payload),
    Uint8Array.from([2, 10, 5, ...encoder.encode("realtime:aevent"), 7, 8]),
  );
});
