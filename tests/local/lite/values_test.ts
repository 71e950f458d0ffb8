import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { type Door, openDoors } from "./support.ts";

const fixture = `
  create type public.pair as (a int, b text);
  create type public.mood as enum ('sad', 'glad');
  create table public.kinds (
    id int generated always as identity primary key,
    data jsonb,
    pair public.pair,
    pairs public.pair[],
    moods public.mood[],
    names text[],
    digits bigint,
    note text,
    rank int default 7
  );
  grant select, insert, update, delete on public.kinds to authenticated;
  create table public.guarded (id int primary key default 1, open text, hidden text, tags text[]);
  create table public.slugs (slug text primary key, name text);
  grant select, insert, update on public.slugs to authenticated;
  grant select (id), insert (open, tags), update (open) on public.guarded to authenticated;`;

const wanted = { prefer: "return=representation" };

async function insert(door: Door, select: string, body: unknown, prefer = "") {
  const headers = { prefer: `return=representation${prefer}` };
  const answer = await door.call(`/kinds?select=${select}`, { body, headers });
  return answer.status === 201 ? answer.body : answer.status;
}

Deno.test("written values reach Postgres as they came", async (t) => {
  await using doors = await openDoors(fixture);
  const { mended, plain } = doors;

  const json: [value: unknown, lites: unknown][] = [
    [{ a: [1] }, { a: [1] }],
    ["text", "text"],
    ["5", 5],
    ["true", 400],
    [true, 400],
    [null, null],
  ];
  for (const [data, lites] of json) {
    await t.step(`${JSON.stringify(data)} in a jsonb column`, async () => {
      assertEquals(await insert(mended, "data", { data }), [{ data }]);
      const theirs = typeof lites === "number" && lites >= 400 ? lites : [{ data: lites }];
      assertEquals(await insert(plain, "data", { data }), theirs);
    });
  }

  await t.step("objects and arrays of them in composite columns", async () => {
    const row = { pair: { a: 1, b: "x" }, pairs: [{ a: 2, b: "y" }] };
    assertEquals(await insert(mended, "pair,pairs", row), [row]);
    assertEquals(await insert(plain, "pair,pairs", row), 400);
  });

  await t.step("arrays of texts and of enums", async () => {
    const row = { names: ["a", null, "b, c", '"d"'], moods: ["sad", "glad"] };
    assertEquals(await insert(mended, "names,moods", row), [row]);
  });

  await t.step("every digit of a number sent as text", async () => {
    const row = { digits: "9007199254740993" };
    assertEquals(await insert(mended, "digits::text", row), [row]);
    assertEquals(await insert(plain, "digits::text", row), [{ digits: "9007199254740992" }]);
  });

  await t.step("text stays what it is, and objects become JSON in it", async () => {
    for (const note of ["null", "007", "+49", ""]) {
      assertEquals(await insert(mended, "note", { note }), [{ note }]);
    }
    assertEquals(await insert(mended, "note", { note: { a: 1 } }), [{ note: '{"a":1}' }]);
    assertEquals(await insert(plain, "note", { note: { a: 1 } }), [{ note: "[object Object]" }]);
  });

  await t.step("an update writes them too", async () => {
    await insert(mended, "id", { note: "changed" });
    const changes = { data: "5", pair: { a: 3, b: "z" }, names: ["n"] };
    const { body } = await mended.call("/kinds?note=eq.changed&select=data,pair,names", {
      method: "PATCH",
      body: changes,
      headers: wanted,
    });
    assertEquals(body, [changes]);
  });

  await t.step("several rows: a missing key is NULL, or the default where asked for", async () => {
    const rows = [{ note: "a" }, { note: "b", rank: 1 }];
    const select = 'note,rank&columns="note","rank"';
    assertEquals(await insert(mended, select, rows), [{ note: "a", rank: null }, rows[1]]);
    assertEquals(await insert(mended, select, rows, ",missing=default"), [
      { note: "a", rank: 7 },
      rows[1],
    ]);
    // Lite reports NULL either way, and writes the default either way.
    assertEquals(await insert(plain, select, rows), [{ note: "a", rank: null }, rows[1]]);
    assertEquals(await plain.get("/kinds?select=note,rank&note=eq.a"), [{ note: "a", rank: 7 }]);
  });
});

Deno.test("a write returns what is wanted and no more", async (t) => {
  await using doors = await openDoors(fixture);
  const { mended, plain } = doors;

  await t.step("insert and update need no right to read what they do not return", async () => {
    const row = { open: "o", tags: ["a"] };
    assertEquals((await mended.call("/guarded", { body: row })).status, 201);
    const patch = { method: "PATCH", body: { open: "p" } };
    assertEquals((await mended.call("/guarded?id=eq.1", patch)).status, 204);
    const returned = await mended.call("/guarded?select=id&id=eq.1", { ...patch, headers: wanted });
    assertEquals([returned.status, returned.body], [200, [{ id: 1 }]]);
  });

  await t.step("several rows without a wish return nothing", async () => {
    const body = [{ note: "a" }, { note: "b" }];
    assertEquals((await mended.call("/kinds", { body })).text, "");
    assertEquals(((await plain.call("/kinds", { body })).body as unknown[]).length, 2);
  });

  await t.step("a row without values takes the defaults", async () => {
    assertEquals(await insert(mended, "note,rank", {}), [{ note: null, rank: 7 }]);
    assertEquals(await insert(plain, "note,rank", {}), 400);
  });

  await t.step("Location only where headers are asked for", async () => {
    const location = async (door: Door, select: string, prefer: string) => {
      const call = { body: { note: "l" }, headers: { prefer: `return=${prefer}` } };
      return (await door.call(`/kinds?select=${select}`, call)).headers.get("location");
    };
    assertEquals(await location(mended, "n:note", "representation"), null);
    assertEquals(await location(plain, "n:note", "representation"), "/kinds?id=eq.undefined");
    assertEquals(
      /^\/kinds\?id=eq\.\d+$/.test(await location(mended, "", "headers-only") ?? ""),
      true,
    );
  });

  await t.step("an update answers with the rows it changed, whatever it changed", async () => {
    const renamed = async (door: Door) => {
      await insert(door, "id", { note: "before" });
      const call = { method: "PATCH", body: { note: "after" }, headers: wanted };
      return (await door.call("/kinds?note=eq.before&select=n:note", call)).body;
    };
    assertEquals(await renamed(mended), [{ n: "after" }]);
    assertEquals(await renamed(plain), []);
  });

  await t.step("an upsert merges or ignores", async () => {
    await insertSlug("merge-duplicates", "first");
    assertEquals(await insertSlug("merge-duplicates", "second"), [{ name: "second" }]);
    assertEquals(await insertSlug("ignore-duplicates", "third"), []);
    assertEquals(await mended.get("/slugs?select=name"), [{ name: "second" }]);
  });

  async function insertSlug(resolution: string, name: string) {
    const headers = { prefer: `return=representation,resolution=${resolution}` };
    return (await mended.call("/slugs?select=name", { body: { slug: "s", name }, headers })).body;
  }
});
