import assert from "node:assert/strict";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { createPerson } from "../support/clients.ts";

Deno.test("unknown routes and methods are problems too", async () => {
  await assertProblem(await callApi("/v1/nothing"), 404, "request.not_found");
  await assertProblem(await callApi(""), 404, "request.not_found");
  const response = await callApi("/v1/users/me", { method: "PUT" });
  const allowed = response.headers.get("allow")?.split(", ").sort();
  assert.deepEqual(allowed, ["DELETE", "GET", "HEAD", "PATCH"]);
  await assertProblem(response, 405, "request.method_not_allowed");
});

Deno.test("Z4: a body above 1 MB is refused", async () => {
  const token = await tokenOf(await createPerson());
  const body = { preferences: { a: "x".repeat(1_100_000) } };
  const response = await callApi("/v1/users/me", { method: "PATCH", token, body });
  await assertProblem(response, 413, "request.too_large");
});

Deno.test("a body of another type is refused", async () => {
  const token = await tokenOf(await createPerson());
  const response = await callApi("/v1/users/me", {
    method: "PATCH",
    token,
    body: "display_name=Eve",
    headers: { "content-type": "application/x-www-form-urlencoded" },
  });
  await assertProblem(response, 415, "request.unsupported_media_type");
});

Deno.test("Z8: a browser app of a listed origin gets in through the gateway, others do not", async () => {
  const preflight = (origin: string) =>
    callApi("/v1/users/me", {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "authorization,nexus-tenant",
      },
    });
  const allowed = await preflight("http://localhost:3000");
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get("access-control-allow-origin"), "http://localhost:3000");
  assert.match(allowed.headers.get("access-control-allow-headers")!, /nexus-tenant/);
  const refused = await preflight("https://evil.example.org");
  assert.equal(refused.headers.get("access-control-allow-origin"), null);
});

Deno.test("Z8: answers carry the security headers and nothing about what runs behind", async () => {
  const { headers } = await callApi("/health/live");
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  assert.match(headers.get("content-security-policy")!, /default-src 'none'/);
  for (const name of ["server", "x-powered-by", "via"]) assert.equal(headers.get(name), null, name);
});

Deno.test("supabase-js reaches a route through functions.invoke()", async () => {
  const { client, id } = await createPerson();
  const { data, error } = await client.functions.invoke("api/v1/users/me", { method: "GET" });
  assert.equal(error, null);
  assert.equal(data.id, id);
});
