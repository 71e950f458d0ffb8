import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { withDatabase } from "../support/database.ts";
import { anonFunctions, definers, privateForClients, serviceFunctions, slugs } from "./allowed.ts";
import { readMigrations } from "./migrations.ts";

interface Routine {
  schema: "public" | "private";
  name: string;
  definer: boolean;
  settings: string[] | null;
  comment: string | null;
  returns: string;
  out_arguments: boolean;
  anon: boolean;
  authenticated: boolean;
  service: boolean;
  everybody: boolean;
}

const read = () =>
  withDatabase((sql) =>
    sql<Routine[]>`
      select n.nspname as schema, p.proname as name, p.prosecdef as definer, p.proconfig as settings,
        obj_description(p.oid, 'pg_proc') as comment, pg_get_function_result(p.oid) as returns,
        p.proargmodes is not null as out_arguments,
        has_function_privilege('anon', p.oid, 'execute') as anon,
        has_function_privilege('authenticated', p.oid, 'execute') as authenticated,
        has_function_privilege('service_role', p.oid, 'execute') as service,
        exists (
          select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
          where a.grantee = 0 and a.privilege_type = 'EXECUTE'
        ) as everybody
      from pg_proc p
      join pg_namespace n on n.oid = p.pronamespace
      where n.nspname in ('public', 'private') and p.proowner = 'postgres'::regrole
        and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
      order by 1, 2`
  );

const names = (routines: Routine[]) => routines.map(({ name }) => name);

Deno.test("every function has an empty search_path and says what it does", async () => {
  for (const { schema, name, settings, comment } of await read()) {
    assertEquals(settings?.includes('search_path=""'), true, `${schema}.${name}: search_path`);
    assertEquals((comment ?? "").length > 20, true, `${schema}.${name}: comment`);
  }
});

Deno.test("every function in the migrations states volatility, security and its reason", async () => {
  for (const { file, text } of await readMigrations()) {
    for (const [head, name] of text.matchAll(/create function ([\w.]+)\([\s\S]*?as \$\$/g)) {
      assertEquals(
        /\n(volatile|stable|immutable)( --.*)?\n/.test(head),
        true,
        `${file}: ${name} volatility`,
      );
      const security = /\nsecurity (invoker|definer -- .{10,})\n/.test(head);
      assertEquals(security, true, `${file}: ${name} security, and a definer's reason`);
    }
  }
});

Deno.test("Z2: security definer is the allow-list's, exactly", async () => {
  const routines = await read();
  for (const schema of ["public", "private"] as const) {
    const found = routines.filter((routine) => routine.schema === schema && routine.definer);
    assertEquals(names(found), [...definers[schema]].sort(), schema);
  }
});

Deno.test("Z2: nobody but the listed roles may call a function", async () => {
  const routines = await read();
  const callable = (schema: string, role: "anon" | "authenticated" | "service" | "everybody") =>
    names(routines.filter((routine) => routine.schema === schema && routine[role]));
  assertEquals(callable("public", "everybody"), []);
  assertEquals(callable("private", "everybody"), []);
  assertEquals(callable("public", "anon"), anonFunctions);
  assertEquals(callable("private", "anon"), []);
  assertEquals(callable("public", "service"), serviceFunctions);
  assertEquals(callable("private", "authenticated"), privateForClients);
});

Deno.test("RPCs start with their capability and return one composite or a set", async () => {
  for (const { schema, name, returns, out_arguments } of await read()) {
    if (schema !== "public") continue;
    assertEquals(slugs.some((slug) => name.startsWith(`${slug}_`)), true, name);
    assertEquals([/^TABLE/.test(returns), out_arguments], [false, false], `${name}: returns`);
  }
});

Deno.test("the caller is read from the token in one file, and never from its legacy settings", async () => {
  for (const { file, text } of await readMigrations()) {
    if (!file.endsWith("_trust.sql")) {
      assertEquals(/auth\.(uid|jwt|role|email)\(/.test(text), false, file);
    }
    assertEquals(/request\.jwt\.claim\./.test(text), false, file);
  }
});
