import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { withDatabase } from "../support/database.ts";
import { appendOnly, plainTables, slugs, writableColumns } from "./allowed.ts";
import { readMigrations } from "./migrations.ts";

Deno.test("migrations are named <14 digits>_<slug>… and stay chapters, in order", async () => {
  const chapters = [...slugs, "foundation", "trust", "audience"];
  for (const { file, text } of await readMigrations()) {
    const [, name = ""] = /^\d{14}_([a-z_]+)\.sql$/.exec(file) ?? [];
    assertEquals(chapters.some((slug) => name === slug || name.startsWith(`${slug}_`)), true, file);
    assertEquals(
      /^\d{8}([01]\d|2[0-3])([0-5]\d){2}_/.test(file),
      true,
      `${file}: a time that exists`,
    );
    assertEquals(/^-- [A-Z][^:]*: /.test(text), true, `${file}: opens with what it is about`);
    assertEquals(text.split("\n").length <= 340, true, `${file}: length`);
  }
});

Deno.test("tables and views start with their capability and say what they are", async () => {
  await withDatabase(async (sql) => {
    const tables = await sql<{ schema: string; name: string; comment: string | null }[]>`
      select n.nspname as schema, c.relname as name, obj_description(c.oid, 'pg_class') as comment
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('public', 'private') and c.relkind in ('r', 'p', 'v', 'm')
        and not c.relispartition`;
    for (const { schema, name, comment } of tables) {
      const named = slugs.some((slug) => name === slug || name.startsWith(`${slug}_`));
      if (schema === "public") assertEquals(named || plainTables.includes(name), true, name);
      assertEquals((comment ?? "").length > 10, true, `${name}: comment`);
    }
  });
});

Deno.test("Z2: every table in public is under row level security; every view runs as its reader", async () => {
  await withDatabase(async (sql) => {
    const open = await sql`
      select c.relname from pg_class c
      where c.relnamespace = 'public'::regnamespace and (
        (c.relkind in ('r', 'p') and not c.relrowsecurity)
        or (c.relkind in ('v', 'm') and not coalesce(c.reloptions @> '{security_invoker=true}', false))
      )`;
    assertEquals([...open], []);
  });
});

Deno.test("keys of tenant tables lead with tenant_id, so that a row cannot point into another tenant", async () => {
  await withDatabase(async (sql) => {
    const loose = await sql`
      with tenant_tables as (
        select a.attrelid as id, a.attnum as tenant
        from pg_attribute a join pg_class c on c.oid = a.attrelid
        where a.attname = 'tenant_id' and c.relkind in ('r', 'p')
          and c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
      )
      select i.indrelid::regclass || ': ' || i.indexrelid::regclass as problem
      from pg_index i join tenant_tables t on t.id = i.indrelid
      where i.indisunique and i.indkey[0] <> t.tenant
      union all
      select f.conrelid::regclass || ': ' || f.conname
      from pg_constraint f
      join tenant_tables t on t.id = f.conrelid
      join tenant_tables target on target.id = f.confrelid
      where f.contype = 'f' and (f.conkey[1] <> t.tenant or f.confkey[1] <> target.tenant)`;
    assertEquals([...loose], []);
  });
});

Deno.test("ids are made by the database: no insert grant names them", async () => {
  await withDatabase(async (sql) => {
    const given = await sql`
      select table_name from information_schema.column_privileges
      where table_schema = 'public' and column_name = 'id' and privilege_type = 'INSERT'
        and grantee in ('anon', 'authenticated')`;
    assertEquals([...given], []);
  });
});

Deno.test("Z1: clients write exactly the columns of the allow-list; visitors read no table", async () => {
  await withDatabase(async (sql) => {
    const grants = await sql<{ name: string; kind: string; columns: string[] }[]>`
      select table_name as name, privilege_type as kind, array_agg(column_name::text order by column_name) as columns
      from information_schema.column_privileges
      where table_schema = 'public' and grantee = 'authenticated' and privilege_type in ('INSERT', 'UPDATE')
      group by 1, 2`;
    const found: typeof writableColumns = {};
    for (const { name, kind, columns } of grants) {
      found[name] ??= { insert: [], update: [] };
      found[name][kind === "INSERT" ? "insert" : "update"] = columns;
    }
    assertEquals(found, writableColumns);
    const others = await sql`
      select c.relname, a.grantee::regrole, a.privilege_type
      from pg_class c, aclexplode(c.relacl) a
      where c.relnamespace = 'public'::regnamespace and c.relowner = 'postgres'::regrole
        and (
          a.grantee in (0, 'anon'::regrole)
          or (a.grantee in ('authenticated'::regrole, 'service_role'::regrole) and a.privilege_type <> 'SELECT')
        )`;
    assertEquals([...others], []);
  });
});

Deno.test("append-only tables refuse everybody, and hold ids, numbers and codes only", async () => {
  await withDatabase(async (sql) => {
    for (const [table, codes] of Object.entries(appendOnly)) {
      const triggers = await sql<{ kind: number }[]>`
        select tgtype::int as kind from pg_trigger
        where tgrelid = ${table}::regclass and tgfoid = 'private.refuse_change'::regproc and tgenabled = 'O'`;
      // 27: before row update or delete; 34: before statement truncate.
      assertEquals(triggers.map(({ kind }) => kind).sort(), [27, 34], table);
      const texts = await sql<{ name: string }[]>`
        select attname as name from pg_attribute
        where attrelid = ${table}::regclass and attnum > 0 and not attisdropped
          and atttypid in ('text'::regtype, 'jsonb'::regtype, 'json'::regtype, 'inet'::regtype)`;
      assertEquals(texts.map(({ name }) => name).sort(), [...codes].sort(), table);
    }
  });
});

Deno.test("every permission belongs to a capability, and owner has them all", async () => {
  await withDatabase(async (sql) => {
    const missing = await sql`
      select t.slug, p.name from tenants t cross join permissions p
      where (not p.operators_only or t.id = private.platform()) and not exists (
        select from role_permissions rp
        where rp.tenant_id = t.id and rp.role = 'owner' and rp.permission = p.name
      )`;
    assertEquals([...missing], []);
    const stray = await sql`
      select rp.permission from role_permissions rp join permissions p on p.name = rp.permission
      where p.operators_only and rp.tenant_id <> private.platform()`;
    assertEquals([...stray], []);
  });
});
