import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { type Door, openDoors } from "./support.ts";

// Keyed by tenant, as all our tables are: every foreign key begins with the same column.
const fixture = `
  create table public.tenants (id int primary key, slug text);
  create table public.members (
    tenant_id int references public.tenants, id int, name text, primary key (tenant_id, id)
  );
  create table public.posts (
    tenant_id int references public.tenants, id int, title text, author_id int, editor_id int,
    primary key (tenant_id, id),
    constraint posts_author foreign key (tenant_id, author_id) references public.members,
    constraint posts_editor foreign key (tenant_id, editor_id) references public.members
  );
  create table public.post_texts (
    tenant_id int, post_id int, text text, primary key (tenant_id, post_id),
    foreign key (tenant_id, post_id) references public.posts
  );
  create table public.notes (
    tenant_id int references public.tenants, id int, member_id int, primary key (tenant_id, id),
    foreign key (tenant_id, member_id) references public.members
  );
  create table public.labels (tenant_id int, id int, label text, primary key (tenant_id, id));
  create table public.post_labels (
    tenant_id int, post_id int, label_id int, primary key (tenant_id, post_id, label_id),
    foreign key (tenant_id, post_id) references public.posts,
    foreign key (tenant_id, label_id) references public.labels
  );
  insert into public.tenants values (1, 'one');
  insert into public.members values (1, 1, 'ana'), (1, 2, 'ben');
  insert into public.posts values (1, 1, 'first', 1, 2), (1, 2, 'second', 2, null);
  insert into public.post_texts values (1, 1, 'long');
  insert into public.labels values (1, 1, 'red'), (1, 2, 'blue');
  insert into public.post_labels values (1, 1, 2);
  create view public.titles with (security_invoker = true) as
    select tenant_id, id, title, author_id from public.posts;
  create function public.all_posts() returns setof public.posts language sql stable
    as $$ select * from public.posts $$;
  grant select on all tables in schema public to authenticated;`;

Deno.test("foreign keys of several columns are one relationship", async (t) => {
  await using doors = await openDoors(fixture);
  const { mended, plain } = doors;

  await t.step("named by the request", async () => {
    const path =
      "/posts?select=title,author:members!posts_author(name),editor:members!posts_editor(name)" +
      "&order=id";
    assertEquals(await mended.get(path), [
      { title: "first", author: { name: "ana" }, editor: { name: "ben" } },
      { title: "second", author: { name: "ben" }, editor: null },
    ]);
    const { body } = await plain.call(path);
    const { message } = body as { message: string };
    assertEquals(message, "more than one row returned by a subquery used as an expression");
  });

  await t.step("from the other side", async () => {
    const path = "/members?select=name,posts!posts_author(title)&order=id";
    assertEquals(await mended.get(path), [
      { name: "ana", posts: [{ title: "first" }] },
      { name: "ben", posts: [{ title: "second" }] },
    ]);
    const [ana] = await plain.get(path) as { posts: unknown[] }[];
    assertEquals(ana!.posts.length, 2);
  });

  await t.step("to one where its columns are unique", async () => {
    const path = "/posts?select=title,post_texts(text)&order=id";
    assertEquals(await mended.get(path), [
      { title: "first", post_texts: { text: "long" } },
      { title: "second", post_texts: null },
    ]);
  });

  await t.step("through a view", async () => {
    const path = "/titles?select=title,members(name)&order=id";
    assertEquals(await mended.get(path), [
      { title: "first", members: { name: "ana" } },
      { title: "second", members: { name: "ben" } },
    ]);
  });

  await t.step("in the rows of a function, filtered and ordered by it", async () => {
    const select = "select=title,members!posts_author!inner(name)&members.name=eq.ana";
    const { body } = await mended.call(`/rpc/all_posts?${select}`, { body: {} });
    assertEquals(body, [{ title: "first", members: { name: "ana" } }]);
    assertEquals(
      await mended.get(
        "/posts?select=title,...members!posts_author(name)&order=members(name).desc",
      ),
      [{ title: "second", name: "ben" }, { title: "first", name: "ana" }],
    );
  });
});

Deno.test("only a table keyed by both relates many to many", async (t) => {
  await using doors = await openDoors(fixture);
  const { mended, plain } = doors;
  const codeOf = async (door: Door, path: string) => {
    const { status, body } = await door.call(path);
    return `${status} ${(body as { code?: string }).code ?? ""}`.trim();
  };

  await t.step("tables of one tenant do not relate it to its members", async () => {
    const path = "/members?select=name,tenants(slug)&order=id&limit=1";
    assertEquals(await mended.get(path), [{ name: "ana", tenants: { slug: "one" } }]);
    assertEquals(await codeOf(plain, path), "300 PGRST201");
  });

  await t.step("a junction does", async () => {
    const path = "/posts?select=title,labels(label)&order=id";
    assertEquals(await mended.get(path), [
      { title: "first", labels: [{ label: "blue" }] },
      { title: "second", labels: [] },
    ]);
  });

  await t.step("two keys to one table are ambiguous: 300 PGRST201", async () => {
    assertEquals(await codeOf(mended, "/posts?select=members(name)"), "300 PGRST201");
  });

  await t.step("no key at all: 400 PGRST200", async () => {
    assertEquals(await codeOf(mended, "/notes?select=posts(title)"), "400 PGRST200");
    assertEquals(await codeOf(mended, "/notes?select=nothing(title)"), "400 PGRST200");
  });
});
