import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { act, type Exchange } from "../support/exchanges.ts";
import { addMember, setStatus } from "../support/tenants.ts";
import { accountOf, assertIntact, type Hold } from "../support/wallet.ts";
import {
  balance,
  createTimeBank,
  exchangeIn,
  notices,
  parts,
  propose,
  read,
  runOut,
} from "./support.ts";

const remind = (id: string) =>
  withDatabase(async (sql) => {
    await sql`
      update exchanges set remind_at = now() - interval '1 second' where id = ${id} and remind_at is not null`;
    await sql`select private.exchanges_remind()`;
  });

const reminders = async ({ client }: Parameters<typeof notices>[0]) =>
  (await must<{ count: number }[]>(
    client.from("notifications").select().eq("kind", "exchanges.reminder"),
  )).reduce((sum, { count }) => sum + count, 0);

Deno.test("who is waited for is reminded, once a state, halfway", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben } = world;
  const exchange = await propose(world);
  const exchange_id = exchange.id;
  await withDatabase(async (sql) => {
    const [row] = await sql`
      select (remind_at - created_at) / (due_at - created_at) as part
      from (select extract(epoch from remind_at) as remind_at, extract(epoch from due_at) as due_at,
        extract(epoch from created_at) as created_at from exchanges where id = ${exchange_id}) e`;
    assertEquals(Number(row!.part), 0.5);
  });
  await remind(exchange_id);
  await remind(exchange_id);
  assertEquals([await reminders(ana), await reminders(ben)], [0, 1]);
  await must(act(tenant, ben, "accept", { exchange_id }));
  await remind(exchange_id);
  assertEquals([await reminders(ana), await reminders(ben)], [1, 2]);
  await must(act(tenant, ben, "start", { exchange_id }));
  await must(act(tenant, ben, "confirm", { exchange_id, minutes: 60 }));
  await remind(exchange_id);
  assertEquals([await reminders(ana), await reminders(ben)], [2, 2]);
});

Deno.test("an appointment is remembered a day before, and stays open until after it", async () => {
  const world = await createTimeBank({ exchanges: { start_days: 2 } });
  const starts_at = new Date(Date.now() + 10 * 86_400_000);
  const { id } = await exchangeIn(world, "accepted", { starts_at: starts_at.toISOString() });
  await withDatabase(async (sql) => {
    const [row] = await sql<{ remind_at: Date; due_at: Date }[]>`
      select remind_at, due_at from exchanges where id = ${id}`;
    assertEquals(row!.remind_at.getTime(), starts_at.getTime() - 86_400_000);
    assertEquals(row!.due_at.getTime(), starts_at.getTime() + 2 * 86_400_000);
  });
});

Deno.test("what is not reasonable in the settings counts as not set", async () => {
  const world = await createTimeBank({
    exchanges: { answer_days: "soon", broker_above: -3, confirm_days: 9999 },
  });
  const { id, due_at } = await exchangeIn(world, "pending_confirmation");
  ok(id && Math.round((Date.parse(due_at!) - Date.now()) / 86_400_000) === 7);
});

Deno.test("who is banned or leaves takes what was open along; what was paid stays", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben, owner } = world;
  const paid = await exchangeIn(world, "completed");
  const open = await exchangeIn(world, "disputed");
  await setStatus(owner.client, tenant, ben, "suspended");
  assertEquals((await read(ana, open.id)).status, "disputed");
  await setStatus(owner.client, tenant, ben, "banned");
  const gone = await read(ana, open.id);
  assertEquals([gone.status, gone.reason], ["cancelled", "member_gone"]);
  assertEquals((await read(ana, paid.id)).status, "completed");
  ok((await notices(ana)).includes("cancelled"));
});

Deno.test("leaving pays no debt: what was confirmed goes to a mediator, who can have it paid", async () => {
  const world = await createTimeBank({ features: { "exchanges.holds": true } });
  const { tenant, ana, ben, broker, owner } = world;
  const disputed = await exchangeIn(world, "disputed");
  const confirmed = await exchangeIn(world, "pending_confirmation");
  const begun = await exchangeIn(world, "in_progress");
  await must(ana.client.rpc("members_leave", { tenant_id: tenant.id }));
  const states = await Promise.all([confirmed, disputed, begun].map(({ id }) => read(ben, id)));
  assertEquals(states.map(({ status, reason }) => [status, reason]), [
    ["disputed", "member_gone"],
    ["disputed", "difference"],
    ["cancelled", "member_gone"],
  ]);
  for (const { id: exchange_id } of [confirmed, disputed]) {
    await must(act(tenant, broker, "resolve", { exchange_id, minutes: 60, note: "It was done" }));
  }
  assertEquals(await balance(ben), 120);
  await addMember(tenant, ana);
  assertEquals([await balance(ana), (await accountOf(ana)).held], [480, 0]);
  await assertIntact(tenant, owner);
});

Deno.test("with holds the agreed time is set aside, taken when it is paid, and free again when it is not", async () => {
  const world = await createTimeBank({ features: { "exchanges.holds": true } });
  const { tenant, ana, ben, broker, owner } = world;
  const first = await exchangeIn(world, "accepted", { minutes: 400 });
  assertEquals([(await accountOf(ana)).held, (await accountOf(ana)).available], [400, 200]);
  const second = await propose(world, { minutes: 300 });
  const accept = () => act(tenant, ben, "accept", { exchange_id: second.id });
  await assertRefused(accept(), 409, "wallet.insufficient_funds");
  assertEquals((await read(ana, second.id)).status, "pending_provider");
  // It is for nobody to take before both have confirmed.
  const [, receives] = await parts(ben, first.id);
  await assertRefused(
    ben.client.rpc("wallet_capture", {
      tenant_id: tenant.id,
      hold_id: receives!.hold_id,
      idempotency_key: "mine",
    }),
    404,
    "wallet.not_found",
  );
  const exchange_id = first.id;
  await must(act(tenant, ben, "start", { exchange_id }));
  for (const me of [ana, ben]) {
    await must(act(tenant, me, "confirm", { exchange_id, minutes: 450 }));
  }
  assertEquals([(await accountOf(ana)).held, await balance(ana), await balance(ben)], [
    0,
    150,
    450,
  ]);
  const [hold] = await must<Hold[]>(ana.client.from("wallet_holds").select());
  assertEquals([hold!.status, hold!.captured], ["captured", 400]);

  for (
    const end of [
      (id: string) => must(act(tenant, ana, "cancel", { exchange_id: id })),
      (id: string) => runOut(id),
    ]
  ) {
    const { id } = await exchangeIn(world, "accepted", { minutes: 100 });
    assertEquals((await accountOf(ana)).held, 100);
    await end(id);
    assertEquals((await accountOf(ana)).held, 0);
  }
  const disputed = await exchangeIn(world, "disputed", { minutes: 60 });
  const resolved = await must<Exchange>(
    act(tenant, broker, "resolve", { exchange_id: disputed.id, minutes: 30, note: "Half" }),
  );
  assertEquals([resolved.final_minutes, (await accountOf(ana)).held], [30, 0]);
  await assertIntact(tenant, owner);
});

// The last one here: there is no Ana after it.
Deno.test("of an erased person no word stays, neither theirs nor about them", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben } = world;
  const { id: exchange_id } = await exchangeIn(world, "completed", { note: "I am Ana" });
  for (const me of [ana, ben]) {
    await must(act(tenant, me, "review", { exchange_id, rating: 4, body: "All about Ana" }));
  }
  const written = await must<{ id: string; reviewer_id: string }[]>(
    ben.client.from("exchanges_reviews").select("id, reviewer_id"),
  );
  for (const { id, reviewer_id } of written) {
    const me = reviewer_id === ana.id ? ben : ana;
    await must(act(tenant, me, "reply", { review_id: id, body: "Thank you" }));
  }
  const { error } = await admin().auth.admin.deleteUser(ana.id);
  assertEquals(error, null);
  const reviews = await must<{ rating: number; body: null; reply: string | null }[]>(
    ben.client.from("exchanges_reviews").select("rating, body, reply").order("reviewer_id"),
  );
  assertEquals(reviews.map(({ rating, body }) => [rating, body]), [[4, null], [4, null]]);
  // Ben's own answer is his.
  assertEquals(reviews.filter(({ reply }) => reply === null).length, 1);
  const [note] = await must<{ body: string | null }[]>(
    ben.client.from("exchanges_notes").select("body").eq("author_id", ana.id),
  );
  assertEquals(note!.body, null);
});
