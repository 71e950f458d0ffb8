import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember } from "../support/tenants.ts";
import { bodies, type Comment, createGroup, createWorld, type Entry } from "./support.ts";

const world = await createWorld();
const { tenant, ana, ben, staff, call, post, page } = world;
const tenant_id = tenant.id;

const report = (me: Person, kind: string, subject: string) =>
  me.client.rpc("moderation_report", { tenant_id, kind, subject, reason: "spam" });

const find = async (me: Person, id: string): Promise<Entry | undefined> =>
  (await page(me)).find((entry) => entry.id === id);

interface Case {
  case_id: string;
}

Deno.test("posts and comments are reported, removed, and brought back by an appeal", async () => {
  const head = await createMember(tenant, "admin");
  const { id: post_id } = await post(ana, { body: "A #rant", mentions: [ben.id] });
  const { id: comment_id } = await call<Comment>(ben, "comment", { post_id, body: "A reply" });
  for (
    const [kind, subject, author, reader] of [
      ["feed.comment", comment_id, ben, ana],
      ["feed.post", post_id, ana, ben],
    ] as const
  ) {
    await assertRefused(report(author, kind, subject), 404, "moderation.subject_not_found");
    const { case_id } = await must<Case>(report(reader, kind, subject));
    const decide = { tenant_id, case_id, action: "remove" };
    await must(staff.client.rpc("moderation_decide", decide));
    if (kind === "feed.comment") assert.equal((await find(ana, post_id))!.comments, 0);
    else assert.equal(await find(ben, post_id), undefined);
    await assertRefused(report(reader, kind, subject), 404, "moderation.subject_not_found");
    const appeal = { tenant_id, case_id, statement: "No" };
    await must(author.client.rpc("moderation_appeal", appeal));
    const overturn = { tenant_id, case_id, uphold: false };
    await must(head.client.rpc("moderation_decide_appeal", overturn));
  }
  const back = await find(ben, post_id);
  assert.deepEqual([back!.body, back!.tags, back!.mentions, back!.comments], [
    "A #rant",
    ["rant"],
    [ben.id],
    1,
  ]);
  assert.deepEqual(bodies(await page(ben, { tag: "rant" })), ["A #rant"]);
  assert.deepEqual(bodies(await call<Comment[]>(ana, "thread", { post_id })), ["A reply"]);
});

Deno.test("a group's moderators hear of what is reported in it", async () => {
  const carl = await createMember(tenant);
  const group_id = await createGroup(world, "private", carl, ana, ben);
  const { id } = await post(ana, { group_id });
  await must(report(ben, "feed.post", id));
  const notices = await must<{ kind: string }[]>(carl.client.from("notifications").select("kind"));
  assert.ok(notices.some(({ kind }) => kind === "moderation.reported"));
});

Deno.test("what was deleted a month ago goes for good, with all below it", () =>
  withDatabase(async (sql) => {
    const [gone, stays, open] = [await post(ana), await post(ana), await post(ana)];
    const { id: comment_id } = await call<Comment>(ben, "comment", { post_id: open.id, body: "x" });
    await call(ben, "comment", { post_id: gone.id, body: "below" });
    await call(ana, "react", { post_id: open.id, comment_id, kind: "like" });
    for (const { id: post_id } of [gone, stays]) await call(ana, "delete", { post_id });
    await call(ben, "delete_comment", { comment_id });
    await sql`update feed_posts set deleted_at = now() - interval '31 days' where id = ${gone.id}`;
    await sql`update feed_comments set deleted_at = now() - interval '31 days' where id = ${comment_id}`;
    await sql`select private.feed_purge()`;
    const ids = await sql`
      select id from feed_posts where id in ${sql([gone.id, stays.id, open.id])}`;
    assert.deepEqual(ids.map(({ id }) => id).toSorted(), [stays.id, open.id].toSorted());
    const [left] = await sql`
      select (select count(*) from feed_comments where post_id in ${sql([gone.id, open.id])})
        + (select count(*) from feed_reactions where subject_id = ${comment_id})
        + (select count(*) from feed_tallies where subject_id = ${comment_id}) as count`;
    assert.equal(Number(left!.count), 0);
  }));

Deno.test("nothing that an erased person wrote, felt or voted stays with them", () =>
  withDatabase(async (sql) => {
    const carl = await createMember(tenant);
    const own = await post(carl, { body: "Of Carl" });
    const { id: post_id } = await post(ana, { body: "?", poll: { options: ["a", "b"] } });
    await call(carl, "comment", { post_id, body: "By Carl" });
    await call(carl, "react", { post_id, kind: "like" });
    await call(ben, "react", { post_id, kind: "like" });
    await call(carl, "vote", { post_id, choices: [2] });
    const { error } = await admin().auth.admin.deleteUser(carl.id);
    assert.equal(error, null);
    assert.equal(await find(ben, own.id), undefined);
    const seen = await find(ana, post_id);
    assert.deepEqual([seen!.comments, seen!.reactions], [0, { like: 1 }]);
    const [kept] = await sql`
      select (select count(*) from feed_reactions where person_id = ${carl.id})
        + (select count(*) from feed_votes where person_id = ${carl.id})
        + (select count(*) from feed_posts where author_id = ${carl.id} and body is not null)
        + (select count(*) from feed_comments where author_id = ${carl.id} and body is not null) as count`;
    assert.equal(Number(kept!.count), 0);
    const { votes } = await call<{ votes: number[] }>(ben, "vote", { post_id, choices: [1] });
    assert.deepEqual(votes, [1, 1], "a result does not change when somebody goes");
  }));
