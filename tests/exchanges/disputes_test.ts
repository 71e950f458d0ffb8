import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { withDatabase } from "../support/database.ts";
import { act, type Exchange } from "../support/exchanges.ts";
import { createMember, issue } from "../support/tenants.ts";
import { accountOf, assertIntact, pay, reverse } from "../support/wallet.ts";
import { balance, createTimeBank, exchangeIn, notices, read, runOut } from "./support.ts";

interface Note {
  author_id: string;
  kind: string;
  body: string;
}

const notesOf = (client: Parameters<typeof notices>[0]["client"], id: string) =>
  must<Note[]>(
    client.from("exchanges_notes").select("author_id, kind, body").eq("exchange_id", id).order(
      "id",
    ),
  );

Deno.test("a dispute is decided by somebody else, with a reason, and paid in the same step", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben, broker, owner } = world;
  const { id: exchange_id, reason } = await exchangeIn(world, "disputed", { note: "My bike" });
  assertEquals(reason, "difference");
  assertEquals(await notices(broker), ["mediation_wanted"]);
  ok((await notices(ben)).includes("disputed"));
  await must(act(tenant, ana, "add_note", { exchange_id, note: "He left after a quarter." }));
  await must(act(tenant, broker, "add_note", { exchange_id, note: "Ben, is that so?" }));
  const resolve = (minutes: number | null, note: string | null = "As Ben's diary says") =>
    act(tenant, broker, "resolve", { exchange_id, minutes, note });
  await assertRefused(resolve(30, " "), 422, "request.invalid");
  await assertRefused(resolve(30, null), 422, "request.invalid");
  for (const wrong of [14, 76]) {
    await assertRefused(resolve(wrong), 422, "exchanges.invalid_minutes");
  }
  await assertRefused(
    act(tenant, ana, "resolve", { exchange_id, minutes: 15, note: "I say so" }),
    403,
    "members.permission_denied",
  );
  const done = await must<Exchange>(resolve(30));
  assertEquals(
    [done.status, done.reason, done.final_minutes, done.decided_by],
    ["completed", "broker", 30, broker.id],
  );
  assertEquals([await balance(ana), await balance(ben)], [570, 30]);
  assertEquals((await notesOf(ben.client, exchange_id)).map(({ kind }) => kind), [
    "request",
    "statement",
    "statement",
    "resolution",
  ]);
  await assertIntact(tenant, owner);
});

Deno.test("nobody decides their own case, brokers neither, by no door", async () => {
  const world = await createTimeBank({ exchanges: { broker_above: 0 } });
  const { tenant, broker, owner, ana } = world;
  const other = await createMember(tenant, "staff");
  await issue(tenant, broker, 600);
  const own = [403, "exchanges.own_case"] as const;
  const { id: exchange_id } = await must<Exchange>(
    act(tenant, broker, "request", { person: ana.id, minutes: 60 }),
  );
  await must(act(tenant, ana, "accept", { exchange_id }));
  assertEquals(await must(act(tenant, broker, "queue")), []);
  await assertRefused(act(tenant, broker, "approve", { exchange_id }), ...own);
  await assertRefused(act(tenant, broker, "refuse", { exchange_id, note: "Mine" }), ...own);
  assertEquals((await must<Exchange[]>(act(tenant, other, "queue"))).map(({ id }) => id), [
    exchange_id,
  ]);
  await must(act(tenant, other, "approve", { exchange_id }));
  await must(act(tenant, ana, "start", { exchange_id }));
  await must(act(tenant, ana, "confirm", { exchange_id, minutes: 60 }));
  await must(act(tenant, broker, "dispute", { exchange_id, note: "It was a minute" }));
  await assertRefused(
    act(tenant, broker, "resolve", { exchange_id, minutes: 15, note: "So" }),
    ...own,
  );
  await must(act(tenant, other, "resolve", { exchange_id, minutes: 60, note: "As agreed" }));
  // An owner who took part takes nothing back either.
  await issue(tenant, owner, 600);
  const { id } = await must<Exchange>(
    act(tenant, owner, "request", { person: ana.id, minutes: 60 }),
  );
  await must(act(tenant, ana, "accept", { exchange_id: id }));
  await must(act(tenant, other, "approve", { exchange_id: id }));
  await must(act(tenant, ana, "start", { exchange_id: id }));
  await must(act(tenant, owner, "confirm", { exchange_id: id, minutes: 60 }));
  const paid = await must<Exchange>(act(tenant, ana, "confirm", { exchange_id: id, minutes: 60 }));
  await assertRefused(reverse(tenant, owner, paid.transfer_id!), ...own);
  assertEquals((await read(owner, id)).status, "completed");
});

Deno.test("a dispute never hangs: nobody confirms, nobody decides, it goes up and then ends unpaid", async () => {
  const world = await createTimeBank();
  const { ana, ben, broker, owner } = world;
  const { id } = await exchangeIn(world, "pending_confirmation");
  await runOut(id);
  const disputed = await read(ana, id);
  assertEquals([disputed.status, disputed.reason, disputed.escalated_at], [
    "disputed",
    "deadline",
    null,
  ]);
  assertEquals((await notices(broker)).includes("mediation_wanted"), true);
  await runOut(id);
  const escalated = await read(ana, id);
  ok(escalated.escalated_at && Date.parse(escalated.due_at!) > Date.now());
  assertEquals(escalated.status, "disputed");
  assertEquals([
    (await notices(owner)).includes("escalated"),
    (await notices(broker)).includes("escalated"),
  ], [true, false]);
  await runOut(id);
  const ended = await read(ana, id);
  assertEquals([ended.status, ended.reason, ended.due_at], ["cancelled", "deadline", null]);
  assertEquals([await balance(ana), await balance(ben)], [600, 0]);
  for (const me of [ana, ben]) ok((await notices(me)).includes("cancelled"));
});

Deno.test("who decides cannot pay what is not there: the dispute stays, and can be cancelled", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben, broker } = world;
  const { id: exchange_id } = await exchangeIn(world, "disputed");
  await must(pay(tenant, ana, ben, 600));
  const resolve = (minutes: number | null) =>
    act(tenant, broker, "resolve", { exchange_id, minutes, note: "As it was" });
  await assertRefused(resolve(60), 409, "wallet.insufficient_funds");
  const still = await read(ana, exchange_id);
  assertEquals([still.status, still.decided_by], ["disputed", null]);
  assertEquals((await notesOf(ana.client, exchange_id)).length, 0);
  assertEquals((await must<Exchange>(resolve(null))).status, "cancelled");
});

Deno.test("two brokers decide at once: one does", async () => {
  const world = await createTimeBank();
  const { tenant, ana, broker } = world;
  const other = await createMember(tenant, "staff");
  const { id: exchange_id } = await exchangeIn(world, "disputed");
  const answers = await Promise.all([
    act(tenant, broker, "resolve", { exchange_id, minutes: 60, note: "All of it" }),
    act(tenant, other, "resolve", { exchange_id, minutes: null, note: "Nothing" }),
  ]);
  assertEquals(answers.map(({ status }) => status).toSorted(), [200, 409]);
  const { status } = await read(ana, exchange_id);
  assertEquals(await balance(ana), status === "completed" ? 540 : 600);
});

Deno.test("what the wallet takes back, the exchange says of itself, once, also into debt", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben, broker, owner } = world;
  const { id, transfer_id } = await exchangeIn(world, "completed");
  await must(pay(tenant, ben, ana, 60));
  await assertRefused(reverse(tenant, broker, transfer_id!), 403, "members.permission_denied");
  await must(reverse(tenant, owner, transfer_id!));
  await assertRefused(reverse(tenant, owner, transfer_id!), 409, "wallet.already_reversed");
  const undone = await read(ana, id);
  assertEquals([undone.status, undone.transfer_id, undone.final_minutes], [
    "reversed",
    transfer_id,
    60,
  ]);
  assertEquals([await balance(ana), (await accountOf(ben)).debt], [660, 60]);
  for (const me of [ana, ben]) ok((await notices(me)).includes("reversed"));
  await assertRefused(
    act(tenant, ana, "review", { exchange_id: id, rating: 5 }),
    409,
    "request.transition_refused",
  );
  await assertIntact(tenant, owner);
});

Deno.test("the trail tells every step with its states", async () => {
  const world = await createTimeBank();
  const { id } = await exchangeIn(world, "completed");
  await withDatabase(async (sql) => {
    const rows = await sql<{ action: string; status: string | null }[]>`
      select l.action, d.after ->> 'status' as status
      from private.audit_log l
      left join private.audit_details d on d.tenant_id = l.tenant_id and d.id = l.id
      where l.tenant_id = ${world.tenant.id} and l.resource = ${`exchanges:${id}`} order by l.id`;
    assertEquals(rows.map(({ action, status }) => status ?? action), [
      "EXCHANGE_REQUESTED",
      "accepted",
      "in_progress",
      "pending_confirmation",
      "completed",
    ]);
  });
});
