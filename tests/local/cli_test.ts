import assert from "node:assert/strict";
import { join } from "../../local/paths.ts";
import { migrate } from "../../local/postgres/mod.ts";
import { root } from "../../local/settings.ts";
import { cli } from "../../local/supabase_cli.ts";
import { isCliAvailable, makeProject, supabase } from "../support/supabase_cli.ts";
import { makePlace, query } from "./postgres/support.ts";

const available = await isCliAvailable();

Deno.test({
  name: `the Supabase CLI works against the database${
    available ? "" : ` (ignored: npx cannot get ${cli})`
  }`,
  ignore: !available,
  async fn(t) {
    await using place = await makePlace();
    let database = await place.start();
    const url = database.url("postgres");
    await using project = await makeProject(database.port);
    const { folder } = project;
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await supabase(folder, args);
      assert.equal(code, 0, stdout + stderr);
      return stdout;
    };
    const files = (await Array.fromAsync(Deno.readDir(join(root, "migrations"))))
      .map(({ name }) => name).filter((name) => name.endsWith(".sql"));

    await t.step("db push applies the migrations, and ours finds nothing left to do", async () => {
      await run("db", "push", "--yes");
      assert.deepEqual(await migrate(database, place.settings, () => {}), []);
      const [row] = await query(
        url,
        (sql) => sql`select count(*)::int as applied from supabase_migrations.schema_migrations`,
      );
      assert.equal(row?.applied, files.length);
    });

    await t.step("ours applies the migrations, and db push finds nothing left to do", async () => {
      const fresh = { ...place.settings, reset: true };
      await database.stop();
      database = await place.start(fresh);
      assert.equal((await migrate(database, fresh, () => {})).length, files.length);
      assert.match(await run("db", "push", "--yes"), /up to date/);
    });

    await t.step("migration list shows every migration on both sides", async () => {
      const { migrations } = JSON.parse(await run("migration", "list", "--output-format", "json"));
      const versions = files.map((name) => name.slice(0, 14)).sort();
      assert.deepEqual(
        migrations.map(({ local, remote }: Record<string, string>) => [local, remote]),
        versions.map((version) => [version, version]),
      );
    });

    await t.step("db query answers by config.toml's port and by URL", async () => {
      for (const where of [[], [`--remote=${url}`]]) {
        const out = await run(
          ...["db", "query", "select current_user as who", "--read-only"],
          ...["--output-format", "json", ...where],
        );
        assert.match(out, /"who":\s*"postgres"/);
      }
    });

    await t.step(
      "gen types writes types that compile and know our tables and functions",
      async () => {
        const types = await run("gen", "types", `--remote=${url}?sslmode=disable`);
        assert.match(types, /"tenants":/);
        assert.match(types, /"wallet_transfer":/);
        const file = join(folder, "types.ts");
        await Deno.writeTextFile(file, types);
        const { success } = await new Deno.Command(Deno.execPath(), {
          args: ["check", "--no-config", file],
          stdout: "null",
          stderr: "null",
        }).output();
        assert.ok(success);
      },
    );

    await t.step("db advisors has nothing to warn of, and warns of what is open", async () => {
      const findings = async (): Promise<string[]> => {
        const out = await run("db", "advisors", "--level", "warn", "--output-format", "json");
        return JSON.parse(out).results.map(({ name }: { name: string }) => name);
      };
      assert.deepEqual(await findings(), []);
      await query(
        url,
        (sql) =>
          sql.unsafe("create table public.open (n int); grant select on public.open to anon"),
      );
      assert.deepEqual(await findings(), ["rls_disabled_in_public"]);
    });

    await database.stop();
  },
});
