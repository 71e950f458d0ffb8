import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { withDatabase } from "../support/database.ts";

interface Policy {
  schema: string;
  table: string;
  name: string;
  command: string;
  roles: string[];
  permissive: string;
  expression: string;
}

const read = () =>
  withDatabase((sql) =>
    sql<Policy[]>`
      select schemaname as schema, tablename as table, policyname as name, lower(cmd) as command,
        roles::text[] as roles, permissive, concat_ws(' ', qual, with_check) as expression
      from pg_policies
      where schemaname = 'public'
        or (schemaname in ('realtime', 'storage') and policyname ~ '^[a-z]+_(select|insert|update|delete)_[a-z]+$')`
  );

Deno.test("policies are <table>_<command>_<who>, for one command, to authenticated", async () => {
  for (const { table, name, command, roles } of await read()) {
    assertEquals(name.startsWith(`${table}_${command}_`), true, name);
    assertEquals(
      ["select", "insert", "update", "delete"].includes(command),
      true,
      `${name}: ${command}`,
    );
    assertEquals(roles, ["authenticated"], name);
  }
});

Deno.test("a table has at most one policy for a command: rights are read in one place", async () => {
  const seen = (await read()).map(({ schema, table, command }) => `${schema}.${table} ${command}`);
  assertEquals(seen.filter((entry, index) => seen.indexOf(entry) !== index), []);
});

Deno.test("policies ask the shared questions, once a statement, and trust no claim", async () => {
  for (const { schema, name, expression } of await read()) {
    assertEquals(/user_metadata|request\.jwt|current_setting|auth\./.test(expression), false, name);
    // A bare call would run once a row; wrapped in a select it runs once a statement.
    const bare = expression
      .replaceAll(/\( SELECT [\s\S]*?\)(?: AS \w+\))/g, "")
      .match(/private\.(tenants_with|person|whole_person|can|wallet_own_\w+)\(/);
    if (schema === "public") assertEquals(bare, null, `${name}: ${expression}`);
  }
});

Deno.test("every tenant table's policies start from the tenants the caller has the permission in", async () => {
  await withDatabase(async (sql) => {
    const columns = await sql<{ table: string }[]>`
      select relname as table from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and attname = 'tenant_id'`;
    const tenantTables = new Set(columns.map(({ table }) => table));
    for (const { table, name, expression } of await read()) {
      if (!tenantTables.has(table)) continue;
      assertEquals(
        /tenant_id = ANY \(ARRAY\( SELECT private\.tenants_with/.test(expression),
        true,
        name,
      );
    }
  });
});

Deno.test("what belongs to a person and to no tenant is shown to a session without bounds alone", async () => {
  await withDatabase(async (sql) => {
    const columns = await sql<{ table: string }[]>`
      select relname as table from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace = 'public'::regnamespace and a.attname = 'tenant_id'`;
    const tenantTables = new Set(["tenants", ...columns.map(({ table }) => table)]);
    for (const { schema, table, name, expression } of await read()) {
      if (schema !== "public" || tenantTables.has(table)) continue;
      assertEquals(/private\.person\(/.test(expression), false, name);
    }
  });
});

Deno.test("a read under row level security enters by the tenant's index, on every tenant table", async (t) => {
  await withDatabase(async (sql) => {
    const tables = await sql<{ table: string }[]>`
      select c.relname as table from pg_attribute a
      join pg_class c on c.oid = a.attrelid
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attname = 'tenant_id'`;
    for (const { table } of tables) {
      await t.step(table, async () => {
        const plan = await sql.begin(async (tx) => {
          // The tables of a test run are small: what matters is that the index can be used.
          await tx`set local enable_seqscan = off`;
          await tx`set local role authenticated`;
          const [row] = await tx.unsafe(`explain (format json) select * from public.${table}`);
          return JSON.stringify(row);
        });
        assertEquals(/"Index Cond":"[^"]*tenant_id = ANY/.test(plan), true, plan);
      });
    }
  });
});
