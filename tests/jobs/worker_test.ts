import assert from "node:assert/strict";
import { createApp } from "../../functions/worker/app.ts";
import { readConfig } from "shared/config.ts";
import { root } from "../../local/settings.ts";
import { withDatabase } from "../support/database.ts";
import { createTestServices, deadEnvironment } from "../support/services.ts";
import { getStack } from "../support/stack.ts";
import { until } from "../support/wait.ts";

const call = (authorization?: string) =>
  fetch(`${getStack().url}/functions/v1/worker`, {
    method: "POST",
    headers: authorization === undefined ? {} : { authorization },
  });

Deno.test("a job is run at once after the commit that wants it, and leaves its figures", () =>
  withDatabase(async (sql) => {
    const done = async () => {
      const [row] = await sql`
        select coalesce(sum(done), 0)::int as done from private.jobs_figures where kind = 'jobs.probe'`;
      return row!.done;
    };
    const before = await done();
    const [row] = await sql`select private.enqueue('jobs.probe') as id`;
    await until(async () => {
      const [left] = await sql`select 1 from private.jobs where id = ${row!.id}`;
      return left === undefined;
    }, { timeout: 15_000 });
    await until(async () => await done() > before, { timeout: 15_000 });
  }));

Deno.test("without the secret the worker does nothing: 401", async () => {
  for (
    const authorization of [undefined, "Bearer", "Bearer wrong", `Bearer ${getStack().secretKey}`]
  ) {
    const response = await call(authorization);
    assert.equal(response.status, 401, authorization);
    assert.equal((await response.json()).code, "auth.required");
  }
});

Deno.test("with the secret of the vault it answers 202 before it has done anything", () =>
  withDatabase(async (sql) => {
    const [secret] = await sql`
      select decrypted_secret as value from vault.decrypted_secrets where name = 'worker_secret'`;
    const response = await call(`Bearer ${secret!.value}`);
    assert.deepEqual([response.status, await response.json()], [202, { status: "accepted" }]);
  }));

Deno.test("a worker that was given no secret refuses everybody", async () => {
  assert.equal(readConfig(deadEnvironment).workerSecret, undefined);
  const { services } = createTestServices();
  const app = createApp(services, {});
  for (const authorization of ["", "Bearer ", "Bearer undefined"]) {
    const response = await app.request("/worker", { method: "POST", headers: { authorization } });
    assert.equal(response.status, 401);
  }
});

Deno.test("a batch of a hundred jobs takes under 1 s of CPU and 200 MB, start of the function included", () =>
  withDatabase(async (sql) => {
    const { url, publishableKey, secretKey } = getStack();
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", "tests/jobs/budget.ts"],
      cwd: root,
      env: {
        SUPABASE_URL: url,
        SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishableKey }),
        SUPABASE_SECRET_KEYS: JSON.stringify({ default: secretKey }),
      },
      stdout: "piped",
    }).spawn();
    // The stack's own worker takes its share, so there are more than enough.
    const feeding = setInterval(
      () => sql`select private.enqueue('jobs.probe') from generate_series(1, 200)`.catch(() => {}),
      200,
    );
    try {
      const { stdout, success } = await child.output();
      assert.ok(success);
      const { ran, cpu, rss } = JSON.parse(new TextDecoder().decode(stdout));
      assert.ok(ran >= 100, `${ran} jobs`);
      assert.ok(cpu < 1, `${cpu} s of CPU`);
      assert.ok(rss < 200 * 1024 * 1024, `${Math.round(rss / 1024 / 1024)} MB`);
    } finally {
      clearInterval(feeding);
    }
  }));
