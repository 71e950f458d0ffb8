import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { attachPicture } from "../support/feed.ts";
import { createMember } from "../support/tenants.ts";
import { listen } from "../messaging/support.ts";
import { block, bodies, createGroup, createWorld, type Post } from "./support.ts";

const world = await createWorld();
const { tenant, ana, ben, staff, ask, post, page, call } = world;
const carl = await createMember(tenant);

/** Every path on which a post could come to somebody, and whether it did. */
async function paths(me: Person, { id, group_id }: Post, author: Person, files: string[]) {
  const has = (rows: { id: string }[]) => rows.some((row) => row.id === id);
  const rows = async (table: string, column: string) =>
    (await must<unknown[]>(me.client.from(table).select("*").eq(column, id))).length > 0;
  const shown = async (name: string, more = {}) =>
    (await ask(me, name, { post_id: id, ...more })).error?.message ?? true;
  const report = async () =>
    (await me.client.rpc("moderation_report", {
      tenant_id: tenant.id,
      kind: "feed.post",
      subject: id,
      reason: "other",
    })).error?.message ?? true;
  const asked: Record<string, Promise<unknown>> = {
    home: page(me).then(has),
    author: page(me, { author: author.id }).then(has),
    tag: page(me, { tag: "path" }).then(has),
    group: group_id === null
      ? Promise.resolve(true)
      : Promise.resolve(ask(me, "page", { group_id })).then(({ error }) => error?.message ?? true),
    trending: call<Post[]>(me, "trending").then(has),
    table: rows("feed_posts", "id"),
    comments: rows("feed_comments", "post_id"),
    reactions: rows("feed_reactions", "post_id"),
    tallies: rows("feed_tallies", "post_id"),
    polls: rows("feed_polls", "post_id"),
    edits: rows("feed_edits", "post_id"),
    attachments: rows("feed_attachments", "post_id"),
    file: must<unknown[]>(me.client.from("files").select("id").in("id", files))
      .then(({ length }) => length > 0),
    show: shown("show"),
    thread: shown("thread"),
    poll: shown("poll"),
    react: shown("react", { kind: "wow", reacted: false }),
    report: report(),
  };
  const found = await Promise.all(
    Object.entries(asked).map(async ([path, answer]) => [path, await answer]),
  );
  return Object.fromEntries(found);
}

/** A post of the author's in the group, with something of all that can hang on it. */
async function fill(author: Person, group_id: string | null, other: Person) {
  const files = [await attachPicture(author, tenant.id)];
  const poll = { options: ["a", "b"] };
  const made = await post(author, { body: "On the #path", group_id, files, poll });
  await call(author, "edit", { post_id: made.id, body: "On my #path" });
  await call(other, "comment", { post_id: made.id, body: "Well" });
  await call(other, "react", { post_id: made.id, kind: "like" });
  return { made, files };
}

const trend = () => withDatabase((sql) => sql`select private.feed_score_trends()`);

const all =
  (value: unknown, group: unknown, hidden: Record<string, string> = {}) => (seen: object) =>
    Object.fromEntries(
      Object.keys(seen).map((path) => [path, path === "group" ? group : hidden[path] ?? value]),
    );

const unknown = {
  show: "feed.post_not_found",
  thread: "feed.post_not_found",
  poll: "feed.post_not_found",
  react: "feed.post_not_found",
  report: "moderation.subject_not_found",
};

Deno.test("one rule on every path: a post of a group is known to who reads the group", async () => {
  for (const visibility of ["secret", "private", "public"]) {
    const group = await createGroup(world, visibility, ana, ben);
    const { made, files } = await fill(ana, group, ben);
    await trend();
    const inside = await paths(ben, made, ana, files);
    assert.deepEqual(inside, all(true, true)(inside), `${visibility}: a member`);
    const outside = await paths(carl, made, ana, files);
    if (visibility === "public") {
      const expected = { ...all(true, true)(outside), home: false };
      assert.deepEqual(outside, expected, "a public one is read, but not brought home");
      await assertRefused(
        ask(carl, "comment", { post_id: made.id, body: "x" }),
        403,
        "feed.not_in_group",
      );
    } else {
      const expected = all(false, "groups.not_found", unknown)(outside);
      assert.deepEqual(outside, expected, `${visibility}: an outsider`);
      const missing = await paths(carl, { ...made, id: crypto.randomUUID() }, ana, files);
      assert.deepEqual(missing, outside, "as one that does not exist");
    }
    await assertRefused(
      ask(carl, "post", { body: "x", group_id: group }),
      visibility === "public" ? 403 : 404,
      visibility === "public" ? "feed.not_in_group" : "groups.not_found",
    );
    // Left, it is over at once.
    await must(ben.client.rpc("groups_leave", { tenant_id: tenant.id, group_id: group }));
    if (visibility !== "public") {
      const left = await paths(ben, made, ana, files);
      assert.equal(left.table || left.home || left.file, false);
      assert.equal(left.show, "feed.post_not_found");
    }
  }
});

Deno.test("one rule on every path: neither sees the posts of the other after a block", async () => {
  const { made, files } = await fill(ana, null, ben);
  await trend();
  const before = await paths(carl, made, ana, files);
  assert.deepEqual(before, all(true, true)(before));
  for (const [one, other] of [[carl, ana], [ana, carl]] as const) {
    await block(one, world, other);
    const seen = await paths(carl, made, ana, files);
    // Whoever was harassed has mostly blocked already: they may still report.
    const expected = all(false, true, { ...unknown, report: true as unknown as string })(seen);
    assert.deepEqual(seen, expected);
    await block(one, world, other, false);
  }
  await block(ana, world, staff);
  assert.equal((await paths(staff, made, ana, files)).show, true, "who moderates sees all");
  await block(ana, world, staff, false);
});

Deno.test("who moderates the group pins and deletes in it", async () => {
  const group = await createGroup(world, "private", carl, ana, ben);
  const { id: post_id } = await post(ana, { group_id: group });
  await assertRefused(ask(ben, "pin", { post_id, pinned: true }), 403, "feed.not_a_moderator");
  await assertRefused(ask(staff, "pin", { post_id, pinned: true }), 404, "feed.post_not_found");
  assert.ok((await call<Post>(carl, "pin", { post_id, pinned: true })).pinned_at);
  await call(carl, "delete", { post_id });
});

Deno.test("the tenant's channel carries ids alone, and nothing of groups", async () => {
  const group = await createGroup(world, "secret", ana, ben);
  await using everywhere = await listen(carl, `private-tenant-${tenant.id}`);
  await using inside = await listen(ben, `private-group-${group}`);
  assert.deepEqual([everywhere.status, inside.status], ["SUBSCRIBED", "SUBSCRIBED"]);
  const hidden = await post(ana, { group_id: group, body: "secret" });
  const shown = await post(ana, { body: "words" });
  const [heard] = await inside.wait("feed:posted");
  const { id: _, ...payload } = heard!;
  assert.deepEqual(payload, { tenant_id: tenant.id, group_id: group, post_id: hidden.id });
  await everywhere.wait("feed:posted");
  await call(ben, "comment", { post_id: shown.id, body: "more words" });
  await everywhere.wait("feed:commented");
  const said = JSON.stringify(everywhere.heard);
  assert.ok(said.includes(shown.id) && !said.includes(hidden.id) && !said.includes("words"));
  await using refused = await listen(carl, `private-group-${group}`);
  assert.equal(refused.status, "CHANNEL_ERROR");
});

Deno.test("home is the tenant and the reader's groups, the newest first", async () => {
  const reader = await createMember(tenant);
  const [one, two] = [
    await createGroup(world, "private", ana, reader),
    await createGroup(world, "public", ana),
  ];
  const made = [];
  for (const group_id of [one, null, two, one]) {
    made.unshift(await post(ana, { body: `${made.length}`, group_id }));
  }
  assert.deepEqual(bodies((await page(reader)).slice(0, 3)), ["3", "1", "0"]);
  assert.deepEqual(bodies(await page(reader, { group_id: one })), ["3", "0"]);
  assert.deepEqual(bodies(await page(reader, { group_id: two })), ["2"]);
  const next = await page(reader, { before: made[0]!.id, page_size: 2 });
  assert.deepEqual(bodies(next), ["1", "0"]);
});
