import assert from "node:assert/strict";
import { join } from "../../../local/paths.ts";
import { until } from "../../support/wait.ts";
import { descendants, livingOf, withSite } from "./fixture.ts";

Deno.test("start says where everything is, status tells scripts, stop ends it", async () => {
  await withSite(async (site) => {
    const running = await site.startReady();
    for (const step of ["Postgres", "Migrations"]) {
      assert.match(running.stdout, new RegExp(`^ +${step} +\\d+\\.\\d s$`, "m"));
    }

    const status = await site.run("status.ts");
    assert.equal(status.code, 0);
    const values = Object.fromEntries(
      status.stdout.trim().split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2)),
    );
    assert.deepEqual(Object.keys(values), [
      "SUPABASE_URL",
      "SUPABASE_PUBLISHABLE_KEY",
      "SUPABASE_SECRET_KEY",
      "SUPABASE_DB_URL",
    ]);
    assert.equal(values.SUPABASE_URL, `http://127.0.0.1:${site.apiPort}`);
    for (const value of Object.values(values)) assert.ok(running.stdout.includes(value as string));

    const stop = await site.run("stop.ts");
    assert.equal(stop.code, 0);
    assert.equal((await running.finished).code, 0);
    const after = await site.run("status.ts");
    assert.equal(after.code, 1);
    assert.equal(after.stdout, "");
    assert.match(after.stderr, /does not run/);
  });
});

Deno.test("data and keys are kept across restarts, and --reset forgets the data", async () => {
  await withSite(async (site) => {
    const keys = async () => (await site.run("status.ts")).stdout;
    const again = async (...args: string[]) => {
      await site.run("stop.ts");
      await site.startReady(...args);
    };
    const mark = join(site.home, "postgres", "data", "PG_VERSION");
    await site.startReady();
    const before = await keys();
    const made = (await Deno.stat(mark)).mtime;
    await again();
    assert.equal(await keys(), before);
    assert.deepEqual((await Deno.stat(mark)).mtime, made);
    await again("--reset");
    assert.equal(await keys(), before);
    assert.notDeepEqual((await Deno.stat(mark)).mtime, made);
  });
});

Deno.test("SIGTERM ends everything within ten seconds and leaves no process", async () => {
  await withSite(async (site) => {
    const running = await site.startReady();
    const children = await descendants(running.pid);
    assert.ok(children.length > 0);
    const began = Date.now();
    running.signal("SIGTERM");
    assert.equal((await running.finished).code, 0);
    assert.ok(Date.now() - began < 10_000);
    assert.deepEqual(await livingOf(children), []);
  });
});

Deno.test("a stop asked for while starting leaves no process either", async () => {
  await withSite(async (site) => {
    const running = site.start();
    await until(() => running.stdout.includes("Postgres"), { timeout: 60_000 });
    const children = await descendants(running.pid);
    running.signal("SIGINT");
    assert.equal((await running.finished).code, 0);
    assert.ok(!running.isReady);
    assert.deepEqual(await livingOf(children), []);
  });
});

Deno.test("kill -9 leaves no orphan, and the next start finds its data", async () => {
  await withSite(async (site) => {
    const killed = await site.startReady();
    const children = await descendants(killed.pid);
    killed.signal("SIGKILL");
    await killed.finished;
    await until(async () => (await livingOf(children)).length === 0, { timeout: 10_000 });
    assert.equal((await site.run("status.ts")).code, 1, "its lock is gone with it");
    await site.startReady();
  });
});
