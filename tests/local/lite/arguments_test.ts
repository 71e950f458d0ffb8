import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { openDoors } from "./support.ts";

const fixture = `
  create type public.pair as (a int, b text);
  create function public.kind_of(j jsonb) returns text language sql immutable
    as $$ select jsonb_typeof(j) $$;
  create function public.kind_of_unnamed(jsonb) returns text language sql immutable
    as $$ select jsonb_typeof($1) $$;
  create function public.echo_json(j jsonb) returns jsonb language sql immutable as $$ select j $$;
  create function public.echo_text(t text) returns text language sql immutable as $$ select t $$;
  create function public.echo_texts(t text[]) returns text[] language sql immutable
    as $$ select t $$;
  create function public.echo_pair(p public.pair) returns public.pair language sql immutable
    as $$ select p $$;
  create function public.add("from" int, "order" int default 1) returns int language sql immutable
    as $$ select "from" + "order" $$;
  create function public."camelCase"("argOne" int) returns int language sql immutable
    as $$ select "argOne" $$;
  create function public.overloaded(a int) returns text language sql immutable
    as $$ select 'int' $$;
  create function public.overloaded(a int, b text) returns text language sql immutable
    as $$ select 'both' $$;
  create function public.nothing() returns void language sql as $$ $$;
  create table public.things (id int primary key, name text);
  insert into public.things values (1, 'one'), (2, 'two'), (3, 'three');
  grant select on public.things to authenticated;
  create function public.thing(id int) returns public.things language sql stable
    as $$ select t from public.things t where t.id = thing.id $$;
  create function public.things_from(first int) returns setof public.things language sql stable
    as $$ select * from public.things where id >= first $$;`;

Deno.test("arguments are read by Postgres", async (t) => {
  await using doors = await openDoors(fixture);
  const { mended, plain } = doors;

  const kinds: [value: unknown, kind: string][] = [
    [{ a: 1 }, "object"],
    [[1], "array"],
    ["text", "string"],
    ["5", "string"],
    [5, "number"],
    [true, "boolean"],
  ];
  for (const [value, kind] of kinds) {
    await t.step(`${JSON.stringify(value)} for jsonb is of kind ${kind}`, async () => {
      assertEquals(await mended.rpc("kind_of", { j: value }), kind);
      assertEquals(await plain.rpc("kind_of", { j: value }), "string");
    });
  }

  await t.step("null for jsonb is NULL", async () => {
    assertEquals(await mended.rpc("kind_of", { j: null }), null);
  });

  await t.step("a single unnamed jsonb argument is the whole body", async () => {
    assertEquals(await mended.rpc("kind_of_unnamed", { a: 1 }), "object");
    assertEquals(await plain.rpc("kind_of_unnamed", { a: 1 }), "string");
  });

  await t.step("long numbers keep their digits", async () => {
    const body = '{"j":{"digits":9007199254740993}}';
    assertEquals(
      (await mended.call("/rpc/echo_json", { body })).text,
      '{"digits":9007199254740993}',
    );
  });

  await t.step("an object fits a composite type and, as JSON, text", async () => {
    assertEquals(await mended.rpc("echo_pair", { p: { a: 1, b: "x" } }), { a: 1, b: "x" });
    assertEquals(
      (await plain.call("/rpc/echo_pair", { body: { p: { a: 1, b: "x" } } })).status,
      400,
    );
    assertEquals(await mended.rpc("echo_text", { t: { a: 1 } }), '{"a":1}');
    assertEquals(await plain.rpc("echo_text", { t: { a: 1 } }), "[object Object]");
  });

  await t.step("an array keeps nulls, commas and quotes", async () => {
    const texts = ["a", null, "b, c", '"d"', ""];
    assertEquals(await mended.rpc("echo_texts", { t: texts }), texts);
  });

  await t.step("names are taken as they are written", async () => {
    assertEquals(await mended.rpc("add", { from: 1, order: 2 }), 3);
    assertEquals((await plain.call("/rpc/add", { body: { from: 1 } })).status, 400);
    assertEquals(await mended.rpc("camelCase", { argOne: 1 }), 1);
    assertEquals((await plain.call("/rpc/camelCase", { body: { argOne: 1 } })).status, 404);
  });

  await t.step("in a GET they are text", async () => {
    assertEquals(await mended.get("/rpc/echo_text?t=1.0"), "1.0");
    assertEquals(await plain.get("/rpc/echo_text?t=1.0"), "1");
    assertEquals(await mended.get("/rpc/add?from=2"), 3);
    assertEquals(await mended.get("/rpc/things_from?first=1&name=eq.two&select=id"), [{ id: 2 }]);
  });
});

Deno.test("functions answer by what they return", async (t) => {
  await using doors = await openDoors(fixture);
  const { mended } = doors;

  await t.step("void: 204 without a body", async () => {
    const { status, text } = await mended.call("/rpc/nothing", { body: {} });
    assertEquals([status, text], [204, ""]);
  });

  await t.step("one composite: an object", async () => {
    assertEquals(await mended.rpc("thing", { id: 1 }), { id: 1, name: "one" });
  });

  await t.step("a set: an array, which can be filtered, ordered, cut and counted", async () => {
    const path = "/rpc/things_from?name=neq.two&order=id.desc&select=name&limit=1";
    const headers = { prefer: "count=exact" };
    const { body, headers: answered } = await mended.call(path, { body: { first: 1 }, headers });
    assertEquals(body, [{ name: "three" }]);
    assertEquals(answered.get("content-range"), "0-0/2");
  });

  await t.step("defaults and overloads are chosen by the names given", async () => {
    assertEquals(await mended.rpc("add", { from: 1 }), 2);
    assertEquals(await mended.rpc("overloaded", { a: 1 }), "int");
    assertEquals(await mended.rpc("overloaded", { a: 1, b: "x" }), "both");
  });

  await t.step("an unknown function or argument: 404 PGRST202", async () => {
    for (const path of ["/rpc/nowhere", "/rpc/thing"]) {
      const { status, body } = await mended.call(path, { body: { nothing: 1 } });
      assertEquals([status, (body as { code: string }).code], [404, "PGRST202"]);
    }
  });
});
