import assert from "node:assert/strict";
import { createApp } from "../../functions/api/app.ts";
import { renderMetrics } from "shared/metrics.ts";
import { must } from "../support/answers.ts";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { admin, createPerson } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createTestServices, deadEnvironment } from "../support/services.ts";
import { getStack } from "../support/stack.ts";
import { createMember, createTenant, issue } from "../support/tenants.ts";
import { until } from "../support/wait.ts";

async function scrape(): Promise<string> {
  const response = await callApi("/metrics", { headers: { apikey: getStack().secretKey } });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  return await response.text();
}

/** The sum of a metric's samples. */
const valueOf = (text: string, name: string) =>
  [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))]
    .reduce((sum, [, value]) => sum + Number(value), 0);

Deno.test("the metrics have the form that Prometheus reads", async () => {
  const text = await scrape();
  assert.ok(text.endsWith("\n"));
  const sample = /^[a-z_]+(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? -?[0-9.e+]+$/;
  const described = new Set<string>();
  for (const line of text.trimEnd().split("\n")) {
    const [, about] = /^# (?:HELP|TYPE) (\S+) ./.exec(line) ?? [];
    if (about) {
      described.add(about);
      continue;
    }
    assert.match(line, sample);
    const name = /^[a-z_]+/.exec(line)![0].replace(/_(bucket|sum|count)$/, "");
    assert.ok(described.has(name) || described.has(/^[a-z_]+/.exec(line)![0]), line);
  }
});

Deno.test("the figures that the seeds name are there, with those of requests and database", async () => {
  const text = await scrape();
  const names = [
    ...["sessions_active", "wallet_transactions_total", "inventory_low_count"],
    ...["rate_limit_rejected_total", "http_requests_total", "http_request_duration_seconds"],
    ...["jobs_waiting", "jobs_oldest_waiting_seconds", "jobs_dead_letters", "mail_backlog"],
    ...["database_up", "database_connections", "database_connections_max", "database_size_bytes"],
  ];
  for (const name of names) assert.match(text, new RegExp(`^# TYPE ${name} `, "m"), name);
  assert.equal(valueOf(text, "database_up"), 1);
});

Deno.test("every declared figure can be read", async () => {
  const figures = await must<{ name: string; value: number; labels: Record<string, string> }[]>(
    admin().rpc("operations_metrics"),
  );
  const declared = await withDatabase((sql) => sql`select distinct name from private.metrics`);
  for (const { name } of declared) {
    if (name.startsWith("probe_")) continue;
    assert.ok(figures.some((figure) => figure.name === name), name);
  }
  const failed = figures.filter(({ name }) => name === "metrics_failed");
  assert.deepEqual(failed.filter(({ labels }) => !/^probe_/.test(labels.name!)), []);
});

Deno.test("a figure that fails shows that, and hides no other", async () => {
  const name = `probe_${crypto.randomUUID().replaceAll(/[^a-z]/g, "")}`;
  await withDatabase(async (sql) => {
    await sql`select private.declare_metric(${name}, 'gauge', 'Fails', 'select 1 / 0 as value')`;
    try {
      const text = await scrape();
      assert.match(
        text,
        new RegExp(`^metrics_failed\\{name="${name}",sqlstate="22012"\\} 1$`, "m"),
      );
      assert.equal(valueOf(text, "database_up"), 1);
    } finally {
      await sql`delete from private.metrics where name = ${name}`;
    }
  });
});

Deno.test("wallet_transactions_total and sessions_active grow with what they count", async () => {
  const before = await scrape();
  const tenant = await createTenant();
  const member = await createMember(tenant);
  await issue(tenant, member, 5);
  const total = (text: string) => valueOf(text, "wallet_transactions_total");
  await until(async () => total(await scrape()) > total(before), { timeout: 15_000, every: 500 });
  assert.ok(valueOf(await scrape(), "sessions_active") > 0);
});

Deno.test("rate_limit_rejected_total counts what was refused", async () => {
  const total = async () => valueOf(await scrape(), "rate_limit_rejected_total");
  const before = await total();
  const takes = [{ key: `test:${crypto.randomUUID()}`, limit: 0, seconds: 60 }];
  await must(admin().rpc("limits_take", { takes }));
  assert.ok(await total() > before);
});

Deno.test("nobody but the secret key sees them, and nobody else asks the database", async () => {
  await assertProblem(await callApi("/metrics"), 401, "auth.required");
  const headers = { apikey: getStack().publishableKey };
  await assertProblem(await callApi("/metrics", { headers }), 401, "auth.required");
  const person = await createPerson();
  const token = await tokenOf(person);
  await assertProblem(await callApi("/metrics", { token }), 401, "auth.required");
  assert.equal((await person.client.rpc("operations_metrics")).error?.code, "42501");
});

Deno.test("without a database the instance still tells what it served", async () => {
  const app = createApp(createTestServices().services);
  await app.request("/api/health/live");
  const apikey = JSON.parse(deadEnvironment.SUPABASE_SECRET_KEYS!).default;
  const text = await (await app.request("/api/metrics", { headers: { apikey } })).text();
  assert.match(text, /^database_up 0$/m);
  const live =
    /^http_requests_total\{function="test",isolate="\w+",method="GET",route="\/api\/health\/live",status="200"\} 1$/m;
  assert.match(text, live);
  assert.match(text, /^http_request_duration_seconds_bucket\{[^}]*le="\+Inf"\} 1$/m);
});

Deno.test("labels are escaped, so that no value can make up a line", () => {
  const text = renderMetrics([{
    name: "a",
    kind: "gauge",
    help: "x\ny",
    samples: [{ labels: { l: 'q"\n\\' }, value: 1 }],
  }]);
  assert.equal(text, '# HELP a x\\ny\n# TYPE a gauge\na{l="q\\"\\n\\\\"} 1\n');
});
