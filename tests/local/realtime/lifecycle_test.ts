import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";
import { until } from "../../support/wait.ts";
import { RawSocket } from "./raw_socket.ts";
import { busyBackends, claimPolicies, connect, newTopic, startRealtime } from "./support.ts";

/** A timer or socket left behind fails these tests. */
const strict = { sanitizeOps: true, sanitizeResources: true };

Deno.test("200 clients come and go, and nothing of them stays", strict, async () => {
  await using realtime = await startRealtime();
  const rooms = Array.from({ length: 10 }, newTopic);
  for (let round = 0; round < 10; round++) {
    const sockets = await Promise.all(rooms.flatMap(async (room) => {
      const pair = [realtime.keys.secret, realtime.keys.publishable]
        .map((key) => RawSocket.open(realtime.url, key));
      const [inside, outside] = await Promise.all(pair) as [RawSocket, RawSocket];
      const presence = { enabled: true, key: "k" };
      await inside.join(room, { private: true, presence });
      await outside.join(room, { presence });
      await outside.call(`realtime:${room}`, "presence", { event: "track", payload: {} });
      return [inside, outside];
    }));
    assertEquals(realtime.part.size, { connections: 20, rooms: 20 });
    await Promise.all(sockets.flat().map((socket) => socket[Symbol.asyncDispose]()));
    await until(() => realtime.part.size.connections === 0);
    assertEquals(realtime.part.size.rooms, 0);
  }
});

Deno.test("stopping sends clients away so that they come back", strict, async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using socket = await RawSocket.open(realtime.url, realtime.keys.publishable);
  await socket.join(topic);
  const startedAt = performance.now();
  await realtime.part.stop();
  ok(performance.now() - startedAt < 2_000);
  const { code, wasClean } = await socket.closed;
  assertEquals([code, wasClean], [1012, true]);
  assertEquals(socket.on(topic, "system").map(({ payload }) => payload), [{
    extension: "system",
    status: "ok",
    message: "Server requested disconnect",
    channel: topic,
  }]);
  // A phx_close would tell realtime-js to give the channel up for good.
  assertEquals(socket.on(topic, "phx_close"), []);
  assertEquals(realtime.part.size, { connections: 0, rooms: 0 });
});

Deno.test("supabase-js comes back by itself after a restart", async () => {
  await using realtime = await startRealtime();
  const client = createClient(realtime.url, realtime.keys.publishable);
  const heard: unknown[] = [];
  const states: string[] = [];
  const topic = newTopic();
  client.channel(topic).on("broadcast", { event: "*" }, (message) => heard.push(message.event))
    .subscribe((state) => states.push(state));
  await until(() => states.includes("SUBSCRIBED"));
  await realtime.restart();
  await until(() => states.filter((state) => state === "SUBSCRIBED").length === 2);
  await using sql = connect();
  await sql`select realtime.send('{}', 'after', ${topic}, false)`;
  await until(() => heard.length === 1);
  await client.removeAllChannels();
});

Deno.test(
  "stopping waits neither for a slow policy nor for a client that is stuck",
  strict,
  async () => {
    await using _policies = await claimPolicies("sleeps");
    await using realtime = await startRealtime({ policyTimeout: 5_000 });
    const topic = newTopic();
    await using socket = await RawSocket.open(realtime.url, realtime.keys.publishable);
    const token = await realtime.token({ sleeps: topic });
    socket.push(`realtime:${topic}`, "phx_join", {
      access_token: token,
      config: { private: true },
    });
    await using sql = connect("supabase_admin");
    await until(async () => (await busyBackends(sql, realtime)).length === 1);
    const startedAt = performance.now();
    await realtime.part.stop();
    ok(performance.now() - startedAt < 2_000);
    // Asleep it would hold up whoever changes a policy.
    for (const pid of await busyBackends(sql, realtime)) {
      await sql`select pg_terminate_backend(${pid})`;
    }
  },
);

Deno.test("a client that sends nothing any more is let go", async () => {
  await using realtime = await startRealtime({ idleTimeout: 500 });
  await using silent = await RawSocket.open(realtime.url, realtime.keys.publishable);
  await using alive = await RawSocket.open(realtime.url, realtime.keys.publishable);
  const heartbeat = setInterval(() => alive.push("phoenix", "heartbeat", {}), 50);
  assertEquals((await silent.closed).code, 1000);
  clearInterval(heartbeat);
  await alive.settled();
});

Deno.test("a client that does not take its messages is let go", async () => {
  await using realtime = await startRealtime({ bufferedBytes: 1_000 });
  await using socket = await RawSocket.open(realtime.url, realtime.keys.publishable);
  await using sql = connect();
  const topic = newTopic();
  await socket.join(topic);
  await sql`select realtime.send(jsonb_build_object('x', repeat('x', 1000)), 'e', ${topic}, false)`;
  const { code, reason } = await socket.closed;
  assertEquals([code, reason], [1008, "too slow"]);
});

Deno.test("a client that sends more than can be handled is let go", async () => {
  await using realtime = await startRealtime({ bufferedBytes: 1_000 });
  await using socket = await RawSocket.open(realtime.url, realtime.keys.publishable);
  const topic = newTopic();
  socket.push(`realtime:${topic}`, "phx_join", { x: "x".repeat(1000) });
  const { code, reason } = await socket.closed;
  assertEquals([code, reason], [1008, "too fast"]);
});
