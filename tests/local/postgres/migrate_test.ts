import assert from "node:assert/strict";
import { join } from "../../../local/paths.ts";
import { type Database, migrate } from "../../../local/postgres/mod.ts";
import { connect, makePlace, type Place, query } from "./support.ts";

/** A project folder with these migrations and an empty database for it. */
async function makeProject(place: Place, database: Database, files: Record<string, string>) {
  const root = await Deno.makeTempDir({ dir: join(place.settings.home, "..") });
  const name = `project_${crypto.randomUUID().replaceAll("-", "")}`;
  await query(database.url("postgres"), (sql) => sql.unsafe(`create database ${name}`));
  const write = async (files: Record<string, string>) => {
    await Deno.mkdir(join(root, "migrations"), { recursive: true });
    for (const [file, text] of Object.entries(files)) {
      await Deno.writeTextFile(join(root, "migrations", file), text);
    }
  };
  await write(files);
  const own: Database = {
    ...database,
    url: (role) => database.url(role).replace(/\/postgres$/, `/${name}`),
  };
  return {
    write,
    remove: (file: string) => Deno.remove(join(root, "migrations", file)),
    migrate: () => migrate(own, { ...place.settings, root }, () => {}),
    rows: (text: string) =>
      query(
        own.url("postgres"),
        async (sql) => (await sql.unsafe(text)).map((row) => ({ ...row })),
      ),
  };
}

const first = "20260101000100_first.sql";
const second = "20260101000200_second.sql";

Deno.test("migrations", async (t) => {
  await using place = await makePlace();
  const database = await place.start();
  const project = (files: Record<string, string>) => makeProject(place, database, files);

  await t.step("are applied once, in order, and recorded as the CLI records them", async () => {
    const { migrate, rows } = await project({
      [second]: "insert into one values (1);\n-- the end",
      [first]: "\uFEFF-- One\ncreate table one (n int);\n",
    });
    assert.deepEqual(await migrate(), [first, second]);
    assert.deepEqual(await migrate(), []);
    assert.deepEqual(await rows("select * from supabase_migrations.schema_migrations order by 1"), [
      {
        version: "20260101000100",
        statements: ["-- One\ncreate table one (n int)"],
        name: "first",
      },
      {
        version: "20260101000200",
        statements: ["insert into one values (1)", "-- the end"],
        name: "second",
      },
    ]);
  });

  await t.step("run as postgres, who owns what they make", async () => {
    const { migrate, rows } = await project({ [first]: "create table one (n int);" });
    await migrate();
    assert.deepEqual(await rows("select tableowner from pg_tables where tablename = 'one'"), [
      { tableowner: "postgres" },
    ]);
  });

  await t.step("do not inherit settings from the file before", async () => {
    const { migrate, rows } = await project({
      [first]: "create schema other; set search_path = other; create table one (n int);",
      [second]: "create table two (n int);",
    });
    await migrate();
    assert.deepEqual(
      await rows("select schemaname from pg_tables where tablename in ('one', 'two') order by 1"),
      [{ schemaname: "other" }, { schemaname: "public" }],
    );
  });

  await t.step("that fail are undone and told with file, line, error and statement", async () => {
    const { write, migrate, rows } = await project({
      [first]: "create table one (n int);",
      [second]: "create table two (n int);\n\n-- Öne\ninsert into one\n  values ('ö', missing);\n",
    });
    await assert.rejects(migrate(), {
      name: "StackError",
      message: [
        `Migration ${second} failed and nothing of it was applied.`,
        'Line 5: column "missing" does not exist (42703)',
        "In: values ('ö', missing);",
      ].join("\n  "),
    });
    assert.deepEqual(await rows("select to_regclass('two')::text as two"), [{ two: null }]);
    await write({ [second]: "create table two (n int);" });
    assert.deepEqual(await migrate(), [second]);
  });

  await t.step("that fail without a position are told by where the statement begins", async () => {
    const { migrate } = await project({
      [first]: "create table one (n int);\n/* twice */\n-- over\ncreate table one (n int);",
    });
    await assert.rejects(migrate(), {
      message: [
        `Migration ${first} failed and nothing of it was applied.`,
        'Line 4: relation "one" already exists (42P07)',
        "In: create table one (n int);",
      ].join("\n  "),
    });
  });

  await t.step("edited after they were applied ask for --reset", async () => {
    const { write, migrate } = await project({ [first]: "create table one (n int);" });
    await migrate();
    await write({ [first]: "create table one (n bigint);" });
    await assert.rejects(migrate(), {
      name: "StackError",
      message: `Migration ${first} changed since it was applied: ` +
        "run with --reset to start from an empty database.",
    });
  });

  await t.step("removed after they were applied ask for --reset", async () => {
    const { remove, migrate } = await project({ [first]: "select 1", [second]: "select 2" });
    await migrate();
    await remove(first);
    await assert.rejects(migrate(), {
      message: "Migration 20260101000100 was applied and is not in migrations/ any more: " +
        "run with --reset to start from an empty database.",
    });
  });

  await t.step("put before applied ones ask for --reset", async () => {
    const { write, migrate } = await project({ [second]: "select 2" });
    await migrate();
    await write({ [first]: "select 1" });
    await assert.rejects(migrate(), {
      message: `Migration ${first} stands before ${second}, which is applied: ` +
        "run with --reset to start from an empty database.",
    });
  });

  await t.step("with another kind of name are refused", async () => {
    const { migrate } = await project({ "2026_first.sql": "select 1" });
    await assert.rejects(migrate(), {
      message: "Migration 2026_first.sql is not named <14 digits>_<name>.sql.",
    });
  });

  await t.step("are announced to the Data API once they are committed", async () => {
    await using listener = connect(database.url("postgres"));
    const heard = Promise.withResolvers<string>();
    await listener.listen("pgrst", heard.resolve);
    await query(database.url("postgres"), (sql) => sql`create table announced (n int)`);
    assert.equal(await heard.promise, "reload schema");
  });

  await database.stop();
});
