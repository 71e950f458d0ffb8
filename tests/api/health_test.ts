import assert from "node:assert/strict";
import { createApp } from "../../functions/api/app.ts";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { admin, createPerson } from "../support/clients.ts";
import { createTestServices, deadEnvironment } from "../support/services.ts";
import { getStack } from "../support/stack.ts";
import { addMember } from "../support/tenants.ts";

const secretKey = () => ({ apikey: getStack().secretKey });

/** The tenant of the operators, where the migrations keep it. */
async function addOperator(person: string, role: string) {
  const { data, error } = await admin().from("tenants").select("id").eq("slug", "platform")
    .single();
  assert.equal(error, null);
  await addMember(data!, { id: person }, role);
}

Deno.test("liveness and readiness are open, and say no more than the status", async () => {
  for (const path of ["/health", "/health/live", "/health/ready"]) {
    const response = await callApi(path);
    assert.equal(response.status, 200, path);
    assert.deepEqual(await response.json(), { status: "ok" }, path);
    assert.equal(response.headers.get("server"), null, path);
  }
});

Deno.test("the details are for the secret key and for operators", async () => {
  const byKey = await callApi("/health/detailed", { headers: secretKey() });
  assert.equal(byKey.status, 200);
  const { status, checks, figures } = await byKey.json();
  assert.deepEqual([status, checks.database], ["ok", "ok"]);
  assert.ok(figures.database.connections_max > 0);

  const operator = await createPerson();
  await addOperator(operator.id, "staff");
  const byOperator = await callApi("/health/detailed", { token: await tokenOf(operator) });
  assert.equal(byOperator.status, 200);
  assert.equal((await byOperator.json()).status, "ok");
});

Deno.test("the details are refused to everybody else", async () => {
  await assertProblem(await callApi("/health/detailed"), 401, "auth.required");
  const headers = { apikey: getStack().publishableKey };
  await assertProblem(await callApi("/health/detailed", { headers }), 401, "auth.required");
  const token = await tokenOf(await createPerson());
  await assertProblem(await callApi("/health/detailed", { token }), 404, "tenants.not_found");
  const guest = await createPerson();
  await addOperator(guest.id, "guest");
  const byGuest = await callApi("/health/detailed", { token: await tokenOf(guest) });
  await assertProblem(byGuest, 403, "members.permission_denied");
});

Deno.test("without a database the function lives, is not ready, and tells only the secret key why", async () => {
  const { services, lines } = createTestServices();
  const app = createApp(services);
  assert.equal((await app.request("/api/health/live")).status, 200);
  for (const path of ["/api/health", "/api/health/ready"]) {
    const response = await app.request(path);
    assert.equal(response.status, 503);
    assert.deepEqual(await response.json(), { status: "down" });
  }
  assert.ok(lines.some(({ level }) => level === "warn"));

  const apikey = JSON.parse(deadEnvironment.SUPABASE_SECRET_KEYS!).default;
  const byKey = await app.request("/api/health/detailed", { headers: { apikey } });
  assert.equal(byKey.status, 503);
  assert.deepEqual(await byKey.json(), { status: "down", checks: { database: "no answer" } });
});

Deno.test("without a database an operator is told to come back", async () => {
  const { services } = createTestServices();
  const token = await tokenOf(await createPerson());
  // The keys of the running project verify the token; only the database is out of reach.
  const { tokens } = createTestServices({ SUPABASE_URL: getStack().url }).services;
  const app = createApp({ ...services, tokens });
  const headers = { authorization: `Bearer ${token}` };
  for (const path of ["/api/health/detailed", "/api/v1/users/me"]) {
    const response = await app.request(path, { headers });
    assert.ok(Number(response.headers.get("retry-after")) > 0);
    await assertProblem(response, 503, "unavailable");
  }
});

Deno.test("a database that is behind its time is degraded, and still serves", async () => {
  const found = { status: "degraded", checks: { database: "read_only" } };
  const allowed = { allowed: true, limit: 100, remaining: 99, reset_at: new Date() };
  await using api = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    ({ url }) => Response.json(url.endsWith("/limits_take") ? allowed : found),
  );
  const SUPABASE_URL = `http://127.0.0.1:${api.addr.port}`;
  const app = createApp(createTestServices({ SUPABASE_URL }).services);
  const response = await app.request("/api/health/ready");
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { status: "degraded" });
});
