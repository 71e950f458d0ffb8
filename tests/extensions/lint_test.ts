import assert from "node:assert/strict";
import { definers } from "../conventions/allowed.ts";
import { getStack } from "../support/stack.ts";
import { makeProject, supabase } from "../support/supabase_cli.ts";
import { asSuperuser } from "./support.ts";

interface Finding {
  name: string;
  detail: string;
  metadata: { schema?: string; name?: string } | null;
}

interface LintedFunction {
  function: string;
  issues: { level: string; message: string }[];
}

async function findings<T>(...args: string[]): Promise<T[]> {
  await using project = await makeProject(Number(new URL(getStack().databaseUrl).port));
  const { code, stdout, stderr } = await supabase(
    project.folder,
    ["db", ...args, "--output-format", "json"],
  );
  assert.equal(code, 0, stdout + stderr);
  return JSON.parse(stdout).results;
}

/** The linter's names of a finding that our list of definers answers, reason by reason. */
const answered = [
  "anon_security_definer_function_executable",
  "authenticated_security_definer_function_executable",
];

Deno.test("Z2: db lint finds nothing in our functions", async () => {
  const found = await findings<LintedFunction>(
    ...["lint", "--level", "warning", "--schema", "public,private"],
  );
  const messages = found.flatMap(({ function: name, issues }) =>
    issues
      // The wire's names of a period, which every client writes.
      .filter(({ message }) => !/^name of parameter "(from|to)" is reserved/.test(message))
      .map(({ message }) => `${name}: ${message}`)
  );
  assert.deepEqual(messages, []);
});

Deno.test("Z2: db advisors finds nothing, but for the definers on our list", async () => {
  const open = (await findings<Finding>("advisors", "--level", "info"))
    // Whether an index was read tells of the traffic, and here there was hardly any.
    .filter(({ name }) => name !== "unused_index")
    .filter(({ name, metadata }) =>
      !(answered.includes(name) && metadata?.schema === "public" &&
        definers.public.includes(metadata.name ?? ""))
    );
  assert.deepEqual(open.map(({ name, detail }) => `${name}: ${detail}`), []);
});

/** They run the SQL that migrations declared, out of tables which nobody else may write. */
const runDeclared = [
  "moderation_report(uuid,text,uuid,text,text)",
  "operations_metrics()",
  "private.jobs_run_schedule(text,boolean,boolean)",
  "private.moderation_carry_out(moderation_cases,text)",
  "private.moderation_take_back(moderation_cases)",
];

Deno.test("plpgsql_check finds neither an error nor a way to inject SQL in any function of ours", async () => {
  const found = await asSuperuser((sql) =>
    sql`
      with ours as materialized (
        select p.oid, coalesce((
          select tgrelid from pg_trigger where tgfoid = p.oid and not tgisinternal order by tgname limit 1
        ), 0) as relation
        from pg_proc p
        join pg_language l on l.oid = p.prolang and l.lanname = 'plpgsql'
        where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
          and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
      )
      select ours.oid::regprocedure::text as name, c.level, c.message, c.detail
      from ours
      cross join lateral extensions.plpgsql_check_function_tb(
        ours.oid::regprocedure, relid => ours.relation,
        security_warnings => true, performance_warnings => false, extra_warnings => true
      ) c
      where c.message !~ '^name of parameter "(from|to)" is reserved'
        and not (c.level = 'security' and ours.oid::regprocedure::text = any (${runDeclared}))`
  );
  assert.deepEqual([...found], []);
});
