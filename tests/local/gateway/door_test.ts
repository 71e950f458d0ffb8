import assert from "node:assert/strict";
import { withDeadline } from "../../../local/gateway/deadline.ts";
import type { Part } from "../../../local/part.ts";
import { answer, type Seen, withDoor } from "./fixture.ts";

Deno.test("each prefix reaches its part, and nothing else does", async () => {
  await withDoor(async ({ call, keys }) => {
    const headers = { apikey: keys.publishable };
    for (const part of ["rest", "auth", "realtime", "functions", "storage"]) {
      const seen: Seen = await (await call(`/${part}/v1/a%2Fb?q=1%2B1`, { headers })).json();
      assert.equal(seen.part, part);
      assert.equal(seen.path, `/${part}/v1/a%2Fb?q=1%2B1`);
    }
    for (const path of ["/", "/rest", "/rest/v10/x", "/rest-admin/v1/live", "/pg/tables"]) {
      assert.deepEqual(await answer(await call(path, { headers })), [404, {
        error: "requested path is invalid",
      }]);
    }
  });
});

Deno.test("odd paths and upgrades cannot lead around the key", async () => {
  await withDoor(async ({ url }) => {
    const unguarded = [
      "GET //rest/v1/x HTTP/1.1",
      "GET /rest//v1///x HTTP/1.1",
      "GET /functions/v1/../../rest/v1/x HTTP/1.1",
      "GET /functions/v1/%2e%2e/%2e%2e/rest/v1/x HTTP/1.1",
      "GET /rest/v1/x HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket",
    ];
    for (const head of unguarded) {
      assert.match(await rawAnswer(url, head), /^HTTP\/1.1 401 /, head);
    }
  });
});

Deno.test("preflights are answered for every origin, except for functions", async () => {
  await withDoor(async ({ call }) => {
    const preflight = (path: string) =>
      call(path, {
        method: "OPTIONS",
        headers: {
          origin: "https://app.example",
          "access-control-request-method": "PATCH",
          "access-control-request-headers": "apikey,authorization,x-client-info",
        },
      });
    for (const path of ["/rest/v1/x", "/auth/v1/token", "/storage/v1/x"]) {
      const response = await preflight(path);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("access-control-allow-origin"), "*");
      assert.match(response.headers.get("access-control-allow-methods")!, /PATCH/);
      assert.equal(
        response.headers.get("access-control-allow-headers"),
        "apikey,authorization,x-client-info",
      );
      await response.body?.cancel();
    }
    const response = await preflight("/functions/v1/api");
    assert.equal(response.headers.get("x-part"), "functions");
    assert.equal(response.headers.get("access-control-allow-origin"), null);
    await response.body?.cancel();
  });
});

Deno.test("answers can be read by pages, refusals too", async () => {
  await withDoor(async ({ call, keys }) => {
    for (const headers of [{ apikey: keys.publishable }, {}]) {
      const response = await call("/rest/v1/x", { headers: headers as HeadersInit });
      assert.equal(response.headers.get("access-control-allow-origin"), "*");
      assert.match(response.headers.get("access-control-expose-headers")!, /Content-Range/);
      await response.body?.cancel();
    }
  });
});

Deno.test("a caller on this machine may speak for an address, and only for one", async () => {
  await withDoor(async ({ call }) => {
    const seen = async (headers: HeadersInit): Promise<Seen> =>
      await (await call("/functions/v1/api", { headers })).json();
    const spoken = await seen({ "x-forwarded-for": "2001:db8::7, 10.0.0.1" });
    assert.equal(spoken.address, "2001:db8::7");
    assert.equal(spoken.headers["x-forwarded-for"], "2001:db8::7");
    assert.equal(spoken.headers["x-real-ip"], "2001:db8::7");
    const forged = await seen({ "x-forwarded-for": "not an address", "x-real-ip": "9.9.9.9" });
    assert.equal(forged.address, "127.0.0.1");
    assert.equal(forged.headers["x-real-ip"], "127.0.0.1");
  });
});

Deno.test("every request has an id, which the part and the client see", async () => {
  await withDoor(async ({ call }) => {
    const response = await call("/functions/v1/api");
    const seen: Seen = await response.json();
    assert.match(response.headers.get("sb-request-id")!, /^[0-9a-f-]{36}$/);
    assert.equal(seen.headers["sb-request-id"], response.headers.get("sb-request-id"));
    assert.equal(seen.headers["x-request-id"], seen.headers["sb-request-id"]);
  });
});

Deno.test("too long a body is refused, declared or not", async () => {
  await withDoor(async ({ call, keys }) => {
    const post = (body: BodyInit) =>
      call("/auth/v1/signup", { method: "POST", body, headers: { apikey: keys.publishable } });
    const chunk = new Uint8Array(700 * 1024);
    const streamed = new ReadableStream({
      start(controller) {
        controller.enqueue(chunk);
        controller.enqueue(chunk);
        controller.close();
      },
    });
    const tooLong = [413, { message: "Request size limit exceeded" }];
    assert.deepEqual(await answer(await post(new Uint8Array(2 * 1024 ** 2))), tooLong);
    assert.deepEqual(await answer(await post(streamed)), tooLong);
    const fits = await post(chunk);
    assert.equal((await fits.json()).body.length, chunk.length);
  });
});

Deno.test("a part that throws is a plain 500, told only to the log", async () => {
  const broken: Part = {
    fetch: () => Promise.reject(new Error("the inner reason")),
    stop: () => Promise.resolve(),
  };
  await withDoor(async ({ call, log }) => {
    assert.deepEqual(await answer(await call("/functions/v1/api")), [500, {
      message: "An unexpected error occurred",
    }]);
    assert.ok(log.some((line) => line.includes("the inner reason")));
  }, { parts: { functions: broken } });
});

Deno.test("a part that hangs is a 504, and is told to give up", async () => {
  const told = Promise.withResolvers<void>();
  const response = await withDeadline(20, new AbortController().signal, (signal) => {
    signal.addEventListener("abort", () => told.resolve());
    return new Promise(() => {});
  });
  assert.deepEqual(await answer(response), [504, { message: "The upstream server is timing out" }]);
  await told.promise;
});

Deno.test("a part is told when its client has gone", async () => {
  const reached = Promise.withResolvers<void>();
  const told = Promise.withResolvers<void>();
  const waiting: Part = {
    fetch(request) {
      reached.resolve();
      return new Promise((_resolve, reject) => {
        request.signal.addEventListener("abort", () => {
          told.resolve();
          reject(request.signal.reason);
        });
      });
    },
    stop: () => Promise.resolve(),
  };
  await withDoor(async ({ call }) => {
    const client = new AbortController();
    const gone = assert.rejects(call("/functions/v1/api", { signal: client.signal }));
    await reached.promise;
    client.abort();
    await gone;
    await told.promise;
  }, { parts: { functions: waiting } });
});

/** What the server says to a request that no client library would send. */
async function rawAnswer(url: string, head: string): Promise<string> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(`${head}\r\nHost: ${hostname}:${port}\r\n\r\n`));
  const buffer = new Uint8Array(4096);
  return new TextDecoder().decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
}
