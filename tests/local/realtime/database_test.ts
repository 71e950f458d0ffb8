import { deepStrictEqual as assertEquals, match, ok, rejects } from "node:assert/strict";
import type postgres from "postgres";
import { until } from "../../support/wait.ts";
import { RawSocket, type Received } from "./raw_socket.ts";
import {
  busyBackends,
  claimPolicies,
  connect,
  newTopic,
  startRealtime,
  type TestRealtime,
} from "./support.ts";

/** A member of the private room of a topic: the secret key needs no policy. */
async function listen(realtime: TestRealtime, topic: string, config = {}): Promise<RawSocket> {
  const socket = await RawSocket.open(realtime.url, realtime.keys.secret);
  const { status } = await socket.join(topic, { private: true, ...config });
  assertEquals(status, "ok");
  return socket;
}

const send = (sql: postgres.Sql, topic: string, event: string, isPrivate = true) =>
  sql`select realtime.send('{"n": 1.10, "big": 12345678901234567890}', ${event}, ${topic}, ${isPrivate})`;

const events = (socket: RawSocket, topic: string) =>
  socket.on(topic, "broadcast").map((frame) => frame.payload.event);

const isBroadcast = (event: string) => (frame: Received) =>
  frame.event === "broadcast" && frame.payload.event === event;

Deno.test("a message sent in the database arrives with its id, its numbers untouched", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using socket = await listen(realtime, topic);
  await using sql = connect();
  await send(sql, topic, "hello");
  const frame = await socket.frame(isBroadcast("hello"));
  const { id } = frame.payload.payload as { id: string };
  match(id, /^[0-9a-f-]{36}$/);
  assertEquals([frame.binary, frame.joinRef, frame.payload.meta], [true, null, { id }]);
  assertEquals(frame.text, `{"n": 1.10, "id": "${id}", "big": 12345678901234567890}`);
});

Deno.test("R1: bytes sent in the database arrive as they are, with their id", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using socket = await listen(realtime, topic);
  await using sql = connect();
  await sql`select realtime.send_binary('\\x0001feff', 'bytes', ${topic})`;
  await sql`select realtime.send_binary('', 'none', ${topic})`;
  await socket.frame(isBroadcast("none"));
  const frames = socket.on(topic, "broadcast");
  assertEquals(
    frames.map(({ binary, payload }) => [binary, [...payload.payload as Uint8Array]]),
    [[true, [0, 1, 254, 255]], [true, []]],
  );
  const stored = await sql<{ id: string }[]>`
    select id from realtime.messages where topic = ${topic} order by inserted_at`;
  assertEquals(frames.map(({ payload }) => payload.meta), stored.map(({ id }) => ({ id })));
});

Deno.test("the private flag of a message picks the room", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using inside = await listen(realtime, topic);
  await using outside = await listen(realtime, topic, { private: false });
  await using sql = connect();
  await send(sql, topic, "secret");
  await send(sql, topic, "public", false);
  await outside.frame(isBroadcast("public"));
  await inside.settled();
  assertEquals([events(inside, topic), events(outside, topic)], [["secret"], ["public"]]);
});

Deno.test("200 of 200 messages arrive, in the order they committed", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using socket = await listen(realtime, topic);
  await using sql = connect();
  const sent = Array.from({ length: 200 }, (_, n) => `e${n}`);
  for (const event of sent) await send(sql, topic, event);
  await socket.frame(isBroadcast("e199"));
  assertEquals(events(socket, topic), sent);
});

Deno.test("a message is there within moments of its commit, and not before", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using socket = await listen(realtime, topic);
  await using sql = connect();
  await using other = connect();
  await sql.begin(async (transaction) => {
    await transaction`select realtime.send('{}', 'first', ${topic})`;
    await transaction`select realtime.send('{}', 'second', ${topic})`;
    await send(other, topic, "outside");
    await socket.frame(isBroadcast("outside"));
  });
  const committedAt = performance.now();
  await until(() => events(socket, topic).length === 3, { every: 1 });
  const latency = performance.now() - committedAt;
  ok(latency < 1_000, `${latency} ms`);
  assertEquals(events(socket, topic), ["outside", "first", "second"]);
});

Deno.test("the message of a transaction that is rolled back is never delivered", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using socket = await listen(realtime, topic);
  await using sql = connect();
  const regret = new Error("regret");
  const undone = sql.begin(async (transaction) => {
    await transaction`select realtime.send('{}', 'never', ${topic})`;
    throw regret;
  });
  await rejects(undone, regret);
  await send(sql, topic, "after");
  await socket.frame(isBroadcast("after"));
  assertEquals(events(socket, topic), ["after"]);
});

Deno.test("broadcast_changes tells a row's old and new values", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  const name = `rt_${crypto.randomUUID().slice(0, 8)}`;
  await using socket = await listen(realtime, topic);
  await using sql = connect();
  await sql.unsafe(`
    create table public.${name} (id int primary key, title text);
    create function public.${name}_changed() returns trigger language plpgsql as $$ begin
      perform realtime.broadcast_changes('${topic}', tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
      return null;
    end $$;
    create trigger changed after insert or update or delete on public.${name}
      for each row execute function public.${name}_changed()`);
  try {
    await sql.unsafe(`insert into public.${name} values (1, 'a')`);
    await sql.unsafe(`update public.${name} set title = 'b'`);
    await sql.unsafe(`delete from public.${name}`);
    await socket.frame(isBroadcast("DELETE"));
  } finally {
    await sql.unsafe(`drop table public.${name}; drop function public.${name}_changed()`);
  }
  const [before, after] = [{ id: 1, title: "a" }, { id: 1, title: "b" }];
  const told = socket.on(topic, "broadcast").map(({ payload }) => {
    const { id, ...rest } = payload.payload as Record<string, unknown>;
    assertEquals((payload.meta as { id: string }).id, id);
    return rest;
  });
  const where = { table: name, schema: "public" };
  assertEquals(told, [
    { ...where, operation: "INSERT", record: before, old_record: null },
    { ...where, operation: "UPDATE", record: after, old_record: before },
    { ...where, operation: "DELETE", record: null, old_record: after },
  ]);
});

Deno.test("a caller without the right to write sends nothing, and its transaction goes on", async () => {
  await using _policies = await claimPolicies("writes");
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using socket = await listen(realtime, topic);
  await using sql = connect();
  const sendAs = (claims: unknown, event: string) =>
    sql.begin(async (transaction) => {
      await transaction`select set_config('request.jwt.claims', ${JSON.stringify(claims)}, true)`;
      await transaction`set local role authenticated`;
      await transaction`select realtime.send('{}', ${event}, ${topic})`;
      return await transaction`select 1 as still`;
    });
  assertEquals([...await sendAs({}, "forbidden")], [{ still: 1 }]);
  await sendAs({ writes: topic }, "allowed");
  await socket.frame(isBroadcast("allowed"));
  assertEquals(events(socket, topic), ["allowed"]);
});

Deno.test("what cannot be delivered is skipped and logged, what follows is delivered", async () => {
  await using realtime = await startRealtime({ payloadBytes: 100 });
  const topic = newTopic();
  await using socket = await listen(realtime, topic);
  await using sql = connect();
  await sql`select realtime.send(jsonb_build_object('x', repeat('x', 100)), 'big', ${topic})`;
  await send(sql, topic, "e".repeat(256));
  await send(sql, topic, "small");
  await socket.frame(isBroadcast("small"));
  assertEquals(events(socket, topic), ["small"]);
  assertEquals(realtime.lines.map((line) => line.split(": ")[1]), [
    "UnableToBroadcastChanges",
    "UnableToBroadcastChanges",
  ]);
});

Deno.test("reading goes on after every connection to the database was killed", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using socket = await listen(realtime, topic);
  await using sql = connect("supabase_admin");
  const killed = await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = ${realtime.applicationName}`;
  ok(killed.length > 0);
  await until(() => realtime.lines.includes("realtime: replication goes on"));
  await using again = await listen(realtime, topic, { broadcast: { replication_ready: true } });
  const { payload } = await again.frame((frame) => frame.event === "system");
  assertEquals([payload.status, payload.message], ["ok", "Replication connection established"]);
  await send(sql, topic, "after");
  await Promise.all([socket, again].map((member) => member.frame(isBroadcast("after"))));
});

Deno.test("a policy check that loses its connection is refused, the next one is answered", async () => {
  await using _policies = await claimPolicies("reads", "sleeps");
  await using realtime = await startRealtime();
  await using socket = await RawSocket.open(realtime.url, realtime.keys.publishable);
  await using sql = connect("supabase_admin");
  const topic = newTopic();
  const slow = await realtime.token({ sleeps: topic });
  const join = async () => {
    await using own = await RawSocket.open(realtime.url, realtime.keys.publishable);
    return (await own.join(topic, { private: true }, slow)).response.reason;
  };
  const joins = Promise.all([join(), join(), join(), join()]);
  await until(async () => (await busyBackends(sql, realtime)).length === 4);
  for (const pid of await busyBackends(sql, realtime)) {
    await sql`select pg_terminate_backend(${pid})`;
  }
  const lost = "UnableToConnectToProject: Realtime was unable to connect to the project database";
  assertEquals(await joins, [lost, lost, lost, lost]);
  const token = await realtime.token({ reads: topic });
  assertEquals((await socket.join(topic, { private: true }, token)).status, "ok");
});

Deno.test("the server hears how far it was read, to the byte", async () => {
  await using realtime = await startRealtime();
  await using sql = connect("supabase_admin");
  const [{ end }] = await sql<[{ end: string }]>`
    select pg_logical_emit_message(true, 'test', repeat('x', 1000000)) as end`;
  const read = async () => {
    const [row] = await sql<{ enough: boolean; tooMuch: boolean }[]>`
      select flush_lsn >= ${end}::pg_lsn as enough, flush_lsn > sent_lsn as "tooMuch"
      from pg_stat_replication where application_name = ${realtime.applicationName}`;
    return row;
  };
  await until(async () => (await read())?.enough);
  // A server that shuts down waits until exactly what it sent is confirmed.
  assertEquals((await read())?.tooMuch, false);
});
