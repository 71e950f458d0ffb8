import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { signToken } from "../../../local/tokens.ts";
import { RawSocket } from "./raw_socket.ts";
import { inSeconds, startRealtime, type TestRealtime } from "./support.ts";

/** What the part answers to a request for a socket that it does not open. */
async function answer(
  realtime: TestRealtime,
  { apikey = "", path = "/realtime/v1/websocket", headers = {} as Record<string, string> },
): Promise<[number, string]> {
  const url = `${realtime.url}${path}?vsn=2.0.0${apikey && `&apikey=${apikey}`}`;
  const request = new Request(url, { headers: { upgrade: "websocket", ...headers } });
  const response = await realtime.part.fetch(request, { address: "127.0.0.1" });
  return [response.status, (await response.json()).error];
}

Deno.test("the handshake refuses keys in hosted's words", async (t) => {
  await using realtime = await startRealtime();
  const { keys } = realtime;
  await using other = await startRealtime();
  const tampered = (await realtime.token()).replace(/\.[^.]*\./, `.${btoa("{}")}.`);
  const cases: [string, string, string][] = [
    ["none", "", "API key is missing"],
    ["an unknown key", "sb_publishable_nobody", "The token provided is not a valid JWT"],
    ["no token", "hello", "The token provided is not a valid JWT"],
    ["an expired token", await realtime.token({ exp: inSeconds(-9) }), "Token has expired"],
    [
      "a token without a role",
      await signToken(keys, { exp: inSeconds(60) }),
      "Fields `role` and `exp` are required in JWT",
    ],
    [
      "a token that never expires",
      await signToken(keys, { role: "anon" }),
      "Fields `role` and `exp` are required in JWT",
    ],
    ["a token changed on the way", tampered, "Failed to validate JWT signature"],
    [
      "a token of another project",
      await other.token(),
      "Failed to generate JWT signer, check your JWT secret or JWKS configuration",
    ],
  ];
  for (const [what, apikey, error] of cases) {
    await t.step(what, async () => {
      assertEquals(await answer(realtime, { apikey }), [401, error]);
    });
  }
});

Deno.test("every kind of key opens a socket, as a parameter or as x-api-key", async () => {
  await using realtime = await startRealtime();
  const { publishable, secret, anon, serviceRole } = realtime.keys;
  for (const key of [publishable, secret, anon, serviceRole, await realtime.token()]) {
    await using socket = await RawSocket.open(realtime.url, key);
    assertEquals(await socket.call("phoenix", "heartbeat", {}), { status: "ok", response: {} });
  }
  const headers = { "x-api-key": "sb_publishable_nobody" };
  const [status] = await answer(realtime, { apikey: publishable, headers });
  assertEquals(status, 401);
});

Deno.test("Z8: whatever page asks, a socket opens by a key it sends itself, never by a cookie", async () => {
  await using realtime = await startRealtime();
  const token = await realtime.token();
  const cookie = `sb-access-token=${token}; apikey=${token}`;
  for (const origin of ["https://evil.example", realtime.url]) {
    const refused = await answer(realtime, { headers: { origin, cookie } });
    assertEquals(refused, [401, "API key is missing"]);
  }
});

Deno.test("other paths and plain requests get no socket", async () => {
  await using realtime = await startRealtime();
  const { publishable: apikey } = realtime.keys;
  const path = "/realtime/v1/api";
  assertEquals(await answer(realtime, { apikey, path }), [404, "Not found"]);
  const plain = await answer(realtime, { apikey, headers: { upgrade: "h2c" } });
  assertEquals(plain, [400, "'upgrade' header must contain 'websocket'"]);
});

Deno.test("one client more than the project may have is refused", async () => {
  await using realtime = await startRealtime({ connections: 1 });
  const { publishable: apikey } = realtime.keys;
  await using _first = await RawSocket.open(realtime.url, apikey);
  assertEquals(await answer(realtime, { apikey }), [429, "Too many connected users"]);
});
