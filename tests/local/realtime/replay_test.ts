import { deepStrictEqual as assertEquals } from "node:assert/strict";
import type postgres from "postgres";
import { RawSocket } from "./raw_socket.ts";
import { claimPolicies, connect, newTopic, startRealtime, type TestRealtime } from "./support.ts";
import { until } from "../../support/wait.ts";

async function join(realtime: TestRealtime, topic: string, replay: unknown, vsn?: string) {
  const socket = await RawSocket.open(realtime.url, realtime.keys.secret, vsn);
  const { status, response, ref } = await socket.join(topic, {
    private: true,
    broadcast: { replay },
  });
  return Object.assign(socket, { status, reason: response.reason, ref });
}

const send = (sql: postgres.Sql, topic: string, event: string) =>
  sql`select realtime.send('{"n": 1.10}', ${event}, ${topic})`;

const events = (socket: RawSocket, topic: string) =>
  socket.on(topic, "broadcast").map((frame) => frame.payload.event);

Deno.test("R1: who joins late hears the newest 25 messages again, oldest first, once", async () => {
  await using realtime = await startRealtime();
  await using sql = connect();
  const topic = newTopic();
  const sent = Array.from({ length: 30 }, (_, n) => `e${n}`);
  for (const event of sent) await send(sql, topic, event);
  await using late = await join(realtime, topic, { since: 0, limit: 1000 });
  assertEquals([late.status, late.reason], ["ok", undefined]);
  await late.settled();
  assertEquals(events(late, topic), sent.slice(5));
  const [first] = late.on(topic, "broadcast");
  const { id } = first!.payload.meta as { id: string };
  assertEquals([first!.joinRef, first!.payload], [late.ref, {
    type: "broadcast",
    event: "e5",
    payload: { n: 1.1, id },
    meta: { replayed: true, id },
  }]);

  await send(sql, topic, "live");
  await late.frame((frame) => frame.payload.event === "live");
  assertEquals(events(late, topic), [...sent.slice(5), "live"]);
});

Deno.test("R1: replay takes as many as asked for, since when asked for, text and bytes", async () => {
  await using realtime = await startRealtime();
  await using sql = connect();
  const topic = newTopic();
  await send(sql, topic, "old");
  const [{ since }] = await sql<[{ since: number }]>`
    select (ceil(extract(epoch from clock_timestamp()) * 1000) + 1)::float8 as since`;
  await until(async () =>
    (await sql`select extract(epoch from clock_timestamp()) * 1000 > ${since} as past`)[0]!.past
  );
  await sql`select realtime.send_binary('\\x0aff', 'bytes', ${topic})`;
  await send(sql, topic, "text");

  await using some = await join(realtime, topic, { since });
  await some.settled();
  assertEquals(events(some, topic), ["bytes", "text"]);
  const [bytes] = some.on(topic, "broadcast");
  assertEquals(
    [bytes!.binary, new Uint8Array(bytes!.payload.payload as Uint8Array)],
    [true, Uint8Array.of(0x0a, 0xff)],
  );
  await using one = await join(realtime, topic, { limit: 0 });
  await one.settled();
  assertEquals(events(one, topic), ["text"]);
  await using older = await join(realtime, topic, {}, "1.0.0");
  await older.settled();
  assertEquals(events(older, topic), ["old", "text"]);
});

Deno.test("replay shows nothing of a public room, of another topic, or of what is no broadcast", async () => {
  await using realtime = await startRealtime();
  await using sql = connect();
  const topic = newTopic();
  await sql`select realtime.send('{}', 'public', ${topic}, false)`;
  await send(sql, `${topic}x`, "elsewhere");
  await sql`insert into realtime.messages (topic, extension, private) values (${topic}, 'presence', true)`;
  await using socket = await join(realtime, topic, { since: 0 });
  await socket.settled();
  assertEquals(events(socket, topic), []);
});

Deno.test("replay that makes no sense is refused, that is no wish at all is ignored", async () => {
  await using realtime = await startRealtime();
  const invalid = "UnableToReplayMessages: Replay params are not valid";
  for (const replay of [{ since: "yesterday" }, { limit: 1.5 }]) {
    await using socket = await join(realtime, newTopic(), replay);
    assertEquals([socket.status, socket.reason], ["error", invalid]);
  }
  await using far = await join(realtime, newTopic(), { since: Number.MIN_SAFE_INTEGER });
  assertEquals(far.reason, "UnableToReplayMessages: Realtime was unable to replay messages");
  await using ignored = await join(realtime, newTopic(), "please");
  assertEquals(ignored.status, "ok");
});

Deno.test("replay needs the right to read broadcasts", async () => {
  await using realtime = await startRealtime();
  await using _policies = await claimPolicies("reads", "sees");
  const topic = newTopic();
  await using socket = await RawSocket.open(realtime.url, realtime.keys.publishable);
  const config = {
    private: true,
    broadcast: { replay: { since: 0 } },
    presence: { enabled: true, key: "k" },
  };
  const { response } = await socket.join(topic, config, await realtime.token({ sees: topic }));
  assertEquals(
    response.reason,
    `Unauthorized: You do not have permissions to read from this Channel topic: ${topic}`,
  );
});
