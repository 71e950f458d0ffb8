import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { RawSocket, userBroadcastPush } from "./raw_socket.ts";
import { newTopic, startRealtime, type TestRealtime } from "./support.ts";

const ok = { status: "ok", response: {} };
const open = (realtime: TestRealtime) => RawSocket.open(realtime.url, realtime.keys.publishable);

Deno.test("a heartbeat is answered, a topic nobody joined is not", async () => {
  await using realtime = await startRealtime();
  await using socket = await open(realtime);
  assertEquals(await socket.call("phoenix", "heartbeat", {}), ok);
  const unmatched = { status: "error", response: { reason: "unmatched topic" } };
  assertEquals(await socket.call("realtime:nobody", "broadcast", {}), unmatched);
  assertEquals(await socket.call("other:topic", "phx_join", {}), unmatched);
  assertEquals(await socket.call("realtime:nobody", "phx_leave", {}), ok);
});

Deno.test("a join answers each Postgres Changes filter in order, and says they are not served", async () => {
  await using realtime = await startRealtime();
  await using socket = await open(realtime);
  const topic = newTopic();
  const filters = [{ event: "INSERT", schema: "public", table: "b" }, { event: "*", schema: "a" }];
  const { status, response } = await socket.join(topic, { postgres_changes: filters });
  assertEquals([status, response], ["ok", {
    postgres_changes: filters.map((filter, id) => ({ ...filter, id })),
  }]);
  const { payload } = await socket.frame((frame) => frame.event === "system");
  assertEquals([payload.extension, payload.status], ["postgres_changes", "error"]);
});

Deno.test("a join that asks for nothing gets an empty list", async () => {
  await using realtime = await startRealtime();
  await using socket = await open(realtime);
  const { status, response } = await socket.join(newTopic());
  assertEquals([status, response], ["ok", { postgres_changes: [] }]);
});

Deno.test("a topic needs a name, a public channel has no replay", async () => {
  await using realtime = await startRealtime();
  await using socket = await open(realtime);
  const refusals = [
    await socket.join(""),
    await socket.join(newTopic(), { broadcast: { replay: { since: 0 } } }),
  ];
  assertEquals(refusals.map(({ status, response }) => [status, response.reason]), [
    ["error", "TopicNameRequired: You must provide a topic name"],
    ["error", "UnableToReplayMessages: Replay is not allowed for public channels"],
  ]);
});

Deno.test("a second join on one socket closes the first", async () => {
  await using realtime = await startRealtime();
  await using socket = await open(realtime);
  const topic = newTopic();
  const first = await socket.join(topic);
  const second = await socket.join(topic);
  assertEquals(second.status, "ok");
  assertEquals(
    socket.on(topic, "phx_close").map(({ joinRef, ref, payload }) => [joinRef, ref, payload]),
    [[first.ref, first.ref, {}]],
  );
  assertEquals(realtime.part.size.rooms, 1);
});

Deno.test("leaving is answered, closes the channel and forgets it", async () => {
  await using realtime = await startRealtime();
  await using socket = await open(realtime);
  const topic = newTopic();
  const { ref } = await socket.join(topic);
  const stale = socket.push(`realtime:${topic}`, "phx_leave", {}, "an earlier join");
  assertEquals(await socket.call(`realtime:${topic}`, "phx_leave", {}, ref), ok);
  assertEquals(socket.on(topic, "phx_close").map((frame) => frame.ref), [ref]);
  assertEquals(socket.received.filter((frame) => frame.ref === stale), []);
  assertEquals(realtime.part.size.rooms, 0);
});

Deno.test("a broadcast reaches the others, and its sender only with self", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using sender = await open(realtime);
  await using echo = await open(realtime);
  await using other = await open(realtime);
  const { ref: joinRef } = await sender.join(topic);
  const { ref: echoRef } = await echo.join(topic, { broadcast: { self: "true" } });
  await other.join(topic);

  const push = { topic: `realtime:${topic}`, event: "e" };
  sender.send(userBroadcastPush({ ...push, joinRef, payload: { from: "sender" } }));
  await echo.frame((frame) => frame.event === "broadcast");
  echo.send(userBroadcastPush({ ...push, joinRef: echoRef, payload: { from: "echo" } }));
  await Promise.all(
    [sender, other].map((socket) =>
      socket.frame((frame) => (frame.payload.payload as { from?: string })?.from === "echo")
    ),
  );
  const heard = (socket: RawSocket) =>
    socket.on(topic, "broadcast").map((frame) => (frame.payload.payload as { from: string }).from);
  assertEquals([sender, echo, other].map(heard), [["echo"], ["sender", "echo"], [
    "sender",
    "echo",
  ]]);
});

Deno.test("a binary push arrives as a binary frame, a text push as a text frame", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using socket = await open(realtime);
  await socket.join(topic, { broadcast: { self: true } });
  socket.send(
    userBroadcastPush({ topic: `realtime:${topic}`, event: "höflich", payload: { n: 1 } }),
  );
  const text = { type: "broadcast", event: "plain", payload: { n: 2 } };
  socket.push(`realtime:${topic}`, "broadcast", text);
  await socket.frame((frame) => frame.payload.event === "plain");
  assertEquals(
    socket.on(topic, "broadcast").map(({ binary, joinRef, ref, payload }) => ({
      binary,
      joinRef,
      ref,
      payload,
    })),
    [
      {
        binary: true,
        joinRef: null,
        ref: null,
        payload: { type: "broadcast", event: "höflich", payload: { n: 1 } },
      },
      { binary: false, joinRef: null, ref: null, payload: text },
    ],
  );
});

Deno.test("bytes reach the others as they are", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using sender = await open(realtime);
  await using other = await open(realtime);
  const { ref: joinRef } = await sender.join(topic, { broadcast: { ack: true } });
  await other.join(topic);
  const push = { topic: `realtime:${topic}`, joinRef };
  const payload = Uint8Array.of(0, 1, 254, 255);
  sender.send(userBroadcastPush({ ...push, ref: "b", event: "bytes", payload }));
  assertEquals(await sender.reply("b"), ok);
  const { payload: message } = await other.frame((frame) => frame.event === "broadcast");
  assertEquals([message.event, [...message.payload as Uint8Array]], ["bytes", [...payload]]);
});

Deno.test("with ack a broadcast is answered once it is delivered, or too big", async () => {
  await using realtime = await startRealtime({ payloadBytes: 100 });
  const topic = newTopic();
  await using sender = await open(realtime);
  await using other = await open(realtime);
  await sender.join(topic, { broadcast: { ack: true } });
  await other.join(topic);
  const push = (ref: string, payload: unknown) =>
    sender.send(userBroadcastPush({ topic: `realtime:${topic}`, ref, event: "e", payload }));
  push("small", "x".repeat(90));
  push("big", "x".repeat(100));
  assertEquals(await sender.reply("small"), ok);
  assertEquals(await sender.reply("big") as unknown, {
    status: "error",
    response: "payload_size_exceeded",
  });
  await other.settled();
  assertEquals(other.on(topic, "broadcast").length, 1);
});

Deno.test("one channel more than a socket may have is refused", async () => {
  await using realtime = await startRealtime({ channelsPerConnection: 2 });
  await using socket = await open(realtime);
  const answers = [
    await socket.join(newTopic()),
    await socket.join(newTopic()),
    await socket.join(newTopic()),
  ];
  assertEquals(answers.map(({ status, response }) => [status, response.reason]), [
    ["ok", undefined],
    ["ok", undefined],
    ["error", "ChannelRateLimitReached: Too many channels"],
  ]);
});

Deno.test("too many joins end in a refusal and the end of the socket", async () => {
  await using realtime = await startRealtime({ joinsPerSecond: 1 / 60 });
  await using socket = await open(realtime);
  for (let joins = 0; joins < 2; joins++) {
    assertEquals((await socket.join(newTopic())).status, "ok");
  }
  const { response } = await socket.join(newTopic());
  assertEquals(response.reason, "ClientJoinRateLimitReached: Too many joins per second");
  assertEquals((await socket.closed).code, 1000);
});

Deno.test("too many messages close the channels they reach", async () => {
  await using realtime = await startRealtime({ eventsPerSecond: 0 });
  await using socket = await open(realtime);
  const topic = newTopic();
  const { ref } = await socket.join(topic, { broadcast: { self: true } });
  socket.push(`realtime:${topic}`, "broadcast", { type: "broadcast", event: "e", payload: {} });
  await socket.frame((frame) => frame.event === "phx_close");
  assertEquals(
    socket.received.slice(-2).map(({ joinRef, event, payload }) => [joinRef, event, payload]),
    [
      [ref, "system", {
        extension: "system",
        status: "error",
        message: "Too many messages per second",
        channel: topic,
      }],
      [ref, "phx_close", {}],
    ],
  );
});

Deno.test("a frame that is too big or no frame of the protocol ends the socket", async () => {
  await using realtime = await startRealtime({ frameBytes: 1000 });
  await using big = await open(realtime);
  big.send("x".repeat(1001));
  assertEquals((await big.closed).code, 1009);
  await using wrong = await open(realtime);
  wrong.send("hello");
  assertEquals((await wrong.closed).code, 1007);
});
