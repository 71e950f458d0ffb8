import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { RawSocket } from "./raw_socket.ts";
import { claimPolicies, inSeconds, newTopic, startRealtime, type TestRealtime } from "./support.ts";

interface Sent {
  body?: unknown;
  path?: string;
  token?: string;
  headers?: Record<string, string>;
}

async function post(realtime: TestRealtime, { body, path = "", token, headers }: Sent) {
  const response = await fetch(`${realtime.url}/realtime/v1/api/broadcast${path}`, {
    method: "POST",
    headers: {
      apikey: realtime.keys.publishable,
      "content-type": "application/json",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: body instanceof Uint8Array || typeof body === "string"
      ? body as BodyInit
      : JSON.stringify(body),
  });
  const text = await response.text();
  return [response.status, text && JSON.parse(text)];
}

async function listener(realtime: TestRealtime, topic: string, isPrivate = false) {
  const socket = await RawSocket.open(realtime.url, realtime.keys.secret);
  await socket.join(topic, { private: isPrivate });
  return socket;
}

const heard = (socket: RawSocket, topic: string) =>
  socket.on(topic, "broadcast").map((frame) => frame.payload);

Deno.test("R1: a batch by HTTP reaches each room once, in order", async () => {
  await using realtime = await startRealtime();
  const [a, b] = [newTopic(), newTopic()];
  await using first = await listener(realtime, a);
  await using second = await listener(realtime, b);
  const messages = [
    { topic: a, event: "e1", payload: { n: 1 } },
    { topic: b, event: "e2", payload: {} },
    { topic: a, event: "e3", payload: { n: 3 } },
  ];
  assertEquals(await post(realtime, { body: { messages } }), [202, ""]);
  await first.frame((frame) => frame.payload.event === "e3");
  await second.frame((frame) => frame.payload.event === "e2");
  assertEquals(heard(first, a), [
    { type: "broadcast", event: "e1", payload: { n: 1 } },
    { type: "broadcast", event: "e3", payload: { n: 3 } },
  ]);
  assertEquals(heard(second, b).length, 1);
});

Deno.test("R1: one message by HTTP is JSON or bytes", async () => {
  await using realtime = await startRealtime();
  const topic = `${newTopic()}/ä:b`;
  await using socket = await listener(realtime, topic);
  const path = (event: string) => `/${encodeURIComponent(topic)}/events/${event}`;
  const octets = { "content-type": "application/octet-stream" };
  const bytes = Uint8Array.of(0, 255);
  const answers = [
    await post(realtime, { path: path("gr%C3%BC%C3%9Fe"), body: { n: 1 } }),
    await post(realtime, { path: path("list"), body: [1] }),
    await post(realtime, { path: path("empty"), body: "" }),
    await post(realtime, { path: path("bytes"), body: bytes, headers: octets }),
  ];
  assertEquals(answers, new Array(4).fill([202, ""]));
  await socket.frame((frame) => frame.payload.event === "bytes");
  const [text, list, empty, binary] = heard(socket, topic);
  assertEquals([text!.event, text!.payload], ["grüße", { n: 1 }]);
  assertEquals([list!.payload, empty!.payload], [{ _json: [1] }, {}]);
  assertEquals(new Uint8Array(binary!.payload as Uint8Array), bytes);
});

Deno.test("a private broadcast by HTTP needs the right to write", async () => {
  await using realtime = await startRealtime();
  await using _policies = await claimPolicies("writes");
  const topic = newTopic();
  await using inside = await listener(realtime, topic, true);
  await using outside = await listener(realtime, topic);
  const stranger = await realtime.token({ writes: `${topic}x` });
  const writer = await realtime.token({ writes: topic });
  const batch = (event: string) => ({
    messages: [{ topic, event, payload: {}, private: true }],
  });
  const path = `/${topic}/events/single?private=true`;

  // Hosted drops a batch without a word, and refuses a single message.
  assertEquals(await post(realtime, { body: batch("no"), token: stranger }), [202, ""]);
  assertEquals(await post(realtime, { path, body: {}, token: stranger }), [403, {
    message: "Unauthorized",
  }]);
  assertEquals(await post(realtime, { body: batch("yes"), token: writer }), [202, ""]);
  assertEquals(await post(realtime, { path, body: {}, token: writer }), [202, ""]);
  await inside.frame((frame) => frame.payload.event === "single");
  await outside.settled();
  assertEquals(heard(inside, topic).map(({ event }) => event), ["yes", "single"]);
  assertEquals(heard(outside, topic), []);
});

Deno.test("a private broadcast whose policy fails is refused in hosted's words", async () => {
  await using realtime = await startRealtime();
  const topic = newTopic();
  const token = await realtime.token({ role: "nobody" });
  const path = `/${topic}/events/e?private=true`;
  assertEquals(await post(realtime, { path, body: {}, token }), [422, {
    message: "RLS policy error",
  }]);
});

Deno.test("HTTP broadcasts refuse strangers, nonsense and too much", async (t) => {
  await using realtime = await startRealtime({ payloadBytes: 100 });
  const path = "/room/events/e";
  const unauthorized = [401, { message: "Unauthorized" }];
  await t.step("tokens that do not hold", async () => {
    const expired = await realtime.token({ exp: inSeconds(-1) });
    for (const token of ["nobody", expired]) {
      assertEquals(await post(realtime, { path, body: {}, token }), unauthorized);
    }
    assertEquals(await post(realtime, { path, body: {}, headers: { apikey: "" } }), unauthorized);
  });
  await t.step("bodies", async () => {
    const bad = [
      [{}, { messages: ["can't be blank"] }],
      [{ messages: [] }, { messages: ["can't be blank"] }],
      [{ messages: "hello" }, { messages: ["is invalid"] }],
      [{ messages: [{ topic: 1, event: "", payload: [], private: "x" }] }, {
        messages: [{
          topic: ["is invalid"],
          event: ["can't be blank"],
          payload: ["is invalid"],
          private: ["is invalid"],
        }],
      }],
      [{ messages: [{ topic: "a", event: "e", payload: { x: "x".repeat(100) } }] }, {
        messages: [{ payload: ["Payload size exceeds tenant limit"] }],
      }],
    ];
    for (const [body, errors] of bad) {
      assertEquals(await post(realtime, { body }), [422, { errors }]);
    }
    assertEquals(await post(realtime, { path, body: { x: "x".repeat(100) } }), [422, {
      errors: { payload: ["Payload size exceeds tenant limit"] },
    }]);
    for (const where of [path, ""]) {
      assertEquals((await post(realtime, { path: where, body: "{" }))[0], 400);
    }
    assertEquals((await post(realtime, { path: "/%ff/events/e", body: {} }))[0], 400);
  });
  await t.step("a type that is neither JSON nor bytes", async () => {
    const headers = { "content-type": "text/plain" };
    assertEquals((await post(realtime, { path, body: "x", headers }))[0], 415);
  });
  await t.step("other paths", async () => {
    assertEquals((await post(realtime, { path: "/room", body: {} }))[0], 404);
  });
});

Deno.test("HTTP broadcasts count against the project's rate", async () => {
  await using realtime = await startRealtime({ eventsPerSecond: 1 });
  const message = { topic: newTopic(), event: "e", payload: {} };
  assertEquals(await post(realtime, { body: { messages: [message, message] } }), [429, {
    message: "Too many messages to broadcast, please reduce the batch size",
  }]);
  await using spent = await startRealtime({ eventsPerSecond: 0 });
  assertEquals(await post(spent, { path: "/room/events/e", body: {} }), [429, {
    message: "You have exceeded your rate limit",
  }]);
});
