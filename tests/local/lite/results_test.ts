import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { openDoors } from "./support.ts";

const fixture = `
  create type public.pair as (a int, b text);
  create table public.kinds (
    id int primary key,
    amount numeric,
    digits bigint,
    at timestamptz,
    local timestamp,
    names text[],
    pair public.pair,
    bytes bytea,
    data jsonb
  );
  insert into public.kinds values (
    1, 100.50, 9007199254740993, '2026-01-02 03:04:05.678901+02', '2026-01-02 03:04:05',
    '{a,null,"b c"}', '(1,x)', '\\x0102', '{"digits": 12345678901234567890, "fraction": 0.1}'
  );
  grant select on public.kinds to authenticated;
  create function public.now_at() returns timestamptz language sql immutable
    as $$ select '2026-01-02 03:04:05+00'::timestamptz $$;`;

Deno.test("results are rendered by Postgres", async (t) => {
  await using doors = await openDoors(fixture);
  const { mended, plain } = doors;

  const cases: [column: string, ours: unknown, lites: unknown][] = [
    ["amount", 100.5, "100.50"],
    ["at", "2026-01-02T01:04:05.678901+00:00", "2026-01-02 01:04:05.678901+00"],
    ["local", "2026-01-02T03:04:05", "2026-01-02 03:04:05"],
    ["names", ["a", null, "b c"], ["a", "NULL", "b c"]],
    ["pair", { a: 1, b: "x" }, "(1,x)"],
    ["bytes", "\\x0102", { type: "Buffer", data: [1, 2] }],
  ];
  for (const [column, ours, lites] of cases) {
    await t.step(`${column} as PostgREST has it`, async () => {
      const path = `/kinds?select=${column}`;
      assertEquals(await mended.get(path), [{ [column]: ours }]);
      assertEquals(await plain.get(path), [{ [column]: lites }]);
    });
  }

  await t.step("a function's result too", async () => {
    assertEquals(await mended.rpc("now_at"), "2026-01-02T03:04:05+00:00");
    assertEquals(await plain.rpc("now_at"), "2026-01-02 03:04:05+00");
  });

  await t.step("numbers keep every digit", async () => {
    const path = "/kinds?select=digits,data";
    assertEquals(
      (await mended.call(path)).text,
      '[{"digits":9007199254740993,"data":{"digits":12345678901234567890,"fraction":0.1}}]',
    );
    assertEquals(
      (await plain.call(path)).text,
      '[{"digits":9007199254740992,"data":{"digits":12345678901234567000,"fraction":0.1}}]',
    );
  });
});
