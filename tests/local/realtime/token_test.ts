import { deepStrictEqual as assertEquals, match } from "node:assert/strict";
import { signToken } from "../../../local/tokens.ts";
import { RawSocket } from "./raw_socket.ts";
import { claimPolicies, inSeconds, newTopic, startRealtime, type TestRealtime } from "./support.ts";

const open = (realtime: TestRealtime) => RawSocket.open(realtime.url, realtime.keys.publishable);

const refresh = (socket: RawSocket, topic: string, access_token: unknown) =>
  socket.push(`realtime:${topic}`, "access_token", { access_token });

/** What the channel was told at its end. */
async function farewell(socket: RawSocket, topic: string): Promise<string> {
  await socket.frame((frame) => frame.event === "phx_close" && frame.topic === `realtime:${topic}`);
  const [last] = socket.on(topic, "system").slice(-1);
  assertEquals(
    [last?.payload.extension, last?.payload.status, last?.payload.channel],
    ["system", "error", topic],
  );
  return String(last?.payload.message);
}

Deno.test("a join with a bad token is refused in hosted's words", async () => {
  await using realtime = await startRealtime();
  await using socket = await open(realtime);
  const join = async (token: string) =>
    String((await socket.join(newTopic(), {}, token)).response.reason);
  match(
    await join(await realtime.token({ exp: inSeconds(-5) })),
    /^InvalidJWTToken: Token has expired \d+ seconds ago$/,
  );
  assertEquals(await join("hello"), "MalformedJWT: The token provided is not a valid JWT");
  assertEquals(
    await join((await realtime.token()).replace(/[^.]*$/, "AAAA")),
    "JwtSignatureError: Failed to validate JWT signature",
  );
});

Deno.test("an API key where a token should be means the socket's own key", async () => {
  await using realtime = await startRealtime();
  await using socket = await open(realtime);
  const topic = newTopic();
  assertEquals((await socket.join(topic, {}, realtime.keys.secret)).status, "ok");
  refresh(socket, topic, "sb_publishable_whatever");
  refresh(socket, topic, null);
  refresh(socket, topic, { not: "a token" });
  await socket.call(`realtime:${topic}`, "presence", {});
  assertEquals(socket.on(topic, "system"), []);
});

Deno.test("a channel ends when its token does", async () => {
  await using realtime = await startRealtime();
  await using socket = await open(realtime);
  const topic = newTopic();
  await socket.join(topic, {}, await realtime.token({ exp: inSeconds(2) }));
  match(await farewell(socket, topic), /^Token has expired \d+ seconds ago$/);
  assertEquals(realtime.part.size, { connections: 1, rooms: 0 });
});

Deno.test("a new token carries the channel beyond the end of the old one", async () => {
  await using realtime = await startRealtime();
  await using socket = await open(realtime);
  const [short, long] = [newTopic(), newTopic()];
  const token = await realtime.token({ exp: inSeconds(2) });
  await socket.join(short, {}, token);
  await socket.join(long, {}, token);
  refresh(socket, long, await realtime.token());
  await farewell(socket, short);
  await socket.call(`realtime:${long}`, "presence", {});
  assertEquals(socket.on(long, "system"), []);
});

Deno.test("a bad new token ends the channel", async (t) => {
  await using realtime = await startRealtime();
  await using socket = await open(realtime);
  const cases: [string, string, RegExp][] = [
    [
      "expired",
      await realtime.token({ exp: inSeconds(-1) }),
      /^Token has expired \d+ seconds ago$/,
    ],
    ["malformed", "hello", /^The token provided is not a valid JWT$/],
    ["without a role", await realtime.token({ role: undefined }), /^Fields `role` and `exp` are/],
  ];
  for (const [what, token, message] of cases) {
    await t.step(what, async () => {
      const topic = newTopic();
      await socket.join(topic);
      refresh(socket, topic, token);
      match(await farewell(socket, topic), message);
    });
  }
});

Deno.test("a new token that may not read the topic ends a private channel", async () => {
  await using _policies = await claimPolicies("reads", "sees");
  await using realtime = await startRealtime();
  await using socket = await open(realtime);
  const topic = newTopic();
  const presence = { enabled: true };
  const join = async () => {
    const token = await realtime.token({ reads: topic, sees: topic });
    await socket.join(topic, { private: true, presence }, token);
    socket.received.length = 0;
  };
  await join();
  refresh(socket, topic, await realtime.token());
  assertEquals(
    await farewell(socket, topic),
    `You do not have permissions to read from this Channel topic: ${topic}`,
  );
  await join();
  refresh(socket, topic, await realtime.token({ sees: topic }));
  assertEquals(
    await farewell(socket, topic),
    `You no longer have permission to read from this Channel topic: ${topic}`,
  );
});

Deno.test("the right to write is asked for anew with a new token", async () => {
  await using _policies = await claimPolicies("reads", "writes");
  await using realtime = await startRealtime({ tokenThrottle: 0 });
  await using socket = await open(realtime);
  const topic = newTopic();
  const mayWrite = { reads: topic, writes: topic };
  const config = { private: true, broadcast: { self: true } };
  await socket.join(topic, config, await realtime.token({ reads: topic }));
  const send = (event: string) =>
    socket.push(`realtime:${topic}`, "broadcast", { type: "broadcast", event, payload: {} });
  send("before");
  refresh(socket, topic, await realtime.token(mayWrite));
  send("while");
  refresh(socket, topic, await realtime.token({ reads: topic }));
  send("after");
  await socket.call(`realtime:${topic}`, "presence", {});
  assertEquals(socket.on(topic, "broadcast").map((frame) => frame.payload.event), ["while"]);
});

Deno.test("tokens that come too fast are held, and the last one counts", async () => {
  await using realtime = await startRealtime({ tokenThrottle: 300 });
  await using socket = await open(realtime);
  const topic = newTopic();
  await socket.join(topic);
  refresh(socket, topic, await realtime.token());
  refresh(socket, topic, "hello");
  await socket.call(`realtime:${topic}`, "presence", {});
  assertEquals(socket.on(topic, "system"), []);
  refresh(socket, topic, await realtime.token({ exp: inSeconds(-60) }));
  match(await farewell(socket, topic), /^Token has expired 6\d seconds ago$/);
});

Deno.test("a token is looked at again before it expires", async () => {
  await using realtime = await startRealtime({ tokenCheck: 50 });
  await using socket = await open(realtime);
  const topic = newTopic();
  realtime.keys.jwtSecret = "a secret that the project gives up";
  const claims = { role: "anon", exp: inSeconds(60) };
  await socket.join(topic, {}, await signToken(realtime.keys, claims, { legacy: true }));
  realtime.keys.jwtSecret = undefined;
  assertEquals(
    await farewell(socket, topic),
    "Failed to generate JWT signer, check your JWT secret or JWKS configuration",
  );
});
