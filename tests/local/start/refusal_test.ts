import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { dirname, join } from "../../../local/paths.ts";
import { type Finished, repository, withSite } from "./fixture.ts";

/** One clear message, no stack trace, exit code 1. */
function assertRefused({ code, stderr }: Finished, message: RegExp): void {
  assert.equal(code, 1);
  assert.match(stderr, message);
  assert.equal(stderr.trim().split("\n").length, 1, stderr);
}

Deno.test("a second start in the same place says who is there", async () => {
  await withSite(async (site) => {
    const running = await site.startReady();
    const second = await site.run("start.ts");
    assertRefused(
      second,
      new RegExp(`already running in ${site.home} \\(process ${running.pid}\\)`),
    );
    assert.equal((await site.run("status.ts")).code, 0, "the first one is left alone");
  });
});

Deno.test("a taken port is named, for the API, the database and the mail inbox", async () => {
  await withSite(async (site) => {
    for (const [distance, use] of [[0, "the API"], [1, "the database"], [3, "the mail inbox"]]) {
      const port = site.apiPort + Number(distance);
      using _taken = Deno.listen({ hostname: "127.0.0.1", port });
      assertRefused(
        await site.run("start.ts", "--no-seed"),
        new RegExp(`Port ${port}, where ${use} should listen, is taken: .*--port-offset`),
      );
    }
  });
});

Deno.test("a half-made data folder is not started but explained", async () => {
  await withSite(async (site) => {
    const data = join(site.home, "postgres", "data");
    await Deno.mkdir(data, { recursive: true });
    await Deno.writeTextFile(join(data, "postgresql.conf"), "");
    assertRefused(await site.run("start.ts", "--no-seed"), /not a whole database.*--reset/);
    await site.startReady("--reset");
  });
});

Deno.test("an unknown option and a bad offset are named", async () => {
  await withSite(async (site) => {
    assertRefused(await site.run("start.ts", "--rest"), /Unknown option --rest/);
    assertRefused(await site.run("start.ts", "--port-offset", "x"), /whole number.*"x"/);
  });
});

Deno.test("--reset leaves everything alone where it cannot empty the database", async () => {
  await withSite(async (site) => {
    const kept = join(site.home, "postgres", "data", "PG_VERSION");
    await Deno.mkdir(dirname(kept), { recursive: true });
    await Deno.writeTextFile(kept, "17");
    const url = "postgresql://postgres@127.0.0.1/postgres";
    assertRefused(await site.run("start.ts", "--reset", "--db-url", url), /leave out --db-url/);
    assert.equal(await Deno.readTextFile(kept), "17");
  });
});

Deno.test("a failing migration is named with its error, and nothing is left running", async () => {
  const project = await Deno.makeTempDir({ prefix: "nexus-project-" });
  try {
    await copyProject(project);
    const migration = "20990101000000_broken.sql";
    await Deno.writeTextFile(join(project, "migrations", migration), "select no_such_function();");
    await withSite(async (site) => {
      const { code, stderr } = await site.run("start.ts", "--no-seed");
      assert.equal(code, 1);
      assert.match(stderr, /20990101000000_broken\.sql/);
      assert.match(stderr, /no_such_function\(\) does not exist/);
      assert.equal((await site.run("status.ts")).code, 1);
      await Deno.remove(join(project, "migrations", migration));
      await site.startReady();
    }, { project });
  } finally {
    await Deno.remove(project, { recursive: true });
  }
});

async function copyProject(to: string): Promise<void> {
  const parts = [
    "local",
    "migrations",
    "supabase",
    "functions",
    "shared",
    "deno.json",
    "deno.lock",
  ];
  for (const part of [...parts, "import_map.json"]) {
    await cp(join(repository, part), join(to, part), { recursive: true, verbatimSymlinks: true });
  }
}
