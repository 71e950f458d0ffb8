import { createRoute, z } from "@hono/zod-openapi";
import assert from "node:assert/strict";
import { problems } from "shared/errors/openapi.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { application } from "shared/http/application.ts";
import { bodyUpTo } from "shared/http/declared.ts";
import { fromOwnPages } from "shared/http/own_pages.ts";
import { router } from "shared/http/router.ts";
import { text } from "shared/http/schemas.ts";
import { createTestServices } from "../../support/services.ts";

/** An application with one route that accepts a note, and some that fail. */
function createTestApp(env: Record<string, string> = {}) {
  const { services, lines } = createTestServices(env);
  const app = application(services);
  const routes = router();
  const note = createRoute({
    method: "post",
    path: "/notes/{id}",
    request: {
      params: z.object({ id: z.uuid() }),
      body: {
        required: true,
        content: { "application/json": { schema: z.strictObject({ "a/b": text(5) }) } },
      },
    },
    responses: { 201: { description: "Kept" }, ...problems("request.invalid") },
  });
  routes.openapi(note, (c) => c.body(null, 201));
  routes.get("/broken", () => {
    throw new Error("password of ana@nexus.test is hunter2");
  });
  routes.get("/refused", () => {
    throw new ProblemError("unavailable", { detail: "Later", retryAfter: 7 });
  });
  routes.get("/cached", (c) => c.text("x", 200, { "cache-control": "public" }));
  app.route("/api", routes);
  return { app, lines };
}

const id = crypto.randomUUID();

const post = (body: BodyInit, headers: Record<string, string> = {}) => ({
  method: "POST",
  body,
  headers: { "content-type": "application/json", ...headers },
});

async function problemOf(response: Response) {
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const problem = await response.json();
  assert.equal(problem.status, response.status);
  assert.equal(problem.type, `urn:nexus:error:${problem.code}`);
  assert.equal(problem.request_id, response.headers.get("x-request-id"));
  return problem;
}

Deno.test("a request that matches its schema reaches the handler", async () => {
  const { app } = createTestApp();
  assert.equal((await app.request(`/api/notes/${id}`, post('{"a/b":"  ok "}'))).status, 201);
});

Deno.test("a request that does not match its schema is told every fault and where it is", async () => {
  const { app } = createTestApp();
  const body = await problemOf(
    await app.request(`/api/notes/${id}`, post('{"a/b":"too long","c":1}')),
  );
  assert.equal(body.code, "request.invalid");
  assert.deepEqual(body.errors, [
    { in: "json", pointer: "/a~1b", detail: "Too long: at most 5 characters" },
    { in: "json", pointer: "", detail: 'Unrecognized key: "c"' },
  ]);
  const path = await problemOf(await app.request("/api/notes/1", post('{"a/b":"x"}')));
  assert.deepEqual([path.code, path.errors[0].in, path.errors[0].pointer], [
    "request.invalid",
    "param",
    "/id",
  ]);
});

Deno.test("a body that is no JSON, or of another type, is refused", async () => {
  const { app } = createTestApp();
  const path = `/api/notes/${id}`;
  for (const body of ["{", "", "nul\0", '{"a/b":"\\ud800"}']) {
    assert.equal(
      (await problemOf(await app.request(path, post(body)))).code,
      "request.invalid",
      body,
    );
  }
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
    const response = await app.request(path, post('{"a/b":"x"}', { "content-type": type }));
    assert.equal((await problemOf(response)).code, "request.unsupported_media_type", type);
  }
});

Deno.test("Z4: a body above the limit is refused, announced or streamed", async () => {
  const { app } = createTestApp({ NEXUS_BODY_LIMIT: "1024" });
  const path = `/api/notes/${id}`;
  const large = JSON.stringify({ "a/b": "x".repeat(2000) });
  const announced = await app.request(path, post(large, { "content-length": `${large.length}` }));
  assert.equal((await problemOf(announced)).code, "request.too_large");
  const streamed = await app.request(path, post(new Blob([large]).stream()));
  assert.equal((await problemOf(streamed)).code, "request.too_large");
  const small = await app.request(path, post(new Blob(['{"a/b":"x"}']).stream()));
  assert.equal(small.status, 201);
});

Deno.test("unknown routes are 404, other methods of known ones 405 with those allowed", async () => {
  const { app } = createTestApp();
  assert.equal((await problemOf(await app.request("/api/nothing"))).code, "request.not_found");
  assert.equal((await problemOf(await app.request("/"))).code, "request.not_found");
  const response = await app.request(`/api/notes/${id}`, { method: "DELETE" });
  assert.equal(response.headers.get("allow"), "POST");
  assert.equal((await problemOf(response)).code, "request.method_not_allowed");
  assert.equal((await app.request("/api/cached", { method: "HEAD" })).status, 200);
});

Deno.test("Z8: what nobody foresaw is internal: logged without personal data, never echoed", async () => {
  const { app, lines } = createTestApp();
  const response = await app.request("/api/broken");
  const body = await problemOf(response);
  assert.equal(body.code, "internal");
  assert.deepEqual(Object.keys(body).sort(), ["code", "request_id", "status", "title", "type"]);
  const logged = lines.find(({ level }) => level === "error");
  assert.match(JSON.stringify(logged), /password of \[email\].*application_test\.ts/);
  assert.equal(logged?.event.request_id, body.request_id);
});

Deno.test("a problem keeps its detail and says when to come back", async () => {
  const { app } = createTestApp();
  const response = await app.request("/api/refused");
  assert.equal(response.headers.get("retry-after"), "7");
  assert.deepEqual((await problemOf(response)).detail, "Later");
});

Deno.test("a sane request id is kept, any other replaced", async () => {
  const { app } = createTestApp();
  const idOf = async (given: string) =>
    (await app.request("/api/cached", { headers: { "x-request-id": given } })).headers.get(
      "x-request-id",
    );
  assert.equal(await idOf("client-17"), "client-17");
  for (const given of ["a".repeat(65), "with space", "<script>", '"}']) {
    assert.match((await idOf(given))!, /^[0-9a-f-]{36}$/, given);
  }
});

Deno.test("every request is one log line, with the route's pattern in place of the path", async () => {
  const { app, lines } = createTestApp();
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const headers = { authorization: "Bearer abc", traceparent };
  await app.request(`/api/notes/${id}?token=abc`, post("{}", headers));
  const requests = lines.filter(({ event }) => event.message === "request");
  assert.equal(requests.length, 1);
  const { time: _time, duration_ms, request_id, ...event } = requests[0]!.event;
  assert.ok(typeof duration_ms === "number" && typeof request_id === "string");
  assert.deepEqual(event, {
    level: "info",
    source: "test",
    message: "request",
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    method: "POST",
    route: "/api/notes/:id",
    status: 422,
    code: "request.invalid",
  });
});

Deno.test("Z8: every answer carries the security headers, refusals too", async () => {
  const { app } = createTestApp();
  for (const path of ["/api/cached", "/api/refused", "/api/nothing"]) {
    const { headers } = await app.request(path);
    assert.equal(
      headers.get("content-security-policy"),
      "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("x-frame-options"), "DENY");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
    assert.equal(headers.get("strict-transport-security"), null);
    assert.equal(headers.get("cache-control"), path === "/api/cached" ? "public" : "no-store");
  }
  const hosted = createTestApp({ SUPABASE_URL: "https://project.supabase.co" }).app;
  const { headers } = await hosted.request("/api/cached");
  assert.match(headers.get("strict-transport-security")!, /^max-age=\d{8}; includeSubDomains$/);
});

Deno.test("outside a local project nothing is answered over plain http", async () => {
  const http = { headers: { "x-forwarded-proto": "http" } };
  const hosted = createTestApp({ SUPABASE_URL: "https://project.supabase.co" }).app;
  const refused = await problemOf(await hosted.request("/api/cached", http));
  assert.equal(refused.code, "request.https_required");
  assert.equal((await createTestApp().app.request("/api/cached", http)).status, 200);
});

Deno.test("a route may take larger bodies than the others", async () => {
  const { services } = createTestServices({ NEXUS_BODY_LIMIT: "1024" });
  const routes = router();
  routes.post("/small", async (c) => c.text(String((await c.req.text()).length)));
  routes.post("/large", bodyUpTo(4096), async (c) => c.text(String((await c.req.text()).length)));
  const app = application(services).route("/api", routes);
  const send = async (path: string, size: number) =>
    (await app.request(path, { method: "POST", body: "x".repeat(size) })).status;
  assert.deepEqual(
    [
      await send("/api/small", 2000),
      await send("/api/large", 2000),
      await send("/api/large", 5000),
    ],
    [413, 200, 413],
  );
});

Deno.test("a route that takes a cookie is written to from our own pages only", async () => {
  const { services } = createTestServices({ NEXUS_CORS_ORIGINS: "https://app.example.org" });
  const routes = router();
  routes.all("/cookie", fromOwnPages, (c) => c.body(null, 204));
  const app = application(services).route("/api", routes);
  const send = async (headers: Record<string, string>, method = "POST") =>
    (await app.request("/api/cookie", { method, headers: { cookie: "session=1", ...headers } }))
      .status;
  assert.equal(await send({ origin: "https://app.example.org" }), 204);
  assert.equal(await send({ "sec-fetch-site": "same-origin" }), 204);
  assert.equal(await send({}, "GET"), 204);
  for (const origin of ["https://evil.example.org", "null", ""]) {
    assert.equal(await send({ origin, "sec-fetch-site": "cross-site" }), 403, origin);
  }
  assert.equal(await send({}), 403);
});

Deno.test("Z8: browsers get in from the listed origins only", async () => {
  const { app } = createTestApp({ NEXUS_CORS_ORIGINS: "https://app.example.org" });
  const from = (origin: string, init: RequestInit = {}) =>
    app.request("/api/cached", { ...init, headers: { ...init.headers, origin } });
  const allowed = await from("https://app.example.org");
  assert.equal(allowed.headers.get("access-control-allow-origin"), "https://app.example.org");
  assert.equal(allowed.headers.get("access-control-allow-credentials"), null);
  for (const origin of ["https://evil.example.org", "https://app.example.org.evil.org", "null"]) {
    const response = await from(origin);
    assert.equal(response.headers.get("access-control-allow-origin"), null, origin);
    assert.match(response.headers.get("vary")!, /origin/i);
  }
  const preflight = await from("https://app.example.org", {
    method: "OPTIONS",
    headers: { "access-control-request-method": "PATCH" },
  });
  assert.equal(preflight.status, 204);
  assert.match(preflight.headers.get("access-control-allow-methods")!, /PATCH/);
  assert.match(preflight.headers.get("access-control-allow-headers")!, /nexus-tenant/);
});
