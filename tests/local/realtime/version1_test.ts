import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { RawSocket, userBroadcastPush } from "./raw_socket.ts";
import { connect, newTopic, startRealtime, type TestRealtime } from "./support.ts";

const open = (realtime: TestRealtime, vsn: string, apikey = realtime.keys.publishable) =>
  RawSocket.open(realtime.url, apikey, vsn);

const said = (socket: RawSocket, topic: string) =>
  socket.on(topic, "broadcast").map((frame) => frame.payload);

Deno.test("R1: a client of version 1 joins, talks with one of version 2, and leaves", async () => {
  await using realtime = await startRealtime();
  await using older = await open(realtime, "1.0.0");
  await using newer = await open(realtime, "2.0.0");
  const topic = newTopic();
  const { status, ref } = await older.join(topic, { broadcast: { ack: true } });
  assertEquals(status, "ok");
  const { ref: newerRef } = await newer.join(topic);

  const message = { type: "broadcast", event: "hi", payload: { from: "older" } };
  assertEquals(await older.call(`realtime:${topic}`, "broadcast", message, ref), {
    status: "ok",
    response: {},
  });
  await newer.frame((frame) => frame.event === "broadcast");
  assertEquals(said(newer, topic), [message]);

  const push = { topic: `realtime:${topic}`, joinRef: newerRef };
  newer.send(userBroadcastPush({ ...push, event: "bytes", payload: Uint8Array.of(1, 2) }));
  newer.send(userBroadcastPush({ ...push, event: "hi", payload: { from: "newer" } }));
  await older.frame((frame) => frame.event === "broadcast");
  // Bytes have no way to be told in version 1.
  assertEquals(said(older, topic), [{
    type: "broadcast",
    event: "hi",
    payload: { from: "newer" },
  }]);

  assertEquals((await older.call(`realtime:${topic}`, "phx_leave", {}, ref)).status, "ok");
  assertEquals(older.on(topic, "phx_close").map((frame) => frame.ref), [ref]);
});

Deno.test("R1: a client of version 1 hears the database, and is present", async () => {
  await using realtime = await startRealtime();
  await using older = await open(realtime, "1.0.0", realtime.keys.secret);
  await using sql = connect();
  const topic = newTopic();
  await older.join(topic, { private: true, presence: { key: "ana", enabled: true } });
  await older.call(`realtime:${topic}`, "presence", { event: "track", payload: { mood: "fine" } });
  const { payload: diff } = await older.frame((frame) => frame.event === "presence_diff");
  assertEquals(Object.keys(diff.joins as object), ["ana"]);
  await sql`select realtime.send_binary('\\x01', 'bytes', ${topic})`;
  await sql`select realtime.send('{"n": 1}', 'news', ${topic})`;
  const { payload } = await older.frame((frame) => frame.event === "broadcast");
  const { id } = payload.meta as { id: string };
  assertEquals(payload, {
    type: "broadcast",
    event: "news",
    payload: { n: 1, id },
    meta: { id },
  });
});

Deno.test("a binary frame ends a socket of version 1", async () => {
  await using realtime = await startRealtime();
  await using older = await open(realtime, "1.0.0");
  older.send(userBroadcastPush({ topic: "realtime:a", event: "e", payload: {} }));
  assertEquals((await older.closed).code, 1007);
});
