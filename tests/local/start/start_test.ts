import assert from "node:assert/strict";
import { join } from "../../../local/paths.ts";
import { until } from "../../support/wait.ts";
import { withSite } from "./fixture.ts";
import { descendants, livingOf, memoryOf } from "./processes.ts";

Deno.test("start, status and stop", async (t) => {
  await withSite(async (site) => {
    const mark = join(site.home, "postgres", "data", "PG_VERSION");
    let first = "";
    let made: Date | null = null;

    await t.step("start says how long each part took, and where everything is", async () => {
      const running = await site.startReady();
      for (const title of ["Postgres", "Migrations", "Services"]) {
        assert.match(running.stdout, new RegExp(`^ +${title} +\\d+\\.\\d s$`, "m"));
      }
      const status = await site.run("status.ts");
      assert.equal(status.code, 0);
      const lines = status.stdout.trim().split("\n").map((line) => line.split(/=(.*)/s));
      assert.deepEqual(lines.map(([name]) => name), [
        "SUPABASE_URL",
        "SUPABASE_PUBLISHABLE_KEY",
        "SUPABASE_SECRET_KEY",
        "SUPABASE_DB_URL",
      ]);
      assert.equal(lines[0]![1], `http://127.0.0.1:${site.apiPort}`);
      for (const [, value] of lines) assert.ok(running.stdout.includes(value!));
      first = status.stdout;
      made = (await Deno.stat(mark)).mtime;
    });

    await t.step("stop ends it and waits, and status then has nothing to say", async () => {
      const stop = await site.run("stop.ts");
      assert.equal(stop.code, 0);
      const status = await site.run("status.ts");
      assert.equal(status.code, 1);
      assert.equal(status.stdout, "");
      assert.match(status.stderr, /does not run/);
      assert.equal((await site.run("stop.ts")).code, 0, "nothing to stop is no failure");
    });

    await t.step("a restart finds data and keys as they were", async () => {
      await site.startReady();
      assert.equal((await site.run("status.ts")).stdout, first);
      assert.deepEqual((await Deno.stat(mark)).mtime, made);
      await site.run("stop.ts");
    });

    await t.step("--reset makes the data anew and keeps the keys", async () => {
      await site.startReady("--reset");
      assert.equal((await site.run("status.ts")).stdout, first);
      assert.notDeepEqual((await Deno.stat(mark)).mtime, made);
    });
  });
});

Deno.test("nothing is left behind, however the stack ends", async (t) => {
  await withSite(async (site) => {
    await t.step("a signal while it is starting", async () => {
      const running = site.start();
      await until(() => running.stdout.includes("Postgres"), { timeout: 60_000 });
      const children = await descendants(running.pid);
      assert.ok(children.length > 0);
      running.signal("SIGINT");
      assert.equal((await running.finished).code, 0);
      assert.ok(!running.isReady);
      assert.deepEqual(await livingOf(children), []);
    });

    await t.step("kill -9: children go too, and the lock with it", async () => {
      const running = await site.startReady();
      const children = await descendants(running.pid);
      running.signal("SIGKILL");
      await running.finished;
      await until(async () => (await livingOf(children)).length === 0, { timeout: 10_000 });
      assert.equal((await site.run("status.ts")).code, 1);
    });

    await t.step("SIGTERM: all within ten seconds, after an idle life in 600 MB", async () => {
      const running = await site.startReady();
      const children = await descendants(running.pid);
      const memory = await memoryOf([running.pid, ...children]);
      assert.ok(memory > 0 && memory < 600, `${memory} MB`);
      const began = Date.now();
      running.signal("SIGTERM");
      assert.equal((await running.finished).code, 0);
      assert.ok(Date.now() - began < 10_000);
      assert.deepEqual(await livingOf(children), []);
    });
  });
});
