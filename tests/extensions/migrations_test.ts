import assert from "node:assert/strict";
import { splitStatements } from "../../local/postgres/statements.ts";
import { readMigrations } from "../conventions/migrations.ts";
import { withDatabase } from "../support/database.ts";

Deno.test("the CLI applied every migration and recorded it as our own start would", async () => {
  const expected = (await readMigrations()).map(({ file, text }) => ({
    version: file.slice(0, 14),
    name: file.slice(15, -".sql".length),
    statements: splitStatements(text).map((statement) => statement.text),
  }));
  const applied = await withDatabase((sql) =>
    sql`select version, name, statements from supabase_migrations.schema_migrations order by version`
  );
  assert.deepEqual([...applied], expected);
});

Deno.test("the migrations ran as a postgres that is no superuser and owns what they made", async () => {
  await withDatabase(async (sql) => {
    const [postgres] = await sql`select rolsuper from pg_roles where rolname = 'postgres'`;
    assert.equal(postgres?.rolsuper, false);
    const foreign = await sql`
      select c.oid::regclass::text as name from pg_class c
      where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
        and c.relowner <> 'postgres'::regrole
        and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')`;
    assert.deepEqual([...foreign], []);
  });
});
