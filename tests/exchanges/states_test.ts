import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { withDatabase } from "../support/database.ts";
import { act, type Exchange } from "../support/exchanges.ts";
import { setStatus } from "../support/tenants.ts";
import { reverse } from "../support/wallet.ts";
import { balance, createTimeBank, exchangeIn, parts, propose, read, runOut } from "./support.ts";

const final = ["cancelled", "declined", "expired", "reversed"];

Deno.test("every state of an exchange is reached and left by somebody's act or by time, but for the final ones", async () => {
  const world = await createTimeBank({ exchanges: { broker_above: 60 } });
  const { tenant, ana, ben, broker, owner } = world;
  const steps = new Set<string>();
  const step = async (exchange: Exchange, then: () => PromiseLike<unknown>) => {
    await then();
    const now = await read(ana, exchange.id);
    steps.add(`${exchange.status}>${now.status}`);
    return now;
  };
  const go = (exchange: Exchange, who: typeof ana, name: string, more = {}) =>
    step(exchange, () => must(act(tenant, who, name, { exchange_id: exchange.id, ...more })));
  const brokered = async () => await go(await propose(world, { minutes: 61 }), ben, "accept");

  // Paid as agreed, and taken back.
  const paid = await exchangeIn(world, "pending_confirmation");
  const done = await go(paid, ana, "confirm", { minutes: 60 });
  await step(done, () => must(reverse(tenant, owner, done.transfer_id!)));
  // Through a broker's hands.
  await go(await brokered(), broker, "approve");
  await go(await brokered(), broker, "refuse", { note: "Not in our name" });
  await go(await brokered(), ana, "cancel");
  // Said no, called off, forgotten.
  await go(await propose(world), ben, "decline");
  const open = ["pending_provider", "accepted", "in_progress"];
  for (const status of open) await go(await exchangeIn(world, status), ana, "cancel");
  for (const status of open) {
    const exchange = await exchangeIn(world, status);
    await step(exchange, () => runOut(exchange.id));
  }
  const waiting = await brokered();
  await step(waiting, () => runOut(waiting.id));
  // The way itself.
  await go(await go(await propose(world), ben, "accept"), ana, "start").then((exchange) =>
    go(exchange, ana, "confirm", { minutes: 60 })
  );
  // Disputed, and decided.
  for (const minutes of [45, null]) {
    const exchange = await exchangeIn(world, "pending_confirmation");
    const disputed = await go(exchange, ana, "dispute", { note: "It was less" });
    await go(disputed, broker, "resolve", { minutes, note: "As the neighbours say" });
  }
  // Whoever is banned takes what is open with them along.
  const left = await exchangeIn(world, "pending_confirmation");
  await step(left, () => setStatus(owner.client, tenant, ben, "banned"));

  await withDatabase(async (sql) => {
    const allowed = await sql<{ step: string; from_state: string; to_state: string }[]>`
      select from_state || '>' || to_state as step, from_state, to_state
      from private.transitions where machine = 'exchanges'`;
    assertEquals([...steps].toSorted(), allowed.map(({ step }) => step).toSorted());
    const states = new Set(allowed.flatMap((t) => [t.from_state, t.to_state]));
    for (const state of states) {
      assertEquals(allowed.some((t) => t.from_state === state), !final.includes(state), state);
    }
  });
});

/** Every act, by somebody who may do it at its time. */
const acts: Record<string, [who: "ana" | "ben" | "broker", args?: Record<string, unknown>]> = {
  accept: ["ben"],
  decline: ["ben"],
  approve: ["broker"],
  refuse: ["broker", { note: "No" }],
  start: ["ben"],
  confirm: ["ana", { minutes: 61 }],
  dispute: ["ana", { note: "It was less" }],
  add_note: ["ana", { note: "It rained" }],
  resolve: ["broker", { minutes: 60, note: "As agreed" }],
  cancel: ["ana"],
  review: ["ana", { rating: 5 }],
};

/** What is done in a state, or changes nothing there because it was done. */
const possible: Record<string, string[]> = {
  pending_provider: ["accept", "decline", "cancel"],
  accepted: ["accept", "start", "cancel"],
  in_progress: ["start", "confirm", "cancel"],
  pending_confirmation: ["confirm", "dispute"],
  disputed: ["add_note", "resolve"],
  completed: ["review"],
};

Deno.test("each act is for its states, and refused in all others", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben } = world;
  for (const [status, now] of Object.entries(possible)) {
    const { id: exchange_id } = await exchangeIn(world, status);
    const before = await read(ana, exchange_id);
    for (const [name, [who, args]] of Object.entries(acts)) {
      if (now.includes(name)) continue;
      const call = act(tenant, world[who], name, { exchange_id, ...args });
      await assertRefused(call, 409, "request.transition_refused");
    }
    assertEquals(await read(ana, exchange_id), before, status);
  }
  const paid = await exchangeIn(world, "completed");
  assertEquals([paid.due_at, paid.final_minutes], [null, 60]);
  assertEquals([await balance(ana), await balance(ben)], [480, 120]);
});

Deno.test("the database itself refuses a step that no act would make", async () => {
  const world = await createTimeBank();
  const { id } = await propose(world);
  await withDatabase(async (sql) => {
    for (const status of ["in_progress", "pending_confirmation", "disputed"]) {
      const refused = await sql`update exchanges set status = ${status} where id = ${id}`
        .then(() => "", (error) => error.message);
      assertEquals(refused, "request.transition_refused");
    }
  });
});

Deno.test("agreeing twice, starting twice and confirming the same twice change nothing", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben } = world;
  const { id: exchange_id } = await propose(world);
  await assertRefused(act(tenant, ana, "accept", { exchange_id }), 409, "exchanges.not_awaited");
  await assertRefused(act(tenant, ana, "decline", { exchange_id }), 409, "exchanges.not_awaited");
  for (const name of ["accept", "accept", "start", "start"]) {
    await must(act(tenant, ben, name, { exchange_id }));
  }
  const confirm = (minutes: number) =>
    must<Exchange>(act(tenant, ben, "confirm", { exchange_id, minutes }));
  const first = await confirm(90);
  assertEquals(await confirm(90), first);
  // Until the other has confirmed it can be corrected.
  await confirm(60);
  const [gives] = await parts(ana, exchange_id);
  assertEquals([gives!.side, gives!.confirmed_minutes], ["gives", 60]);
  const paid = await must<Exchange>(act(tenant, ana, "confirm", { exchange_id, minutes: 60 }));
  assertEquals(await must(act(tenant, ana, "confirm", { exchange_id, minutes: 60 })), paid);
  ok(paid.transfer_id);
  assertEquals(await balance(ben), 60);
});
