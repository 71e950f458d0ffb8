import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { listen } from "../messaging/support.ts";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { attachFile } from "../support/groups.ts";
import { until } from "../support/wait.ts";
import { act, createCircle, does, type Post, posts, read } from "./support.ts";

const noticesOf = ({ client }: Person, kind: string) =>
  must<{ payload: Record<string, string> }[]>(
    client.from("notifications").select("payload").eq("kind", kind),
  );

Deno.test("threads and replies are counted, edited and deleted by their authors, and told of", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("public");
  const group_id = group.id;
  const say = { group_id, title: " Seeds ", body: "Who has some?", client_id: "c1" };
  const thread = await does<Post>(ana, tenant, "post", say);
  assertEquals([thread.title, thread.kind], ["Seeds", "thread"]);
  // Sent again on a bad connection it is the first one.
  assertEquals((await does<Post>(ana, tenant, "post", say)).id, thread.id);
  const reply = await does<Post>(ben, tenant, "reply", { thread_id: thread.id, body: "I do." });
  assertEquals([(await read(ben, group_id))?.threads, (await posts(carl, group_id))[0]!.replies], [
    1,
    1,
  ]);
  const [notice] = await noticesOf(ana, "groups.replied");
  assertEquals([notice!.payload.title, notice!.payload.scope], ["Seeds", group_id]);

  const edit = (me: Person, post_id: string, more = {}) =>
    act(me, tenant, "edit", { post_id, body: "Better", ...more });
  await assertRefused(edit(ana, reply.id), 403, "groups.not_the_author");
  await assertRefused(edit(carl, thread.id), 403, "groups.role_missing");
  await assertRefused(edit(ana, thread.id, { title: " " }), 422, "request.invalid");
  await assertRefused(edit(ana, thread.id, { body: " " }), 422, "request.invalid");
  assertEquals((await must<Post>(edit(ana, thread.id))).title, "Seeds");
  assertEquals((await must<Post>(edit(ben, reply.id, { title: "x" }))).title, null);

  await assertRefused(
    act(ben, tenant, "delete", { post_id: thread.id }),
    403,
    "groups.role_missing",
  );
  await does(ana, tenant, "delete", { post_id: thread.id });
  await assertRefused(edit(ana, thread.id), 404, "groups.post_not_found");
  const left = await posts(carl, group_id);
  assertEquals(left.map(({ title, body }) => [title, body]), [[null, null], [null, "Better"]]);
  assertEquals((await read(ben, group_id))?.threads, 0);
});

Deno.test("moderators announce, pin, lock and delete; members do not", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("private");
  const group_id = group.id;
  await assertRefused(
    act(ben, tenant, "post", { group_id, title: "x", body: "x", announcement: true }),
    403,
    "groups.role_missing",
  );
  const announced = await does<Post>(ana, tenant, "post", {
    group_id,
    title: "Harvest",
    body: "On Sunday",
    announcement: true,
  });
  const notice = await until(
    async () => (await noticesOf(ben, "groups.announced"))[0],
    { timeout: 15_000 },
  );
  assertEquals(notice.payload.title, "Harvest");
  assertEquals(
    [await noticesOf(ana, "groups.announced"), await noticesOf(carl, "groups.announced")],
    [[], []],
  );
  const set = (me: Person, thread_id: string, more: Record<string, unknown>) =>
    act(me, tenant, "set_thread", { thread_id, ...more });
  await assertRefused(set(ben, announced.id, { pinned: true }), 403, "groups.role_missing");
  const locked = await must<Post>(set(ana, announced.id, { pinned: true, locked: true }));
  assertEquals([locked.pinned, locked.locked], [true, true]);
  const reply = (me: Person, thread_id = announced.id) =>
    act(me, tenant, "reply", { thread_id, body: "I come." });
  await assertRefused(reply(ben), 409, "groups.thread_locked");
  const { id } = await must<Post>(reply(ana));
  await assertRefused(reply(ana, id), 404, "groups.post_not_found");
  await assertRefused(set(ana, id, { pinned: true }), 404, "groups.post_not_found");
  await assertRefused(
    act(ana, tenant, "post", { group_id, title: null, body: "x" }),
    422,
    "request.invalid",
  );
  const theirs = await does<Post>(ben, tenant, "post", { group_id, title: "Spam", body: "Spam" });
  await does(ana, tenant, "delete", { post_id: theirs.id });
  await withDatabase(async (sql) => {
    const rows = await sql`
      select from private.audit_log where tenant_id = ${tenant.id} and action = 'GROUP_POST_REMOVED'`;
    assertEquals(rows.length, 1);
  });
});

Deno.test("of two who blocked each other neither is heard, but where they speak for the group", async () => {
  const { tenant, ana, ben, group } = await createCircle("public");
  const group_id = group.id;
  await does(ana, tenant, "post", { group_id, title: "Thread", body: "x" });
  await does(ana, tenant, "post", { group_id, title: "News", body: "x", announcement: true });
  const mine = await does<Post>(ben, tenant, "post", { group_id, title: "Mine", body: "x" });
  const block = { tenant_id: tenant.id, person: ana.id, blocked: true };
  await must(ben.client.rpc("messaging_block", block));
  assertEquals((await posts(ben, group_id)).map(({ title }) => title), ["News", "Mine"]);
  assertEquals((await posts(ana, group_id)).map(({ title }) => title), ["Thread", "News"]);
  await assertRefused(
    act(ana, tenant, "reply", { thread_id: mine.id, body: "Hello" }),
    404,
    "groups.post_not_found",
  );
});

Deno.test("the channel of a group carries ids and kinds of everything, and nothing that was said", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("public");
  await using ears = await listen(ben, `private-group-${group.id}`);
  await using own = await listen(carl, `private-user-${carl.id}`);
  const { id } = await does<Post>(ana, tenant, "post", {
    group_id: group.id,
    title: "needle",
    body: "needle",
  });
  await does(ana, tenant, "edit", { post_id: id, body: "needle" });
  await does(ana, tenant, "delete", { post_id: id });
  await does(ana, tenant, "update", { group_id: group.id, description: "needle" });
  const file = await attachFile(ana, tenant.id);
  await does(ana, tenant, "share_file", { group_id: group.id, file });
  await does(ana, tenant, "unshare_file", { group_id: group.id, file });
  await does(carl, tenant, "join", { group_id: group.id });
  await does(carl, tenant, "leave", { group_id: group.id });
  await ears.wait("groups:member_gone");
  assertEquals(ears.heard.map(({ event }) => event), [
    "groups:posted",
    "groups:edited",
    "groups:deleted",
    "groups:changed",
    "groups:file_shared",
    "groups:file_unshared",
    "groups:member",
    "groups:member_gone",
  ]);
  assertEquals(JSON.stringify(ears.heard).includes("needle"), false);
  const [joined, gone] = await own.wait("groups:membership", 2);
  assertEquals([joined!.status, gone!.status], ["active", "left"]);
});

Deno.test("only one's own attachment is shared, and only who shared it or moderates takes it out", async () => {
  const { tenant, ana, ben, group } = await createCircle("private");
  const file = await attachFile(ana, tenant.id);
  const share = (me: Person, id = file) =>
    act(me, tenant, "share_file", { group_id: group.id, file: id });
  await assertRefused(share(ben), 404, "files.not_found");
  await assertRefused(share(ana, crypto.randomUUID()), 404, "files.not_found");
  await must(share(ana));
  await must(share(ana));
  const unshare = (me: Person) => act(me, tenant, "unshare_file", { group_id: group.id, file });
  await assertRefused(unshare(ben), 403, "groups.role_missing");
  await must(unshare(ana));
  await assertRefused(unshare(ana), 404, "files.not_found");
});
