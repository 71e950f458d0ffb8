import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import { must } from "../support/answers.ts";
import { withDatabase } from "../support/database.ts";
import { attachFile } from "../support/groups.ts";
import { createCircle, does, type Post, posts } from "./support.ts";

Deno.test("an erased person's words and files leave the groups, and what others replied stays", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("public");
  const group_id = group.id;
  const { id: thread_id } = await does<Post>(ben, tenant, "post", {
    group_id,
    title: "needle",
    body: "needle",
  });
  await does(ana, tenant, "reply", { thread_id, body: "Hello" });
  await does(ben, tenant, "share_file", { group_id, file: await attachFile(ben, tenant.id) });
  const closed = await does<{ id: string }>(ana, tenant, "create", {
    name: "Closed",
    visibility: "private",
  });
  await does(ben, tenant, "join", { group_id: closed.id, note: "needle" });
  await withDatabase(async (sql) => {
    await sql`update people set erased_at = now() where id = ${ben.id}`;
    const [found] = await sql`
      select count(*)::int as count from groups_posts p, groups_members m
      where p.tenant_id = ${tenant.id} and m.tenant_id = ${tenant.id}
        and (p::text like '%needle%' or m::text like '%needle%')`;
    assertEquals(found!.count, 0);
    const [shared] =
      await sql`select count(*)::int as count from groups_files where added_by = ${ben.id}`;
    assertEquals(shared!.count, 0);
  });
  assertEquals((await posts(carl, group_id)).map(({ body }) => body), [null, "Hello"]);
});

Deno.test("a page of threads comes from an index, however deep, and looks at no other group", async () => {
  const { tenant, ana, group } = await createCircle("public");
  await withDatabase(async (sql) => {
    await sql`
      insert into groups_posts (tenant_id, group_id, author_id, kind, title, body, last_at)
      select ${tenant.id}, ${group.id}, ${ana.id}, 'thread', 'T' || n, 'x', now() - n * interval '1 minute'
      from generate_series(1, 3000) n`;
    await sql`analyze groups_posts`;
    const plan = await sql.begin(async (tx) => {
      await tx`set local enable_seqscan = off`;
      const [row] = await tx.unsafe(
        `explain (analyze, buffers, format json)
         select id, title from groups_posts
         where tenant_id = $1 and group_id = $2 and thread_id is null
           and (last_at, id) < (now() - interval '2900 minutes', 'ffffffff-ffff-ffff-ffff-ffffffffffff')
         order by last_at desc, id desc limit 50`,
        [tenant.id, group.id],
      );
      return (row as unknown as { "QUERY PLAN": [{ Plan: Record<string, number> }] })["QUERY PLAN"][
        0
      ].Plan;
    });
    const touched = plan["Shared Hit Blocks"]! + plan["Shared Read Blocks"]!;
    ok(touched < 70, `${touched} blocks`);
  });
  const first = await must<unknown[]>(
    ana.client.from("groups_posts").select("id").eq("group_id", group.id).is("thread_id", null)
      .order("last_at", { ascending: false }).limit(50),
  );
  assertEquals(first.length, 50);
});
