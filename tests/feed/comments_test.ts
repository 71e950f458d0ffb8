import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { withDatabase } from "../support/database.ts";
import { createMember } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import { block, bodies, type Comment, createGroup, createWorld } from "./support.ts";

const world = await createWorld({ max_length: 100 });
const { tenant, ana, ben, staff, ask, call, post, page } = world;

const thread = (me: typeof ana, post_id: string, more = {}) =>
  call<Comment[]>(me, "thread", { post_id, ...more });

const commentsOf = async (post_id: string) =>
  (await page(ana)).find(({ id }) => id === post_id)!.comments;

Deno.test("comments and answers, one level deep, counted as they come and go", async () => {
  const { id: post_id } = await post(ana);
  const comment = (me: typeof ana, body: string, parent_id?: string) =>
    call<Comment>(me, "comment", { post_id, body, ...(parent_id && { parent_id }) });
  const first = await comment(ben, " First ");
  const answer = await comment(ana, "Answer", first.id);
  await comment(staff, "Second");
  assert.deepEqual(bodies(await thread(ana, post_id)), ["First", "Second"]);
  assert.deepEqual(bodies(await thread(ana, post_id, { parent_id: first.id })), ["Answer"]);
  const [top] = await thread(ana, post_id, { page_size: 1 });
  assert.equal(top!.answers, 1);
  assert.deepEqual(bodies(await thread(ana, post_id, { after: top!.id })), ["Second"]);
  assert.equal(await commentsOf(post_id), 3);
  await assertRefused(
    ask(ben, "comment", { post_id, body: "x", parent_id: answer.id }),
    422,
    "request.invalid",
  );
  // A comment with answers keeps its place, without words.
  await call(ben, "delete_comment", { comment_id: first.id });
  const [place] = await thread(ana, post_id);
  assert.deepEqual([place!.id, place!.body, place!.answers], [first.id, null, 1]);
  await assertRefused(
    ask(ben, "comment", { post_id, body: "x", parent_id: first.id }),
    404,
    "feed.comment_not_found",
  );
  await call(ana, "delete_comment", { comment_id: answer.id });
  assert.deepEqual(bodies(await thread(ana, post_id)), ["Second"]);
  assert.equal(await commentsOf(post_id), 1);
});

Deno.test("comments at once are all counted", async () => {
  const { id: post_id } = await post(ana);
  const client_id = crypto.randomUUID();
  await Promise.all([
    ...Array.from(
      { length: 12 },
      (_, n) => call([ana, ben, staff][n % 3]!, "comment", { post_id, body: `${n}` }),
    ),
    // The same one, from a bad connection, is one.
    ...Array.from({ length: 4 }, () => call(ben, "comment", { post_id, body: "x", client_id })),
  ]);
  assert.equal(await commentsOf(post_id), 13);
  assert.equal((await thread(ben, post_id, { page_size: 100 })).length, 13);
});

Deno.test("what cannot be commented is refused by its code", async () => {
  const { id: post_id } = await post(ana);
  const other = await post(ana);
  const { id } = await call<Comment>(ben, "comment", { post_id: other.id, body: "there" });
  const refuse = (more: Record<string, unknown>, status: number, code: string) =>
    assertRefused(ask(ben, "comment", { post_id, body: "x", ...more }), status, code);
  await refuse({ body: " " }, 422, "request.invalid");
  await refuse({ body: "x".repeat(101) }, 422, "feed.too_long");
  await refuse({ client_id: "" }, 422, "request.invalid");
  await refuse({ parent_id: id }, 404, "feed.comment_not_found");
  await refuse({ post_id: crypto.randomUUID() }, 404, "feed.post_not_found");
  await refuse({ mentions: [crypto.randomUUID()] }, 404, "members.not_found");
  await assertRefused(ask(ben, "thread", { post_id, page_size: 0 }), 422, "request.invalid");
});

Deno.test("its author changes a comment within the window; a moderator deletes it", async () => {
  const { id: post_id } = await post(ana);
  const { id: comment_id } = await call<Comment>(ben, "comment", { post_id, body: "One" });
  const edit = (me = ben, body = "Two") => ask(me, "edit_comment", { comment_id, body });
  assert.equal((await must<Comment>(edit())).body, "Two");
  const before = await must<{ body: string }[]>(
    ana.client.from("feed_edits").select("body").eq("subject_id", comment_id),
  );
  assert.deepEqual(bodies(before), ["One"]);
  await assertRefused(edit(ana), 403, "feed.not_the_author");
  await assertRefused(edit(ben, " "), 422, "request.invalid");
  await assertRefused(edit(ben, "x".repeat(101)), 422, "feed.too_long");
  await withDatabase((sql) =>
    sql`update feed_comments set created_at = now() - interval '25 hours' where id = ${comment_id}`
  );
  await assertRefused(edit(), 409, "feed.edit_window_over");
  await assertRefused(ask(ana, "delete_comment", { comment_id }), 403, "feed.not_the_author");
  await call(staff, "delete_comment", { comment_id });
  await assertRefused(edit(), 404, "feed.comment_not_found");
  await assertRefused(ask(ben, "delete_comment", { comment_id }), 404, "feed.comment_not_found");
});

interface Notice {
  kind: string;
  payload: Record<string, unknown>;
}

const notices = async (me: typeof ana, post_id: string) =>
  (await must<Notice[]>(me.client.from("notifications").select("kind, payload")))
    .filter(({ kind, payload }) => kind.startsWith("feed.") && payload.post_id === post_id)
    .map(({ kind }) => kind).toSorted();

Deno.test("each is told once, by what concerns them most, and never what was said", async () => {
  const [carl, dora] = [await createMember(tenant), await createMember(tenant)];
  const { id: post_id } = await post(ana, { body: "Private words", mentions: [carl.id, ana.id] });
  assert.deepEqual(await notices(carl, post_id), ["feed.mentioned"]);
  assert.deepEqual(await notices(ana, post_id), []);
  const { id: parent_id } = await call<Comment>(ben, "comment", { post_id, body: "Hm" });
  assert.deepEqual(await notices(ana, post_id), ["feed.commented"]);
  const body = "Private answer";
  await call(dora, "comment", { post_id, body, parent_id, mentions: [ben.id] });
  assert.deepEqual(await notices(ben, post_id), ["feed.mentioned"]);
  await withDatabase(async (sql) => {
    const [kept] = await sql`
      select count(*)::int as count from private.notifications_events e
      where e.tenant_id = ${tenant.id} and e.payload::text like '%Private%'`;
    assert.equal(kept!.count, 0);
  });
});

Deno.test("a mention reaches who sees the post, and nobody across a block", async () => {
  const [carl, dora] = [await createMember(tenant), await createMember(tenant)];
  const group_id = await createGroup(world, "secret", ana, carl);
  await assertRefused(
    ask(ana, "post", { body: "x", group_id, mentions: [dora.id] }),
    404,
    "members.not_found",
  );
  const inside = await post(ana, { group_id, mentions: [carl.id] });
  assert.deepEqual(await notices(carl, inside.id), ["feed.mentioned"]);
  await block(dora, world, ana);
  const unheard = await post(ana, { mentions: [dora.id, ben.id] });
  assert.deepEqual(unheard.mentions, [ben.id]);
  assert.deepEqual(await notices(dora, unheard.id), []);
  // Comments of who blocked, or is blocked, are not there for the other.
  const { id: post_id } = await post(ben);
  const { id: comment_id } = await call<Comment>(ana, "comment", { post_id, body: "Mine" });
  assert.deepEqual(await thread(dora, post_id), []);
  await assertRefused(
    ask(dora, "react", { post_id, comment_id, kind: "like" }),
    404,
    "feed.comment_not_found",
  );
});

Deno.test("nobody is mailed of what was deleted meanwhile", () =>
  withDatabase(async (sql) => {
    const carl = await createMember(tenant);
    await must(carl.client.rpc("notifications_choose", {
      tenant_id: tenant.id,
      kind: "feed.mentioned",
      channel: "email",
      setting: "instant",
    }));
    await must(carl.client.rpc("notifications_set_hours", {
      quiet_from: "00:00",
      quiet_until: "23:59",
      digest_at: "08:00",
      digest_day: 1,
    }));
    const { id: post_id } = await post(ana, { mentions: [carl.id] });
    const status = async () => {
      const [row] = await sql`
        select d.status, d.reason from private.notifications_deliveries d
        where d.person_id = ${carl.id} and d.kind = 'feed.mentioned' and d.channel = 'email'`;
      return row!;
    };
    assert.equal((await status()).status, "held");
    await call(ana, "delete", { post_id });
    await sql`delete from private.notifications_hours where person_id = ${carl.id}`;
    await sql`update private.notifications_deliveries set due_at = now() where person_id = ${carl.id}`;
    await sql`select private.notifications_release()`;
    const { reason } = await until(async () => {
      const row = await status();
      return row.status === "skipped" ? row : undefined;
    }, { timeout: 10_000 });
    assert.equal(reason, "outdated");
  }));
