import { deepStrictEqual as assertEquals, strictEqual } from "node:assert/strict";
import type { Diff, Group } from "../../../local/realtime/presence.ts";
import { RawSocket } from "./raw_socket.ts";
import { newTopic, startRealtime, type TestRealtime } from "./support.ts";

const open = (realtime: TestRealtime) => RawSocket.open(realtime.url, realtime.keys.publishable);
const ok = { status: "ok", response: {} };

const present = (key: string) => ({ presence: { enabled: true, key } });

function call(socket: RawSocket, topic: string, event: string, payload?: unknown) {
  return socket.call(`realtime:${topic}`, "presence", { type: "presence", event, payload });
}

const diffs = (socket: RawSocket, topic: string) =>
  socket.on(topic, "presence_diff").map((frame) => frame.payload as unknown as Diff);

/** Who is in a group, without the references. */
const moods = (group: Group) =>
  Object.fromEntries(
    Object.entries(group).map(([key, { metas }]) => [key, metas.map((meta) => meta.mood)]),
  );

Deno.test("who joins hears who is there, and then who comes and goes", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using ana = await open(realtime);
  await using ben = await open(realtime);
  await ana.join(topic, present("ana"));
  assertEquals((await ana.frame((frame) => frame.event === "presence_state")).payload, {});
  assertEquals(await call(ana, topic, "track", { mood: "fine" }), ok);

  const { ref } = await ben.join(topic, present("ben"));
  const state = await ben.frame((frame) => frame.event === "presence_state");
  assertEquals([state.joinRef, state.ref], [ref, null]);
  assertEquals(moods(state.payload as Group), { ana: ["fine"] });

  await call(ana, topic, "TRACK", { mood: "better" });
  await call(ana, topic, "untrack");
  await ben.settled();
  assertEquals(
    diffs(ben, topic).map(({ joins, leaves }) => [moods(joins), moods(leaves)]),
    [[{ ana: ["better"] }, { ana: ["fine"] }], [{}, { ana: ["better"] }]],
  );
});

Deno.test("whoever loses the connection leaves", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using ben = await open(realtime);
  await ben.join(topic, present("ben"));
  {
    await using ana = await open(realtime);
    await ana.join(topic, present("ana"));
    await call(ana, topic, "track", { mood: "gone soon" });
  }
  await ben.frame((frame) => "ana" in ((frame.payload.leaves ?? {}) as Group));
});

Deno.test("the same payload again is no news", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using ana = await open(realtime);
  await ana.join(topic, present("ana"));
  await call(ana, topic, "track", { mood: "fine", at: [1] });
  assertEquals(await call(ana, topic, "track", { at: [1], mood: "fine" }), ok);
  await ana.settled();
  assertEquals(diffs(ana, topic).length, 1);
});

Deno.test("a client without a key is present under a key of its own", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using one = await open(realtime);
  await using two = await open(realtime);
  for (const socket of [one, two]) {
    await socket.join(topic, present(""));
    await call(socket, topic, "track", { mood: "anonymous" });
  }
  await two.settled();
  const state = two.on(topic, "presence_state")[0]!.payload as Group;
  const keys = [...Object.keys(state), ...Object.keys(diffs(two, topic)[0]!.joins)];
  assertEquals(keys.map((key) => key.length), [36, 36]);
  strictEqual(new Set(keys).size, 2);
});

Deno.test("a client that joined without presence gets the state when it tracks", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using ana = await open(realtime);
  await using ben = await open(realtime);
  await ana.join(topic, present("ana"));
  await call(ana, topic, "track", { mood: "fine" });
  await ben.join(topic, { presence: { key: "ben" } });
  await ben.settled();
  assertEquals(ben.on(topic, "presence_state"), []);
  await call(ben, topic, "track", { mood: "late" });
  const state = await ben.frame((frame) => frame.event === "presence_state");
  assertEquals(moods(state.payload as Group), { ana: ["fine"], ben: ["late"] });
});

Deno.test("only a map can be tracked, and only track and untrack are known", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using ana = await open(realtime);
  await ana.join(topic, present("ana"));
  assertEquals(await call(ana, topic, "track", [1]), {
    status: "error",
    response: { reason: "Presence track payload must be a map" },
  });
  assertEquals(await call(ana, topic, "dance"), { status: "error", response: {} });
});

Deno.test("too many presence calls close the channel", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  await using ana = await open(realtime);
  await ana.join(topic, present("ana"));
  for (let n = 0; n < 5; n++) assertEquals(await call(ana, topic, "track", { n }), ok);
  ana.push(`realtime:${topic}`, "presence", { type: "presence", event: "track", payload: {} });
  await ana.frame((frame) => frame.event === "phx_close");
  assertEquals(
    ana.on(topic, "system").map((frame) => frame.payload.message),
    ["Client presence rate limit exceeded"],
  );
});

Deno.test("a payload beyond the limit closes the channel", async () => {
  await using realtime = await startRealtime({ payloadBytes: 50 });
  const topic = newTopic();
  await using ana = await open(realtime);
  await ana.join(topic, present("ana"));
  const payload = { text: "x".repeat(50) };
  ana.push(`realtime:${topic}`, "presence", { type: "presence", event: "track", payload });
  await ana.frame((frame) => frame.event === "phx_close");
  assertEquals(
    ana.on(topic, "system").map((frame) => frame.payload.message),
    ["Track message size exceeded"],
  );
});
