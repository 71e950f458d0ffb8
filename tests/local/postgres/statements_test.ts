import assert from "node:assert/strict";
import { splitStatements } from "../../../local/postgres/statements.ts";

const cases: [behaviour: string, source: string, statements: string[]][] = [
  ["cuts at semicolons and drops them", "select 1;\nselect 2;;", ["select 1", "select 2"]],
  ["takes a last statement without one", "select 1;\nselect 2\n", ["select 1", "select 2"]],
  ["finds nothing in an empty file", " \n;\n;", []],
  ["keeps a comment with the statement behind it", "-- a;\nselect 1;", ["-- a;\nselect 1"]],
  ["keeps a comment at the end by itself", "select 1;\n-- done", ["select 1", "-- done"]],
  ["follows nested comments", "/* a; /* b; */ c; */ select 1; x", [
    "/* a; /* b; */ c; */ select 1",
    "x",
  ]],
  ["leaves quotes whole", `select 'a;''b;' as "c;""d"; x`, [`select 'a;''b;' as "c;""d"`, "x"]],
  ["knows backslashes in E strings only", String.raw`select E'\';', e'\\'; select '\'; x`, [
    String.raw`select E'\';', e'\\'`,
    String.raw`select '\'`,
    "x",
  ]],
  ["leaves dollar quotes whole", "do $$ begin a; end $$; do $x$ $$;$$ $y$;$x$; x", [
    "do $$ begin a; end $$",
    "do $x$ $$;$$ $y$;$x$",
    "x",
  ]],
  ["takes no parameter for a dollar quote", "select $1; select a$b$ from c$b$; x", [
    "select $1",
    "select a$b$ from c$b$",
    "x",
  ]],
  ["leaves parentheses whole", "create rule r as do (a; (b); c); x", [
    "create rule r as do (a; (b); c)",
    "x",
  ]],
  [
    "leaves an atomic body whole",
    "create function f() BEGIN\nATOMIC select case when a then b end; c; END; x",
    [
      "create function f() BEGIN\nATOMIC select case when a then b end; c; END",
      "x",
    ],
  ],
  ["takes begin for a statement elsewhere", "begin; select 1; end;", ["begin", "select 1", "end"]],
  ["runs an unclosed quote to the end", "select 'a; b", ["select 'a; b"]],
];

for (const [behaviour, source, statements] of cases) {
  Deno.test(`splitting ${behaviour}`, () => {
    assert.deepEqual(splitStatements(source).map(({ text }) => text), statements);
  });
}

Deno.test("splitting tells where each statement begins", () => {
  const source = "select 1;\n\n  -- two\n  select 2;";
  for (const { text, offset } of splitStatements(source)) {
    assert.equal(source.slice(offset, offset + text.length), text);
  }
});
