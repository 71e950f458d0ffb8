import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { withDatabase } from "../support/database.ts";
import { createMember } from "../support/tenants.ts";
import { type Comment, createWorld, type Entry, type Poll } from "./support.ts";

const world = await createWorld();
const { tenant, ana, ben, staff, ask, call, post, page } = world;

interface Tally {
  reactions: Record<string, number>;
}

const find = async (me: typeof ana, id: string): Promise<Entry> =>
  (await page(me)).find((entry) => entry.id === id)!;

Deno.test("of each kind everybody reacts once, and can take it back", async () => {
  const { id: post_id } = await post(ana);
  const react = (me: typeof ana, kind: string, more = {}) =>
    call<Tally>(me, "react", { post_id, kind, ...more });
  await Promise.all(Array.from({ length: 5 }, () => react(ben, "like")));
  await react(ben, "love");
  assert.deepEqual((await react(ana, "like")).reactions, { like: 2, love: 1 });
  const seen = await find(ben, post_id);
  assert.deepEqual([seen.reactions, seen.mine.toSorted()], [{ like: 2, love: 1 }, [
    "like",
    "love",
  ]]);
  await react(ben, "love", { reacted: false });
  const gone = await react(ben, "love", { reacted: false });
  assert.deepEqual(gone.reactions, { like: 2 }, "twice taken back is once");
  const { id: comment_id } = await call<Comment>(ben, "comment", { post_id, body: "x" });
  await react(ana, "thanks", { comment_id });
  const [comment] = await call<Comment[]>(ana, "thread", { post_id });
  assert.deepEqual([comment!.reactions, comment!.mine], [{ thanks: 1 }, ["thanks"]]);
  await assertRefused(ask(ben, "react", { post_id, kind: "hate" }), 422, "request.invalid");
  await assertRefused(
    ask(ben, "react", { post_id, kind: "like", comment_id: crypto.randomUUID() }),
    404,
    "feed.comment_not_found",
  );
  await assertRefused(
    ask(ben, "react", { post_id: crypto.randomUUID(), kind: "like" }),
    404,
    "feed.post_not_found",
  );
});

Deno.test("the sums are what the rows say, after many reacted at once", async () => {
  const { id: post_id } = await post(ana);
  const people = [ana, ben, staff];
  await Promise.all(
    Array.from({ length: 36 }, (_, n) =>
      call(people[n % 3]!, "react", {
        post_id,
        kind: ["like", "wow", "sad"][n % 4 % 3],
        reacted: n % 5 !== 0,
      })),
  );
  await withDatabase(async (sql) => {
    const rows = await sql`
      select kind, count(*)::int as count from feed_reactions where post_id = ${post_id} group by kind`;
    const sums = Object.fromEntries(rows.map(({ kind, count }) => [kind, count]));
    assert.deepEqual((await find(ana, post_id)).reactions, sums);
  });
});

Deno.test("everybody votes once and sees the results then, not before", async () => {
  const poll = { options: [" Tea ", "Coffee"] };
  const { id: post_id } = await post(ana, { body: "Tea?", poll });
  const before = await call<Poll>(ben, "poll", { post_id });
  assert.deepEqual(
    [before.options, before.voted, before.votes, before.voters],
    [["Tea", "Coffee"], false, null, null],
  );
  const vote = (me: typeof ana, choices: unknown) => ask(me, "vote", { post_id, choices });
  for (const choices of [[], [0], [3], [1, 2], [1, 1], [null], null]) {
    await assertRefused(vote(ben, choices), 422, "request.invalid");
  }
  const answers = await Promise.all(Array.from({ length: 6 }, () => vote(ben, [2])));
  assert.deepEqual(answers.map(({ error }) => error?.message ?? "voted").toSorted(), [
    ...Array.from({ length: 5 }, () => "feed.already_voted"),
    "voted",
  ]);
  const after = await must<Poll>(vote(ana, [1]));
  assert.deepEqual([after.votes, after.voters, after.choices], [[1, 1], 2, [1]]);
  assert.deepEqual((await find(ben, post_id)).poll!.votes, [1, 1]);
  assert.equal((await find(staff, post_id)).poll!.votes, null);
  await assertRefused(ask(ana, "edit", { post_id, body: "Beer?" }), 409, "feed.poll_begun");
});

Deno.test("a closed poll takes no vote and shows everybody how it ended", async () => {
  const soon = new Date(Date.now() + 3600_000).toISOString();
  const poll = { options: ["a", "b", "c"], multiple: true, closes_at: soon };
  const { id: post_id } = await post(ana, { body: "Which?", poll });
  const { votes } = await call<Poll>(ben, "vote", { post_id, choices: [1, 3] });
  assert.deepEqual(votes, [1, 0, 1]);
  await withDatabase((sql) =>
    sql`update feed_polls set closes_at = now() - interval '1 second' where post_id = ${post_id}`
  );
  await assertRefused(ask(ana, "vote", { post_id, choices: [1] }), 409, "feed.poll_closed");
  const ended = await call<Poll>(ana, "poll", { post_id });
  assert.deepEqual([ended.closed, ended.votes, ended.voters], [true, [1, 0, 1], 1]);
  const plain = await post(ana);
  for (const name of ["poll", "vote"]) {
    await assertRefused(
      ask(ana, name, { post_id: plain.id, ...(name === "vote" && { choices: [1] }) }),
      404,
      "feed.poll_not_found",
    );
  }
});

Deno.test("what somebody chose in an anonymous poll stands nowhere", async () => {
  const { id: post_id } = await post(ana, {
    body: "?",
    poll: { options: ["a", "b"], anonymous: true },
  });
  const state = await call<Poll>(ben, "vote", { post_id, choices: [2] });
  assert.deepEqual([state.voted, state.choices, state.votes], [true, null, [0, 1]]);
  await assertRefused(ask(ben, "vote", { post_id, choices: [1] }), 409, "feed.already_voted");
  await withDatabase(async (sql) => {
    const rows = await sql`select person_id, choices from feed_votes where post_id = ${post_id}`;
    assert.deepEqual(rows.map((row) => ({ ...row })), [{ person_id: ben.id, choices: null }]);
  });
  // Nor does anybody see who voted.
  const { id: open } = await post(ana, { body: "?", poll: { options: ["a", "b"] } });
  await call(ben, "vote", { post_id: open, choices: [1] });
  for (const me of [ana, staff]) {
    assert.deepEqual(await must(me.client.from("feed_votes").select().eq("post_id", open)), []);
  }
});

const trending = async (me: typeof ana) =>
  (await call<Entry[]>(me, "trending")).map(({ id }) => id);

const passHours = (hours: number) =>
  withDatabase((sql) =>
    sql`update private.feed_trends set scored_at = scored_at - make_interval(hours => ${hours})
      where tenant_id = ${tenant.id}`
  );

const score = () => withDatabase((sql) => sql`select private.feed_score_trends()`);

Deno.test("trending is what others took part in, and it fades by the hour", async () => {
  await withDatabase((sql) => sql`delete from private.feed_trends where tenant_id = ${tenant.id}`);
  const [old, fresh, own] = [await post(ana), await post(ana), await post(ana)];
  const carl = await createMember(tenant);
  const like = (me: typeof ana, { id }: { id: string }, kind = "like") =>
    call(me, "react", { post_id: id, kind });
  for (const me of [ben, staff, carl]) await like(me, old);
  for (const kind of ["like", "love", "wow"]) await like(ana, own, kind);
  // A quarrel of two is no trend.
  for (let n = 0; n < 5; n++) await call(ben, "comment", { post_id: fresh.id, body: `${n}` });
  assert.deepEqual(await trending(ben), [], "until the next hour");
  await score();
  assert.deepEqual(await trending(ben), [old.id, fresh.id], "3 to 2, one's own counts nothing");
  await passHours(12);
  await like(carl, fresh);
  await score();
  assert.deepEqual(await trending(ben), [fresh.id, old.id], "half is gone: 1.5 to 2");
  await withDatabase(async (sql) => {
    const [row] = await sql`
      select round(score::numeric, 2)::float8 as score from private.feed_trends where post_id = ${old.id}`;
    assert.equal(row!.score, 1.5);
  });
  await passHours(48);
  await score();
  assert.deepEqual(await trending(ben), [], "what faded is gone");
});

Deno.test("feed-trending runs each hour, and a second run at once changes nothing", () =>
  withDatabase(async (sql) => {
    const [schedule] = await sql`
      select cron from private.jobs_schedules where name = 'feed-trending'`;
    assert.equal(schedule!.cron, "0 * * * *");
    const { id: post_id } = await post(ana);
    await call(ben, "react", { post_id, kind: "like" });
    const run = async () => {
      const [ran] = await sql`
        select outcome from private.jobs_run_schedule('feed-trending')`;
      const [row] =
        await sql`select score, fresh from private.feed_trends where post_id = ${post_id}`;
      return { ...ran, ...row };
    };
    const first = await run();
    assert.deepEqual([first, await run()], [first, first]);
  }));
