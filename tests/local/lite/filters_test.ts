import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { readCondition, readTree } from "../../../local/lite/filter.ts";
import { type Door, openDoors } from "./support.ts";

const texts = ["null", "true", "1.0", "1", "+49", " x, (y) ", 'q"uo\\te', "0123", ""];

const fixture = `
  create table public.texts (id int generated always as identity primary key, t text, n bigint);
  insert into public.texts (t)
    select * from json_array_elements_text('${JSON.stringify(texts)}'::json);
  insert into public.texts (n) values (9007199254740993);
  create table public.authors (id int primary key, name text);
  create table public.books (
    id int primary key, title text, author_id int references public.authors
  );
  insert into public.authors values (1, 'ana'), (2, 'null'), (3, 'unknown');
  insert into public.books values (1, 'one', 1), (2, 'two', 2), (3, 'three', 3);
  grant select on public.texts, public.authors, public.books to authenticated;`;

const found = async (door: Door, query: string) =>
  ((await door.get(`/texts?select=t&order=id&${query}`)) as { t: string }[]).map(({ t }) => t);

const encoded = (text: string) => encodeURIComponent(text);

Deno.test("a filter's value is the text it is", async (t) => {
  await using doors = await openDoors(fixture);
  const { mended, plain } = doors;

  for (const text of texts) {
    await t.step(`eq ${JSON.stringify(text)}`, async () => {
      assertEquals(await found(mended, `t=eq.${encoded(text)}`), [text]);
    });
  }

  await t.step("where lite guesses", async () => {
    const missed = ["null", "1.0", "+49", " x, (y) "];
    for (const text of missed) {
      assertEquals((await found(plain, `t=eq.${encoded(text)}`)).includes(text), false);
    }
  });

  await t.step("in a list, with quotes where they are needed", async () => {
    const list = encoded('(null,1.0,+49," x, (y) ","q\\"uo\\\\te")');
    assertEquals(await found(mended, `t=in.${list}`), [
      "null",
      "1.0",
      "+49",
      " x, (y) ",
      'q"uo\\te',
    ]);
  });

  await t.step("in a tree", async () => {
    const tree = encoded('(t.eq.null,and(t.eq.1.0,n.is.null),t.eq." x, (y) ",t.in.(0123,+49))');
    assertEquals(await found(mended, `or=${tree}`), ["null", "1.0", "+49", " x, (y) ", "0123"]);
  });

  await t.step("like takes * for %, in quotes too", async () => {
    assertEquals(await found(mended, "t=like.*ul*"), ["null"]);
    assertEquals(await found(mended, `or=${encoded('(t.ilike."*, (Y*")')}`), [" x, (y) "]);
    assertEquals(await found(plain, `or=${encoded('(t.ilike."*, (Y*")')}`), []);
  });

  await t.step("a long number keeps its digits", async () => {
    const ids = async (door: Door) =>
      ((await door.get("/texts?select=id&n=eq.9007199254740993")) as unknown[]).length;
    assertEquals([await ids(mended), await ids(plain)], [1, 0]);
  });

  await t.step("in an embedded relation", async () => {
    const titles = (door: Door, name: string) =>
      door.get(`/books?select=title,authors!inner()&authors.name=eq.${name}`);
    assertEquals(await titles(mended, "null"), [{ title: "two" }]);
    assertEquals(await titles(mended, "unknown"), [{ title: "three" }]);
    assertEquals(await titles(plain, "null"), []);
    const books = await mended.get(
      "/authors?select=name,books(title)&books.title=is.not_null&books.id=gt.2&id=gt.1&order=id",
    );
    assertEquals(books, [
      { name: "null", books: [] },
      { name: "unknown", books: [{ title: "three" }] },
    ]);
  });
});

Deno.test("all filters hold", async (t) => {
  await using doors = await openDoors(fixture);
  const { mended, plain } = doors;
  const titles = (door: Door, query: string) => door.get(`/books?select=title&order=id&${query}`);

  await t.step("two of one column and one operator", async () => {
    const query = "title=neq.one&title=neq.two";
    assertEquals(await titles(mended, query), [{ title: "three" }]);
    assertEquals(await titles(plain, query), [{ title: "one" }, { title: "three" }]);
  });

  await t.step("two trees", async () => {
    const query = "or=(id.eq.1,id.eq.2)&or=(id.eq.2,id.eq.3)";
    assertEquals(await titles(mended, query), [{ title: "two" }]);
    assertEquals(((await titles(plain, query)) as unknown[]).length, 3);
  });

  await t.step("negated ones", async () => {
    assertEquals(await titles(mended, "not.or=(id.eq.1,title.eq.two)"), [{ title: "three" }]);
    assertEquals(await titles(mended, "id=not.in.(1,2)"), [{ title: "three" }]);
    assertEquals(await titles(mended, "id=not.eq.1&id=not.eq.2"), [{ title: "three" }]);
  });

  await t.step("what is no filter is refused: 400 PGRST100", async () => {
    const { status, body } = await mended.call("/books?id=near.1");
    assertEquals([status, (body as { code: string }).code], [400, "PGRST100"]);
  });

  await t.step("a column that is not there is refused: 400 42703", async () => {
    const { status, body } = await mended.call("/books?nothing=eq.1");
    assertEquals([status, (body as { code: string }).code], [400, "42703"]);
  });
});

Deno.test("readCondition() reads operators, negation, lists and searches", () => {
  assertEquals(readCondition("eq.a.b"), { $eq: "a.b" });
  assertEquals(readCondition("not.gte.1"), { $not: { $gte: "1" } });
  assertEquals(readCondition("not.in.(1,2)"), { $notIn: ["1", "2"] });
  assertEquals(readCondition("in.()"), { $in: [] });
  assertEquals(readCondition('in.("a,b",c)'), { $in: ["a,b", "c"] });
  assertEquals(readCondition("is.NULL"), { $is: null });
  assertEquals(readCondition("not.is.true"), { $isNot: true });
  assertEquals(readCondition("like(any).{a*,b*}"), { $likeAny: "{a%,b%}" });
  assertEquals(readCondition("cs.{a,b}"), { $contains: "{a,b}" });
  assertEquals(readCondition("plfts(simple).a b"), {
    $textSearch: { query: "a b", type: "plain", config: "simple" },
  });
  assertEquals(readCondition("near.1"), undefined);
  assertEquals(readCondition("eq"), undefined);
});

Deno.test("readTree() reads nested operands", () => {
  assertEquals(readTree('(a.eq.1,not.and(b.gt."2,3",c->>d.in.(4,"5)")),or(e.is.null))'), [
    { a: { $eq: "1" } },
    { $not: { $and: [{ b: { $gt: "2,3" } }, { "c->>d": { $in: ["4", "5)"] } }] } },
    { $or: [{ e: { $is: null } }] },
  ]);
});
