import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { act, type Exchange } from "../support/exchanges.ts";
import { createMember, issue } from "../support/tenants.ts";
import { accountOf, assertIntact, type Hold } from "../support/wallet.ts";
import { balance, createTimeBank, parts, read, type World } from "./support.ts";

interface Garden extends World {
  carl: Person;
  dora: Person;
  /** Ben and Carl give two hours and one, Ana and Dora receive half each. */
  plan: { person: string; side: string; minutes: number }[];
}

async function createGarden(settings?: Record<string, unknown>): Promise<Garden> {
  const world = await createTimeBank(settings);
  const { tenant, ana, ben } = world;
  const [carl, dora] = await Promise.all([createMember(tenant), createMember(tenant)]);
  await issue(tenant, dora, 600);
  const plan = [
    { person: ben.id, side: "gives", minutes: 120 },
    { person: carl.id, side: "gives", minutes: 60 },
    { person: ana.id, side: "receives", minutes: 90 },
    { person: dora.id, side: "receives", minutes: 90 },
  ];
  return { ...world, carl, dora, plan };
}

const open = ({ tenant, ana, plan }: Garden) =>
  must<Exchange>(act(tenant, ana, "request_group", { parts: plan }));

/** Has everybody but Ana agree, and the work begin. */
async function begin(garden: Garden): Promise<string> {
  const { tenant, ben, carl, dora } = garden;
  const { id: exchange_id } = await open(garden);
  for (const me of [ben, carl, dora]) await must(act(tenant, me, "accept", { exchange_id }));
  await must(act(tenant, carl, "start", { exchange_id }));
  return exchange_id;
}

Deno.test("several give, several receive: everybody agrees and confirms, one balanced transfer pays", async () => {
  const garden = await createGarden();
  const { tenant, ana, ben, carl, dora, owner } = garden;
  const exchange = await open(garden);
  assertEquals([exchange.minutes, exchange.provider_id], [180, null]);
  const exchange_id = exchange.id;
  const accept = (me: Person) => must<Exchange>(act(tenant, me, "accept", { exchange_id }));
  assertEquals((await accept(ben)).status, "pending_provider");
  await assertRefused(act(tenant, ben, "accept", { exchange_id }), 409, "exchanges.not_awaited");
  assertEquals((await accept(carl)).status, "pending_provider");
  assertEquals((await accept(dora)).status, "accepted");
  await must(act(tenant, dora, "start", { exchange_id }));
  const said: [Person, number][] = [[ben, 125], [carl, 60], [ana, 90], [dora, 90]];
  let last: Exchange | undefined;
  for (const [me, minutes] of said) {
    assertEquals(last?.status ?? "pending_confirmation", "pending_confirmation");
    last = await must<Exchange>(act(tenant, me, "confirm", { exchange_id, minutes }));
  }
  // 185 given, 180 received: 182 of both, in proportion to what each said.
  assertEquals([last!.status, last!.final_minutes], ["completed", 182]);
  assertEquals(
    await Promise.all([ana, ben, carl, dora].map(balance)),
    [600 - 91, 123, 59, 600 - 91],
  );
  const [entry] = await must<{ kind: string; amount: number }[]>(
    owner.client.from("wallet_transfers").select("kind, amount").eq("id", last!.transfer_id!),
  );
  assertEquals(entry, { kind: "settlement", amount: 182 });
  await assertIntact(tenant, owner);
});

Deno.test("one of several cannot pay: nobody is paid, and nothing is confirmed", async () => {
  const garden = await createGarden();
  const { tenant, ana, ben, carl, dora } = garden;
  const exchange_id = await begin(garden);
  for (const [me, minutes] of [[ben, 120], [carl, 60], [ana, 90]] as const) {
    await must(act(tenant, me, "confirm", { exchange_id, minutes }));
  }
  const all = await balance(dora);
  await must(dora.client.rpc("wallet_transfer", {
    tenant_id: tenant.id,
    to_person: ben.id,
    amount: all,
    currency: "hours",
    idempotency_key: crypto.randomUUID(),
  }));
  await assertRefused(
    act(tenant, dora, "confirm", { exchange_id, minutes: 90 }),
    409,
    "wallet.insufficient_funds",
  );
  assertEquals((await read(ana, exchange_id)).status, "pending_confirmation");
  assertEquals((await parts(ana, exchange_id)).filter((p) => p.confirmed_minutes).length, 3);
  assertEquals(await Promise.all([ana, carl].map(balance)), [600, 0]);
});

Deno.test("a broker splits what a group cannot agree on by what each said", async () => {
  const garden = await createGarden();
  const { tenant, ana, ben, carl, dora, broker, owner } = garden;
  const exchange_id = await begin(garden);
  for (const [me, minutes] of [[ben, 240], [carl, 60], [ana, 90], [dora, 90]] as const) {
    await must(act(tenant, me, "confirm", { exchange_id, minutes }));
  }
  assertEquals((await read(ana, exchange_id)).reason, "difference");
  await must(act(tenant, broker, "resolve", { exchange_id, minutes: 200, note: "Between you" }));
  assertEquals(await Promise.all([ana, ben, carl, dora].map(balance)), [500, 160, 40, 500]);
  await assertIntact(tenant, owner);
});

Deno.test("of whose share no minute is left, what was held is theirs again", async () => {
  const garden = await createGarden({ features: { "exchanges.holds": true } });
  const { tenant, ana, ben, dora, broker, owner } = garden;
  const plan = [
    { person: ben.id, side: "gives", minutes: 465 },
    { person: ana.id, side: "receives", minutes: 15 },
    { person: dora.id, side: "receives", minutes: 450 },
  ];
  const { id: exchange_id } = await open({ ...garden, plan });
  for (const me of [ben, dora]) await must(act(tenant, me, "accept", { exchange_id }));
  await must(act(tenant, ben, "start", { exchange_id }));
  for (const [me, minutes] of [[ben, 465], [ana, 15], [dora, 480]] as const) {
    await must(act(tenant, me, "confirm", { exchange_id, minutes }));
  }
  await must(act(tenant, broker, "resolve", { exchange_id, minutes: 15, note: "A quarter" }));
  assertEquals(await Promise.all([ana, ben, dora].map(balance)), [600, 15, 585]);
  const [hold] = await must<Hold[]>(ana.client.from("wallet_holds").select());
  assertEquals([(await accountOf(ana)).held, hold!.status], [0, "voided"]);
  await assertIntact(tenant, owner);
});

Deno.test("a group is of three to fifty, everybody once, on both sides, and adds up", async () => {
  const garden = await createGarden();
  const { tenant, ana, ben, dora, plan } = garden;
  const ask = (parts: unknown) => act(tenant, ana, "request_group", { parts });
  const invalid = [422, "request.invalid"] as const;
  for (
    const wrong of [
      null,
      {},
      [],
      plan.slice(2),
      [1, 2, 3],
      [...plan, plan[0]],
      plan.filter(({ person }) => person !== ana.id),
      plan.map((part) => ({ ...part, side: "gives" })),
      plan.map((part) => ({ ...part, side: "takes" })),
      plan.map((part) => ({ ...part, person: "ana" })),
      plan.map((part) => ({ ...part, minutes: 1e12 })),
    ]
  ) await assertRefused(ask(wrong), ...invalid);
  await assertRefused(
    ask(plan.map((part) => ({ ...part, minutes: 10 }))),
    422,
    "exchanges.invalid_minutes",
  );
  await assertRefused(
    ask(plan.map((part) => part.person === ben.id ? { ...part, minutes: 121 } : part)),
    422,
    "exchanges.unbalanced",
  );
  await assertRefused(
    ask(
      plan.map((part) => part.person === dora.id ? { ...part, person: crypto.randomUUID() } : part),
    ),
    404,
    "members.not_found",
  );
});

Deno.test("those of a group see it, and nobody else but brokers", async () => {
  const garden = await createGarden();
  const { tenant, ana, carl, broker } = garden;
  const { id } = await open(garden);
  const stranger = await createMember(tenant);
  const seen = async (me: Person) => [
    (await must<unknown[]>(me.client.from("exchanges").select("id").eq("id", id))).length,
    (await parts(me, id)).length,
    (await must<unknown[]>(act(tenant, me, "list"))).length,
  ];
  assertEquals(await Promise.all([ana, carl].map(seen)), [[1, 4, 1], [1, 4, 1]]);
  assertEquals(await seen(broker), [1, 4, 0]);
  assertEquals(await seen(stranger), [0, 0, 0]);
});
