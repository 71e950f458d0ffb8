import { deepStrictEqual as assertEquals, match, rejects } from "node:assert/strict";
import { createClient, type RealtimeChannel, type SupabaseClient } from "@supabase/supabase-js";
import { anonymous, createPerson } from "../../support/clients.ts";
import { getStack } from "../../support/stack.ts";
import { until } from "../../support/wait.ts";
import { connect, newTopic } from "./support.ts";

/** Subscribes; the state the channel settles in, with the reason where it is refused. */
function subscribe(channel: RealtimeChannel): Promise<string> {
  return new Promise((resolve) =>
    channel.subscribe((status, error) => resolve(error ? `${status}: ${error.message}` : status))
  );
}

/** Realtime of a client that ends with the test. */
function using(client: SupabaseClient): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      await client.removeAllChannels();
      await client.realtime.disconnect();
    },
  };
}

/** A policy that opens `<prefix>-<own id>` to each person, to read and to write. */
async function ownTopics(prefix: string): Promise<AsyncDisposable> {
  const sql = connect();
  const name = `rt_test_${crypto.randomUUID().slice(0, 8)}`;
  const own = `realtime.topic() = '${prefix}-' || auth.uid()`;
  await sql.unsafe(
    `create policy ${name}_read on realtime.messages for select to authenticated using (${own});
     create policy ${name}_write on realtime.messages for insert to authenticated with check (${own})`,
  );
  return {
    async [Symbol.asyncDispose]() {
      await sql.unsafe(
        `drop policy ${name}_read on realtime.messages; drop policy ${name}_write on realtime.messages`,
      );
      await sql.end();
    },
  };
}

Deno.test("R1: a person hears what the database sends on their own private channel", async () => {
  const prefix = newTopic();
  await using _topics = await ownTopics(prefix);
  const { client, id } = await createPerson();
  await using _end = using(client);
  await using sql = connect();
  const topic = `${prefix}-${id}`;
  const heard: unknown[] = [];
  const channel = client.channel(topic, { config: { private: true } })
    .on("broadcast", { event: "news" }, (message) => heard.push(message));
  assertEquals(await subscribe(channel), "SUBSCRIBED");
  await sql`select realtime.send('{"n": 1, "id": "mine"}', 'news', ${topic})`;
  const message = await until(() => heard[0] as { meta: { id: string } } | undefined);
  match(message.meta.id, /^[0-9a-f-]{36}$/);
  assertEquals(message, {
    type: "broadcast",
    event: "news",
    payload: { n: 1, id: "mine" },
    meta: message.meta,
  });
});

Deno.test("R1: a foreign private channel is refused, to a person and to a visitor", async () => {
  const prefix = newTopic();
  await using _topics = await ownTopics(prefix);
  const [ana, ben] = await Promise.all([createPerson(), createPerson()]);
  for (const client of [ben.client, anonymous()]) {
    await using _end = using(client);
    const topic = `${prefix}-${ana.id}`;
    assertEquals(
      await subscribe(client.channel(topic, { config: { private: true } })),
      `CHANNEL_ERROR: Unauthorized: You do not have permissions to read from this Channel topic: ${topic}`,
    );
  }
});

Deno.test("R1: two clients talk, see each other and leave", async () => {
  const topic = newTopic();
  const [ana, ben] = [anonymous(), anonymous()];
  await using _ana = using(ana);
  await using _ben = using(ben);
  const heard: unknown[] = [];
  const config = { broadcast: { ack: true }, presence: { key: "ana" } };
  const hers = ana.channel(topic, { config });
  const his = ben.channel(topic, { config: { presence: { key: "ben", enabled: true } } })
    .on("broadcast", { event: "*" }, ({ event, payload }) => heard.push([event, payload]));
  assertEquals(await Promise.all([subscribe(hers), subscribe(his)]), ["SUBSCRIBED", "SUBSCRIBED"]);

  const payload = { text: "grüß dich 😀" };
  assertEquals(await hers.send({ type: "broadcast", event: "sagt", payload }), "ok");
  await until(() => heard.length === 1);
  assertEquals(heard, [["sagt", payload]]);

  assertEquals(await hers.track({ mood: "fine" }), "ok");
  const [there] = await until(() => his.presenceState<{ mood: string }>().ana);
  assertEquals(there!.mood, "fine");
  assertEquals(await ana.removeChannel(hers), "ok");
  await until(() => !("ana" in his.presenceState()));
});

Deno.test("a new token reaches the channels that are open, and somebody else's closes them", async () => {
  const prefix = newTopic();
  await using _topics = await ownTopics(prefix);
  const { client, id } = await createPerson();
  await using _end = using(client);
  const topic = `${prefix}-${id}`;
  const channel = client.channel(topic, { config: { private: true, broadcast: { ack: true } } });
  assertEquals(await subscribe(channel), "SUBSCRIBED");
  const { error } = await client.auth.refreshSession();
  assertEquals(error, null);
  assertEquals(await channel.send({ type: "broadcast", event: "e", payload: {} }), "ok");

  const closed = new Promise<string>((resolve) =>
    channel.on("system", {}, ({ message }) => resolve(message))
  );
  const other = await createPerson();
  const { data } = await other.client.auth.getSession();
  await client.realtime.setAuth(data.session!.access_token);
  match(await closed, /^You do not have permissions to read/);
});

Deno.test("R1: bytes travel between clients, by socket and by HTTP, and text to a client of version 1", async () => {
  const topic = newTopic();
  const { url, publishableKey } = getStack();
  const [ana, ben] = [anonymous(), anonymous()];
  const old = createClient(url, publishableKey, { realtime: { vsn: "1.0.0" } });
  await using _ana = using(ana);
  await using _ben = using(ben);
  await using _old = using(old);
  const heard: [string, unknown][] = [];
  const heardOld: string[] = [];
  const his = ben.channel(topic).on("broadcast", { event: "*" }, ({ event, payload }) => {
    heard.push([event, payload instanceof ArrayBuffer ? [...new Uint8Array(payload)] : payload]);
  });
  const theirs = old.channel(topic)
    .on("broadcast", { event: "*" }, ({ event }) => void heardOld.push(event));
  const hers = ana.channel(topic, { config: { broadcast: { ack: true } } });
  assertEquals(
    await Promise.all([his, theirs, hers].map(subscribe)),
    new Array(3).fill("SUBSCRIBED"),
  );
  const bytes = Uint8Array.of(0, 255).buffer;
  await hers.send({ type: "broadcast", event: "socket", payload: bytes });
  assertEquals(await hers.httpSend("http", bytes), { success: true });
  assertEquals(await hers.httpSend("text", { n: 1 }), { success: true });
  await until(() => heard.length === 3 && heardOld.length === 1);
  assertEquals(heard, [["socket", [0, 255]], ["http", [0, 255]], ["text", { n: 1 }]]);
  assertEquals(heardOld, ["text"]);
  assertEquals(await theirs.send({ type: "broadcast", event: "answer", payload: {} }), "ok");
  await until(() => heard.length === 4);
});

Deno.test("R1: a private broadcast by HTTP goes as the person, and a late one hears it again", async () => {
  const prefix = newTopic();
  await using _topics = await ownTopics(prefix);
  const { client, id } = await createPerson();
  const stranger = await createPerson();
  await using _end = using(client);
  await using _strangers = using(stranger.client);
  await using sql = connect();
  const topic = `${prefix}-${id}`;
  const config = { private: true, broadcast: { replay: { since: 0, limit: 2 } } };
  const intruder = stranger.client.channel(topic, { config: { private: true } });
  await rejects(intruder.httpSend("news", { n: 0 }), /Unauthorized/);
  for (const n of [1, 2, 3]) {
    await sql`select realtime.send(jsonb_build_object('n', ${n}::int), 'news', ${topic})`;
  }
  const heard: unknown[] = [];
  const channel = client.channel(topic, { config })
    .on("broadcast", { event: "news" }, ({ payload, meta }) => {
      heard.push([payload.n, meta?.replayed === true]);
    });
  assertEquals(await subscribe(channel), "SUBSCRIBED");
  assertEquals(await channel.httpSend("news", { n: 4 }), { success: true });
  await until(() => heard.length === 3);
  assertEquals(heard, [[2, true], [3, true], [4, false]]);
});
