import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { createPerson } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { attachPicture } from "../support/feed.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import { bodies, createWorld, type Entry, type Post } from "./support.ts";

const world = await createWorld({ max_length: 100 });
const { tenant, ana, ben, staff, ask, call, post, page } = world;

Deno.test("a post is what everybody reads, with its pictures and #tags", async () => {
  const files = [await attachPicture(ana, tenant.id), await attachPicture(ana, tenant.id)];
  const stored = await post(ana, { body: " See #Garten, #garten and (#not) #Ümläut! ", files });
  assert.deepEqual([stored.body, stored.tags, stored.files, stored.version], [
    "See #Garten, #garten and (#not) #Ümläut!",
    ["garten", "ümläut"],
    files,
    1,
  ]);
  const [seen] = await page(ben);
  assert.deepEqual([seen!.id, seen!.author_name, seen!.comments, seen!.mine, seen!.poll], [
    stored.id,
    "Member",
    0,
    [],
    null,
  ]);
  assert.deepEqual(bodies(await page(ben, { tag: "GARTEN" })), [stored.body]);
  assert.deepEqual(await page(ben, { tag: "not" }), []);
  const pictures = await must<unknown[]>(ben.client.from("files").select("id").in("id", files));
  assert.equal(pictures.length, 2, "who sees the post sees its pictures");
  await call(ana, "delete", { post_id: stored.id });
  assert.deepEqual(await must(ben.client.from("files").select("id").in("id", files)), []);
  assert.deepEqual(await page(ben, { tag: "garten" }), []);
});

Deno.test("a file that something else still shows stays when a post or a message goes", async () => {
  const tenant_id = tenant.id;
  const rpc = <T = { id: string }>(name: string, more: Record<string, unknown>) =>
    must<T>(ana.client.rpc(name, { tenant_id, ...more }));
  const file = await attachPicture(ana, tenant_id);
  const stored = await post(ana, { body: "Twice", files: [file] });
  const { id: group_id } = await rpc("groups_create", { name: "Shares" });
  const talk = await rpc("messaging_open", { person: ben.id });
  const say = async () =>
    (await rpc("messaging_send", {
      conversation_id: talk.id,
      client_id: crypto.randomUUID(),
      body: "Look",
      files: [file],
    })).id;
  const stays = async () =>
    assert.equal(
      (await must<unknown[]>(ana.client.from("files").select().eq("id", file))).length,
      1,
    );
  await rpc("messaging_delete", { message_id: await say(), for_all: true });
  await stays();
  await rpc("groups_share_file", { group_id, file });
  await call(ana, "delete", { post_id: stored.id });
  await stays();
  await rpc("messaging_delete", { message_id: await say(), for_all: true });
  await stays();
  await rpc("groups_unshare_file", { group_id, file });
  await rpc("messaging_delete", { message_id: await say(), for_all: true });
  const left = await must<{ status: string }[]>(
    ana.client.from("files").select("status").eq("id", file),
  );
  assert.deepEqual(left.filter(({ status }) => status !== "deleted"), []);
});

Deno.test("a post sent again is answered with the first, also by many at once", async () => {
  const client_id = crypto.randomUUID();
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, n) => post(ana, { body: `Try ${n}`, client_id })),
  );
  assert.equal(new Set(answers.map(({ id }) => id)).size, 1);
  const own = await post(ben, { client_id });
  assert.notEqual(own.id, answers[0]!.id, "the id is the author's own");
});

Deno.test("what cannot be posted is refused by its code", async () => {
  const theirs = await attachPicture(ben, tenant.id);
  const sound = await must<{ id: string }>(ana.client.rpc("files_begin", {
    tenant_id: tenant.id,
    bucket: "attachments",
    name: "x.ogg",
    content_type: "audio/ogg",
    size: 1,
  }));
  const invalid: Record<string, unknown>[] = [
    { body: " \n" },
    { body: null },
    { body: "x", client_id: "" },
    { body: "x", files: Array.from({ length: 11 }, () => crypto.randomUUID()) },
    { body: "x", mentions: Array.from({ length: 21 }, () => ben.id) },
    { body: "x", poll: [] },
    { body: "x", poll: { options: ["one"] } },
    { body: "x", poll: { options: ["one", "one "] } },
    { body: "x", poll: { options: ["one", ""] } },
    { body: "x", poll: { options: ["one", "two"], multiple: 1 } },
    { body: "x", poll: { options: ["one", "two"], closes_at: "soon" } },
    { body: "x", poll: { options: ["one", "two"], closes_at: "2020-01-01" } },
  ];
  for (const more of invalid) {
    await assertRefused(ask(ana, "post", more), 422, "request.invalid");
  }
  await assertRefused(ask(ana, "post", { body: "x".repeat(101) }), 422, "feed.too_long");
  for (const files of [[theirs], [sound.id], [crypto.randomUUID()], [null]]) {
    await assertRefused(ask(ana, "post", { body: "x", files }), 404, "files.not_found");
  }
  const stranger = await createMember(await createTenant());
  for (const mentions of [[stranger.id], [null]]) {
    await assertRefused(ask(ana, "post", { body: "x", mentions }), 404, "members.not_found");
  }
});

Deno.test("who may not post is refused by the reason", async () => {
  const guest = await createMember(tenant, "guest");
  await assertRefused(ask(guest, "post", { body: "x" }), 403, "members.permission_denied");
  assert.ok(Array.isArray(await page(guest)), "a guest reads");
  const outsider = await createPerson();
  await assertRefused(ask(outsider, "post", { body: "x" }), 404, "tenants.not_found");
  await assertRefused(ask(outsider, "page"), 404, "tenants.not_found");
  const silent = await createTenant({ currencies: [] });
  const member = await createMember(silent);
  await assertRefused(
    member.client.rpc("feed_page", { tenant_id: silent.id }),
    404,
    "tenants.module_off",
  );
});

Deno.test("its author changes a post within the window, and what it said before is kept", async () => {
  const { id: post_id } = await post(ana, { body: "First #one" });
  const edit = (me = ana, body: string | null = "Second #two") =>
    ask(me, "edit", { post_id, body });
  const edited = await must<Post>(edit());
  assert.deepEqual([edited.body, edited.version, edited.tags], ["Second #two", 2, ["two"]]);
  assert.ok(edited.edited_at);
  const history = await must<{ body: string; version: number }[]>(
    ben.client.from("feed_edits").select("version, body").eq("post_id", post_id),
  );
  assert.deepEqual(history, [{ version: 1, body: "First #one" }]);
  assert.deepEqual(await page(ben, { tag: "one" }), []);
  await assertRefused(edit(ben), 403, "feed.not_the_author");
  await assertRefused(edit(staff), 403, "feed.not_the_author");
  await assertRefused(edit(ana, " "), 422, "request.invalid");
  await assertRefused(edit(ana, "x".repeat(101)), 422, "feed.too_long");
  await withDatabase((sql) =>
    sql`update feed_posts set created_at = now() - interval '25 hours' where id = ${post_id}`
  );
  await assertRefused(edit(), 409, "feed.edit_window_over");
  await call(ana, "delete", { post_id });
  await assertRefused(edit(), 404, "feed.post_not_found");
  assert.deepEqual(await must(ben.client.from("feed_edits").select().eq("post_id", post_id)), []);
});

Deno.test("its author or a moderator deletes a post, and nobody else", async () => {
  const [first, second] = [await post(ana), await post(ana)];
  const remove = (me: typeof ana, post_id: string) => ask(me, "delete", { post_id });
  await assertRefused(remove(ben, first.id), 403, "feed.not_the_author");
  await assertRefused(remove(ben, crypto.randomUUID()), 404, "feed.post_not_found");
  const gone = await must<Post>(remove(ana, first.id));
  assert.equal(gone.body, null);
  await must(remove(staff, second.id));
  await assertRefused(remove(staff, second.id), 404, "feed.post_not_found");
  await assertRefused(ask(ben, "show", { post_id: first.id }), 404, "feed.post_not_found");
  await withDatabase(async (sql) => {
    const rows = await sql`
      select from private.audit_log where tenant_id = ${tenant.id} and action = 'FEED_REMOVED'
        and resource = ${`feed_posts:${second.id}`}`;
    assert.equal(rows.length, 1, "a moderator's act is on the trail");
  });
});

Deno.test("moderators pin posts, five at most", async () => {
  const { id: post_id } = await post(ana, { body: "Rules" });
  const pin = (me: typeof ana, pinned: boolean | null, id = post_id) =>
    ask(me, "pin", { post_id: id, pinned });
  await assertRefused(pin(ana, true), 403, "feed.not_a_moderator");
  await assertRefused(pin(staff, null), 422, "request.invalid");
  await must(pin(staff, true));
  const pinned = await must<Post[]>(
    ben.client.from("feed_posts").select("body").not("pinned_at", "is", null),
  );
  assert.deepEqual(bodies(pinned), ["Rules"]);
  for (let n = 0; n < 4; n++) await must(pin(staff, true, (await post(ana)).id));
  await assertRefused(pin(staff, true, (await post(ana)).id), 409, "feed.too_many_pins");
  await must(pin(staff, true));
  assert.equal((await must<Post>(pin(staff, false))).pinned_at, null);
});

Deno.test("pages follow each other without a gap or a double, whatever comes meanwhile", async () => {
  const author = await createMember(tenant);
  const made: string[] = [];
  for (let n = 0; n < 7; n++) made.unshift((await post(author, { body: `${n}` })).id);
  const seen: Entry[] = [];
  for (let before: string | null = null;;) {
    const next: Entry[] = await page(ben, { author: author.id, before, page_size: 3 });
    if (before === null) await post(author, { body: "late" });
    seen.push(...next);
    if (next.length < 3) break;
    before = next.at(-1)!.id;
  }
  assert.deepEqual(seen.map(({ id }) => id), made);
  for (const page_size of [0, 101, null]) {
    await assertRefused(ask(ben, "page", { page_size }), 422, "request.invalid");
  }
});

Deno.test("spam meets a limit", async () => {
  const { ana, ask } = await createWorld({ post_limit: 2, comment_limit: 1 });
  const first = await must<Post>(ask(ana, "post", { body: "1", client_id: "1" }));
  await must(ask(ana, "post", { body: "2" }));
  await assertRefused(ask(ana, "post", { body: "3" }), 429, "limits.exceeded");
  assert.equal((await must<Post>(ask(ana, "post", { body: "1", client_id: "1" }))).id, first.id);
  const comment = () => ask(ana, "comment", { post_id: first.id, body: "x" });
  await must(comment());
  await assertRefused(comment(), 429, "limits.exceeded");
});
