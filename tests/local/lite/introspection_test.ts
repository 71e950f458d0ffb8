import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { openDoors } from "./support.ts";

const fixture = `
  create table public.people (id int primary key, name text);
  create table public.notes (
    id int primary key, text text, person_id int references public.people
  );
  create schema other;
  create table other.people (id int primary key, name text, secret text);
  insert into public.people values (1, 'ana');
  insert into public.notes values (1, 'n', 1);
  grant select on public.people, public.notes to authenticated;
  create table public.unseen (id int primary key);`;

Deno.test("the schema is what is exposed, whoever may see it", async (t) => {
  await using doors = await openDoors(fixture);
  const { mended, plain } = doors;
  const path = "/notes?select=text,people(*)";

  await t.step("a table of the same name elsewhere is another", async () => {
    assertEquals(await mended.get(path), [{ text: "n", people: { id: 1, name: "ana" } }]);
    // Lite asks for the other one's columns as well.
    assertEquals((await plain.call(path)).status, 400);
  });

  await t.step("a table that the login role may not see is forbidden, not unknown", async () => {
    assertEquals((await mended.call("/unseen")).status, 403);
  });
});
