import { deepStrictEqual as assertEquals } from "node:assert/strict";
import type { Group } from "../../../local/realtime/presence.ts";
import { until } from "../../support/wait.ts";
import { RawSocket } from "./raw_socket.ts";
import {
  busyBackends,
  claimPolicies,
  connect,
  newTopic,
  startRealtime,
  type TestRealtime,
} from "./support.ts";

const open = (realtime: TestRealtime) => RawSocket.open(realtime.url, realtime.keys.publishable);

const message = (event: string) => ({ type: "broadcast", event, payload: {} });
const events = (socket: RawSocket, topic: string) =>
  socket.on(topic, "broadcast").map((frame) => frame.payload.event);

Deno.test("a private channel needs a policy that lets its topic be read", async (t) => {
  await using realtime = await startRealtime();
  await using socket = await open(realtime);
  const topic = newTopic();
  const denied = (name: string) => [
    "error",
    `Unauthorized: You do not have permissions to read from this Channel topic: ${name}`,
  ];
  const join = async (name: string, claims: Record<string, unknown>) => {
    const token = await realtime.token(claims);
    const { status, response } = await socket.join(name, { private: true }, token);
    return [status, response.reason];
  };

  await t.step("no policy: nobody", async () => {
    assertEquals(await join(topic, { reads: topic }), denied(topic));
  });

  await using _policies = await claimPolicies("reads", "sees");
  await t.step("the policy's topic: yes", async () => {
    assertEquals(await join(topic, { reads: topic }), ["ok", undefined]);
  });
  await t.step("another topic: no", async () => {
    assertEquals(await join(`${topic}x`, { reads: topic }), denied(`${topic}x`));
  });
  await t.step("without a token, the key's role counts: no", async () => {
    const { status, response } = await socket.join(topic, { private: true });
    assertEquals([status, response.reason], denied(topic));
  });
  await t.step("a role that does not exist: no", async () => {
    assertEquals(await join(topic, { reads: topic, role: "nobody" }), denied(topic));
  });
  await t.step("presence alone opens it where presence is asked for", async () => {
    const token = await realtime.token({ sees: topic });
    const presence = { enabled: true, key: "k" };
    const config = { private: true, presence };
    assertEquals((await socket.join(topic, config, token)).status, "ok");
    assertEquals(await join(topic, { sees: topic }), denied(topic));
  });
  await t.step("the secret key is above policies", async () => {
    await using admin = await RawSocket.open(realtime.url, realtime.keys.secret);
    assertEquals((await admin.join(topic, { private: true })).status, "ok");
  });
});

Deno.test("a policy that fails denies, and the log says why", async () => {
  await using _policies = await claimPolicies("raises");
  await using realtime = await startRealtime();
  await using socket = await open(realtime);
  const topic = newTopic();
  const token = await realtime.token({ raises: topic });
  const { response } = await socket.join(topic, { private: true }, token);
  assertEquals(
    response.reason,
    `Unauthorized: You do not have permissions to read from this Channel topic: ${topic}`,
  );
  assertEquals(realtime.lines, ["realtime: RlsPolicyError: division by zero"]);
});

Deno.test("a policy that takes too long denies", async () => {
  await using _policies = await claimPolicies("sleeps");
  await using realtime = await startRealtime({ policyTimeout: 100 });
  await using socket = await open(realtime);
  const topic = newTopic();
  const token = await realtime.token({ sleeps: topic });
  const { response } = await socket.join(topic, { private: true }, token);
  assertEquals(response.reason, "QueryCanceled: canceling statement due to statement timeout");
});

Deno.test("more policy checks than may wait are refused at once", async () => {
  await using _policies = await claimPolicies("sleeps");
  await using realtime = await startRealtime({ policyTimeout: 8_000, policyQueue: 1 });
  await using socket = await open(realtime);
  await using sql = connect("supabase_admin");
  const topics = Array.from({ length: 6 }, newTopic);
  const tokens = await Promise.all(topics.map((sleeps) => realtime.token({ sleeps })));
  const join = async (n: number) => {
    const { response } = await socket.join(topics[n]!, { private: true }, tokens[n]);
    return String(response.reason).split(":")[0];
  };
  const running = [0, 1, 2, 3].map(join);
  await until(async () => (await busyBackends(sql, realtime)).length === 4, { timeout: 8_000 });
  assertEquals(await Promise.race([4, 5].map(join)), "IncreaseConnectionPool");
  assertEquals(await Promise.all(running), new Array(4).fill("QueryCanceled"));
});

Deno.test("policies see the claims, the topic and the x- headers, as the caller's role", async () => {
  await using realtime = await startRealtime();
  await using socket = await open(realtime);
  const topic = newTopic();
  const sub = crypto.randomUUID();
  const sql = connect();
  const policy = `rt_test_${sub.slice(0, 8)}_context`;
  await sql.unsafe(`create policy ${policy} on realtime.messages for select to authenticated using (
    realtime.topic() = '${topic}' and topic = '${topic}' and current_user = 'authenticated'
    and auth.uid() = '${sub}' and auth.role() = 'authenticated' and auth.jwt() -> 'rooms' ? 'a'
    and jsonb_typeof(current_setting('request.headers')::jsonb) = 'object')`);
  try {
    const token = await realtime.token({ sub, rooms: ["a"] });
    assertEquals((await socket.join(topic, { private: true }, token)).status, "ok");
  } finally {
    await sql.unsafe(`drop policy ${policy} on realtime.messages`);
    await sql.end();
  }
});

Deno.test("probe rows are never there for anybody", async () => {
  await using _policies = await claimPolicies("reads", "writes");
  await using realtime = await startRealtime();
  await using socket = await open(realtime);
  const topic = newTopic();
  const token = await realtime.token({ reads: topic, writes: topic });
  await socket.join(topic, { private: true, broadcast: { self: true } }, token);
  socket.push(`realtime:${topic}`, "broadcast", message("e"));
  await socket.frame((frame) => frame.event === "broadcast");
  assertEquals(events(socket, topic), ["e"]);
  const sql = connect();
  assertEquals([...await sql`select from realtime.messages where topic = ${topic}`], []);
  await sql.end();
});

Deno.test("a broadcast without the right to write is dropped without a word", async () => {
  await using _policies = await claimPolicies("reads", "writes");
  await using realtime = await startRealtime();
  await using reader = await open(realtime);
  await using writer = await open(realtime);
  const topic = newTopic();
  const config = { private: true, broadcast: { ack: true } };
  await reader.join(topic, config, await realtime.token({ reads: topic }));
  await writer.join(topic, config, await realtime.token({ reads: topic, writes: topic }));

  const dropped = reader.push(`realtime:${topic}`, "broadcast", message("forbidden"));
  // Messages of a channel are handled in turn: with this answer the one before is done.
  await reader.call(`realtime:${topic}`, "presence", {});
  assertEquals(reader.received.filter((frame) => frame.ref === dropped), []);

  const ack = await writer.call(`realtime:${topic}`, "broadcast", message("allowed"));
  assertEquals(ack, { status: "ok", response: {} });
  await reader.settled();
  assertEquals([events(writer, topic), events(reader, topic)], [[], ["allowed"]]);
  // An answered no is no error.
  assertEquals(realtime.lines, []);
});

Deno.test("public and private channels of one name are two rooms", async () => {
  await using _policies = await claimPolicies("reads", "writes");
  await using realtime = await startRealtime();
  await using inside = await open(realtime);
  await using outside = await open(realtime);
  const topic = newTopic();
  const token = await realtime.token({ reads: topic, writes: topic });
  const broadcast = { self: true, ack: true };
  await inside.join(topic, { private: true, broadcast }, token);
  await outside.join(topic, { broadcast });
  await inside.call(`realtime:${topic}`, "broadcast", message("secret"));
  await outside.call(`realtime:${topic}`, "broadcast", message("public"));
  await Promise.all([inside.settled(), outside.settled()]);
  assertEquals([events(inside, topic), events(outside, topic)], [["secret"], ["public"]]);
});

Deno.test("presence is seen and shown as the policies say", async () => {
  await using _policies = await claimPolicies("reads", "sees", "shows");
  await using realtime = await startRealtime();
  const topic = newTopic();
  const join = async (socket: RawSocket, key: string, claims: Record<string, string>) => {
    const token = await realtime.token({ reads: topic, ...claims });
    await socket.join(topic, { private: true, presence: { enabled: true, key } }, token);
  };
  const track = (socket: RawSocket) =>
    socket.call(`realtime:${topic}`, "presence", { event: "track", payload: {} });
  await using blind = await open(realtime);
  await using watcher = await open(realtime);
  await using star = await open(realtime);
  await join(blind, "blind", {});
  await join(watcher, "watcher", { sees: topic });
  await join(star, "star", { sees: topic, shows: topic });

  assertEquals(await track(watcher), { status: "error", response: {} });
  assertEquals(await track(star), { status: "ok", response: {} });
  await until(() => watcher.on(topic, "presence_diff").length === 1);
  const { joins } = watcher.on(topic, "presence_diff")[0]!.payload as { joins: Group };
  assertEquals(Object.keys(joins), ["star"]);
  await blind.settled();
  assertEquals([blind.on(topic, "presence_state"), blind.on(topic, "presence_diff")], [[], []]);
});

Deno.test("who may only see presence gets no broadcast", async () => {
  await using _policies = await claimPolicies("reads", "writes", "sees");
  await using realtime = await startRealtime();
  await using watcher = await open(realtime);
  await using writer = await open(realtime);
  const topic = newTopic();
  const config = { private: true, presence: { enabled: true }, broadcast: { ack: true } };
  await watcher.join(topic, config, await realtime.token({ sees: topic }));
  await writer.join(topic, config, await realtime.token({ reads: topic, writes: topic }));
  await writer.call(`realtime:${topic}`, "broadcast", message("e"));
  await watcher.settled();
  assertEquals(watcher.on(topic, "broadcast"), []);
});
