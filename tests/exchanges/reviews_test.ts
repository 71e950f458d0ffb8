import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { act, type Exchange } from "../support/exchanges.ts";
import { createMember } from "../support/tenants.ts";
import { createTimeBank, exchangeIn, notices, type World } from "./support.ts";

interface Review {
  id: string;
  reviewer_id: string;
  reviewee_id: string;
  rating: number;
  body: string | null;
  reply: string | null;
  removed_at: string | null;
}

const review = ({ tenant }: World, me: Person, exchange_id: string, rating: unknown, more = {}) =>
  act(tenant, me, "review", { exchange_id, rating, ...more });

const reviews = ({ client }: Person) =>
  must<Review[]>(client.from("exchanges_reviews").select().order("id"));

const rated = async ({ client }: Person, { id }: Person) =>
  (await must<{ reviews: number; average: number | null }[]>(
    client.from("exchanges_ratings").select("reviews, average").eq("person_id", id),
  ))[0];

/** Reports a thing, and has it removed; the id of the case. */
async function remove({ tenant, broker, ana }: World, kind: string, subject: string) {
  const { case_id } = await must<{ case_id: string }>(
    ana.client.rpc("moderation_report", { tenant_id: tenant.id, kind, subject, reason: "hate" }),
  );
  await must(
    broker.client.rpc("moderation_decide", { tenant_id: tenant.id, case_id, action: "remove" }),
  );
  return case_id;
}

async function giveBack({ tenant, owner }: World, author: Person, case_id: string) {
  const matter = { tenant_id: tenant.id, case_id };
  await must(author.client.rpc("moderation_appeal", { ...matter, statement: "It was true." }));
  await must(owner.client.rpc("moderation_decide_appeal", { ...matter, uphold: false }));
}

Deno.test("each side rates the other once, who answers once; the average is there at once", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben } = world;
  const reader = await createMember(tenant);
  const first = await exchangeIn(world, "completed");
  const given = await must<Review>(review(world, ana, first.id, 5, { body: " Good as new. " }));
  assertEquals([given.reviewee_id, given.body], [ben.id, "Good as new."]);
  await assertRefused(review(world, ana, first.id, 1), 409, "exchanges.already_reviewed");
  await must(review(world, ben, first.id, 4));
  const second = await exchangeIn(world, "completed");
  await must(review(world, ana, second.id, 2));
  assertEquals(await rated(reader, ben), { reviews: 2, average: 3.5 });
  assertEquals(await rated(reader, ana), { reviews: 1, average: 4 });
  const reply = (me: Person, body: unknown = "Come again.", review_id = given.id) =>
    act(tenant, me, "reply", { review_id, body });
  await assertRefused(reply(ana), 404, "exchanges.review_not_found");
  await assertRefused(reply(ben, " "), 422, "request.invalid");
  await assertRefused(reply(ben, "x".repeat(2001)), 422, "request.invalid");
  await assertRefused(reply(ben, "x", crypto.randomUUID()), 404, "exchanges.review_not_found");
  assertEquals((await must<Review>(reply(ben))).reply, "Come again.");
  await assertRefused(reply(ben, "And again."), 409, "exchanges.already_replied");
  assertEquals((await reviews(reader)).map(({ rating }) => rating), [5, 4, 2]);
  assertEquals((await notices(ben)).includes("reviewed"), true);
  assertEquals((await notices(ana)).includes("replied"), true);
});

Deno.test("only what was completed is rated, by who took part, from one to five, within 30 days", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben, broker } = world;
  const open = await exchangeIn(world, "pending_confirmation");
  await assertRefused(review(world, ana, open.id, 5), 409, "request.transition_refused");
  const { id } = await exchangeIn(world, "completed");
  await assertRefused(review(world, broker, id, 5), 404, "exchanges.not_found");
  for (const wrong of [0, 6, null]) {
    await assertRefused(review(world, ana, id, wrong), 422, "request.invalid");
  }
  const long = { body: "x".repeat(2001) };
  await assertRefused(review(world, ana, id, 5, long), 422, "request.invalid");
  for (const person of [ana.id, broker.id]) {
    await assertRefused(review(world, ana, id, 5, { person }), 422, "request.invalid");
  }
  await withDatabase((sql) =>
    sql`update exchanges set completed_at = now() - interval '31 days' where id = ${id}`
  );
  await assertRefused(review(world, ben, id, 5), 409, "exchanges.review_over");
  await withDatabase((sql) =>
    sql`update tenants set settings = '{"exchanges": {"review_days": 60}}' where id = ${tenant.id}`
  );
  await must(review(world, ben, id, 5));
});

Deno.test("ten ratings of one person at once are ten", async () => {
  const world = await createTimeBank();
  const { ana, ben } = world;
  const done: Exchange[] = [];
  for (let n = 0; n < 8; n++) done.push(await exchangeIn(world, "completed", { minutes: 60 }));
  await Promise.all(done.map(({ id }, n) => must(review(world, ana, id, 1 + n % 5))));
  assertEquals(await rated(ana, ben), { reviews: 8, average: 2.63 });
});

Deno.test("in a group one rates those of the other side, each once", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben } = world;
  const carl = await createMember(tenant);
  const { id: exchange_id } = await must<Exchange>(act(tenant, ana, "request_group", {
    parts: [
      { person: ana.id, side: "receives", minutes: 60 },
      { person: ben.id, side: "gives", minutes: 30 },
      { person: carl.id, side: "gives", minutes: 30 },
    ],
  }));
  for (const me of [ben, carl]) await must(act(tenant, me, "accept", { exchange_id }));
  await must(act(tenant, ben, "start", { exchange_id }));
  for (const [me, minutes] of [[ana, 60], [ben, 30], [carl, 30]] as const) {
    await must(act(tenant, me, "confirm", { exchange_id, minutes }));
  }
  await assertRefused(review(world, ana, exchange_id, 5), 422, "request.invalid");
  for (const { id: person } of [ben, carl]) {
    await must(review(world, ana, exchange_id, 5, { person }));
  }
  await assertRefused(
    review(world, ben, exchange_id, 1, { person: carl.id }),
    422,
    "request.invalid",
  );
  assertEquals((await must<Review>(review(world, ben, exchange_id, 4))).reviewee_id, ana.id);
});

Deno.test("a reported review, reply or note is removed, and is back when the appeal says so", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben } = world;
  const { id: exchange_id } = await exchangeIn(world, "disputed");
  const note = await must<{ id: string }>(
    act(tenant, ben, "add_note", { exchange_id, note: "You liar" }),
  );
  const body = async () =>
    (await must<{ body: string | null }[]>(
      ana.client.from("exchanges_notes").select("body").eq("id", note.id),
    ))[0]!.body;
  const aboutNote = await remove(world, "exchanges.note", note.id);
  assertEquals(await body(), null);
  await giveBack(world, ben, aboutNote);
  assertEquals(await body(), "You liar");

  const { id } = await exchangeIn(world, "completed");
  const theirs = await must<Review>(review(world, ben, id, 1, { body: "Never again" }));
  const aboutReview = await remove(world, "exchanges.review", theirs.id);
  assertEquals([await reviews(ana), await rated(ana, ana)], [[], { reviews: 0, average: null }]);
  await giveBack(world, ben, aboutReview);
  assertEquals(await rated(ana, ana), { reviews: 1, average: 1 });
  assertEquals((await reviews(ana))[0]!.body, "Never again");

  const mine = await must<Review>(review(world, ana, id, 3));
  await must(act(tenant, ben, "reply", { review_id: mine.id, body: "Insult" }));
  const reply = async () => (await reviews(ana)).find((one) => one.id === mine.id)!.reply;
  const aboutReply = await remove(world, "exchanges.reply", mine.id);
  assertEquals(await reply(), null);
  await assertRefused(
    act(tenant, ben, "reply", { review_id: mine.id, body: "Once more" }),
    409,
    "exchanges.already_replied",
  );
  await giveBack(world, ben, aboutReply);
  assertEquals(await reply(), "Insult");
});

Deno.test("one reports what others wrote, and what one sees", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben } = world;
  const stranger = await createMember(tenant);
  const { id } = await exchangeIn(world, "completed", { note: "Please" });
  const { id: review_id } = await must<Review>(review(world, ana, id, 3));
  const [note] = await must<{ id: string }[]>(ben.client.from("exchanges_notes").select("id"));
  const missing = [404, "moderation.subject_not_found"] as const;
  for (
    const [me, kind, subject] of [
      [ana, "review", review_id],
      [ben, "reply", review_id],
      [ana, "note", note!.id],
      [stranger, "note", note!.id],
    ] as const
  ) {
    await assertRefused(
      me.client.rpc("moderation_report", {
        tenant_id: tenant.id,
        kind: `exchanges.${kind}`,
        subject,
        reason: "spam",
      }),
      ...missing,
    );
  }
});
