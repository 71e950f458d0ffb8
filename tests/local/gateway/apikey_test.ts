import assert from "node:assert/strict";
import { answer, type Door, withDoor } from "./fixture.ts";

const missing = [401, {
  message: "No API key found in request",
  hint: "No `apikey` request header or url param was found.",
}];

const needKey = [
  "/realtime/v1/api/broadcast",
  "/rest/v1/things",
  "/auth/v1/token",
  "/auth/v1/user",
  "/auth/v1/verify/x",
];
const open = [
  "/auth/v1/verify",
  "/auth/v1/callback",
  "/auth/v1/authorize",
  "/auth/v1/.well-known/jwks.json",
  "/auth/v1/sso/saml/acs",
  "/functions/v1/api/health",
];

Deno.test("a key is asked for exactly where hosted asks for one", async () => {
  await withDoor(async ({ call }) => {
    for (const path of needKey) assert.deepEqual(await answer(await call(path)), missing, path);
    for (const path of open) {
      const response = await call(path);
      assert.equal(response.status, 200, path);
      await response.body?.cancel();
    }
  });
});

Deno.test("every kind of key is taken, from the header or the query", async () => {
  await withDoor(async ({ call, keys }) => {
    for (const apikey of [keys.publishable, keys.secret, keys.anon, keys.serviceRole]) {
      const byHeader = await call("/rest/v1/things", { headers: { apikey } });
      assert.equal(byHeader.status, 200);
      await byHeader.body?.cancel();
      const byQuery = await call(`/rest/v1/things?apikey=${apikey}&select=id`);
      assert.equal(byQuery.status, 200);
      const { path } = await byQuery.json();
      assert.equal(path, "/rest/v1/things?select=id", "the Data API would take it for a filter");
    }
  });
});

Deno.test("a wrong key is refused in hosted's words", async () => {
  await withDoor(async ({ call, keys }) => {
    const refuse = async (apikey: string, headers = {}) =>
      await answer(await call("/rest/v1/things", { headers: { apikey, ...headers } }));
    assert.deepEqual(await refuse("sb_publishable_nonsense"), [401, {
      message: "Unregistered API key",
      hint: "Double check the provided API key as it is not registered for this project.",
    }]);
    assert.deepEqual(await refuse("nonsense"), [401, {
      message: "Invalid API key",
      hint: "Double check your Supabase `anon` or `service_role` API key.",
    }]);
    const [status, body] = await refuse(keys.secret, { "user-agent": "Mozilla/5.0 (X11)" });
    assert.equal(status, 401);
    assert.equal(
      (body as { message: string }).message,
      "Forbidden use of secret API key in browser",
    );
  });
});

Deno.test("keys and tokens never reach the log", async () => {
  await withDoor(async (door) => {
    const { call, keys, log } = door;
    const quiet = async (path: string, init?: RequestInit) =>
      await (await call(path, init)).body?.cancel();
    await quiet(`/rest/v1/things?apikey=${keys.secret}&id=eq.1`);
    await quiet("/auth/v1/verify?token=very-secret&type=magiclink");
    await quiet("/functions/v1/api/unsubscribe?code=very-secret");
    await quiet("/rest/v1/things", { headers: { apikey: keys.secret } });
    assertSilent(door);
    assert.match(log[0]!, /GET \/rest\/v1\/things\?apikey=\*\*\*&id=eq\.1 200/);
    assert.match(log[1]!, /GET \/auth\/v1\/verify\?token=\*\*\*&type=\*\*\* 200/);
  });
});

function assertSilent({ log, keys }: Door): void {
  for (const line of log) {
    assert.ok(!line.includes(keys.secret), line);
    assert.ok(!line.includes("very-secret"), line);
  }
}
