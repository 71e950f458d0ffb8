import assert from "node:assert/strict";
import { join } from "../../../local/paths.ts";
import { makePlace, query } from "./support.ts";

Deno.test("the data folder", async (t) => {
  await using place = await makePlace();
  const folder = join(place.settings.home, "postgres");
  const data = join(folder, "data");

  await t.step("is whole or absent: what a killed initdb left is made anew", async () => {
    const half = join(folder, "data.half");
    await Deno.mkdir(half, { recursive: true });
    await Deno.writeTextFile(join(half, "PG_VERSION"), "17\n");
    const database = await place.start();
    await query(database.url("postgres"), (sql) => sql`create table kept (n int)`);
    await database.stop();
    await assert.rejects(Deno.stat(half), Deno.errors.NotFound);
  });

  await t.step("of another version is refused", async () => {
    const file = join(data, "PG_VERSION");
    await Deno.writeTextFile(file, "16\n");
    await assert.rejects(place.start(), {
      name: "StackError",
      message: `The data folder ${data} is of PostgreSQL 16, and this is 17: ` +
        "start with --reset to make a new one.",
    });
    await Deno.writeTextFile(file, "17\n");
  });

  await t.step("that is not whole is refused", async () => {
    const file = join(data, "global", "pg_control");
    await Deno.rename(file, `${file}.away`);
    await assert.rejects(place.start(), {
      name: "StackError",
      message: `The data folder ${data} is not a whole database: ` +
        "start with --reset to make a new one.",
    });
    await Deno.rename(`${file}.away`, file);
  });

  await t.step("is emptied by --reset", async () => {
    const database = await place.start({ reset: true });
    const [row] = await query(
      database.url("postgres"),
      (sql) => sql`select to_regclass('public.kept') as kept`,
    );
    await database.stop();
    assert.equal(row?.kept, null);
  });

  await t.step("sorts text by language as hosted does, not by byte", async () => {
    const database = await place.start();
    const rows = await query(
      database.url("postgres"),
      (sql) => sql`select v from (values ('b'), ('A'), ('a'), ('B'), ('ä')) t (v) order by v`,
    );
    await database.stop();
    assert.equal(rows.map(({ v }) => v).join(""), "aAäbB");
  });
});

Deno.test({
  name: "root keeps the data aside where the account of Postgres cannot enter the home",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using place = await makePlace();
    const closed = await Deno.makeTempDir();
    const database = await place.start({ home: join(closed, "home") });
    await database.stop();
    const line = place.lines.find((line) => line.includes("cannot reach"));
    const aside = /kept in (\/var\/lib\/nexus\/[0-9a-f]{16})\.$/.exec(line ?? "")?.[1];
    assert.ok(aside, place.lines.join("\n"));
    assert.equal(await Deno.readTextFile(join(aside, "data", "PG_VERSION")), "17\n");
    await Deno.remove(aside, { recursive: true });
    await Deno.remove(closed, { recursive: true });
  },
});
