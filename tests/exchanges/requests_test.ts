import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import { impersonate } from "../admin/support.ts";
import { assertRefused, must } from "../support/answers.ts";
import { anonymous, type Person } from "../support/clients.ts";
import { act, type Exchange } from "../support/exchanges.ts";
import { addMember, createMember, createTenant, setStatus } from "../support/tenants.ts";
import { listen } from "../messaging/support.ts";
import { balance, createTimeBank, exchangeIn, notices, parts, propose, read } from "./support.ts";

Deno.test("an exchange from the first word to the payment: who is told what, live and in the inbox", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben } = world;
  await using ears = await listen(ana, `private-user-${ana.id}`);
  const starts_at = new Date(Date.now() + 86_400_000).toISOString();
  const exchange = await propose(world, { note: "My bicycle", minutes: 90, starts_at });
  const exchange_id = exchange.id;
  assertEquals([exchange.requester_id, exchange.provider_id], [ana.id, ben.id]);
  assertEquals(await notices(ben), ["requested"]);
  const [notice] = await must<{ payload: Record<string, string> }[]>(
    ben.client.from("notifications").select("payload").eq("kind", "exchanges.requested"),
  );
  assertEquals([notice!.payload.amount, notice!.payload.exchange_id], ["1:30 h", exchange_id]);
  for (const name of ["accept", "start"]) await must(act(tenant, ben, name, { exchange_id }));
  await must(act(tenant, ben, "confirm", { exchange_id, minutes: 90 }));
  await must(act(tenant, ana, "confirm", { exchange_id, minutes: 100 }));
  const heard = await ears.wait("exchanges:changed", 5);
  assertEquals(heard.map(({ status }) => status), [
    "pending_provider",
    "accepted",
    "in_progress",
    "pending_confirmation",
    "completed",
  ]);
  assertEquals([heard[4]!.exchange_id, heard[4]!.final_minutes], [exchange_id, 95]);
  assertEquals(await notices(ana), ["accepted", "confirmation_wanted", "started"]);
  assertEquals(await notices(ben), ["completed", "requested"]);
  assertEquals([await balance(ana), await balance(ben)], [505, 95]);
  assertEquals((await parts(ana, exchange_id)).map((p) => [p.side, p.final_minutes]), [
    ["gives", 95],
    ["receives", 95],
  ]);
});

Deno.test("who offers gives, and the other has to agree and pays", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben } = world;
  const { id: exchange_id, ...exchange } = await must<Exchange>(
    act(tenant, ben, "request", { person: ana.id, minutes: 30, offer: true }),
  );
  assertEquals([exchange.requester_id, exchange.provider_id], [ana.id, ben.id]);
  await assertRefused(act(tenant, ben, "accept", { exchange_id }), 409, "exchanges.not_awaited");
  await must(act(tenant, ana, "accept", { exchange_id }));
  await must(act(tenant, ana, "start", { exchange_id }));
  for (const me of [ana, ben]) await must(act(tenant, me, "confirm", { exchange_id, minutes: 30 }));
  assertEquals([await balance(ana), await balance(ben)], [570, 30]);
});

Deno.test("a broker is asked as the tenant has it: always, above a limit, never", async () => {
  for (
    const [broker_above, status] of [[0, "pending_broker"], [59, "pending_broker"], [
      60,
      "accepted",
    ]]
  ) {
    const world = await createTimeBank({ exchanges: { broker_above } });
    const { tenant, ana, ben, broker } = world;
    const { id: exchange_id } = await propose(world);
    const accepted = await must<Exchange>(act(tenant, ben, "accept", { exchange_id }));
    assertEquals(accepted.status, status);
    assertEquals(await notices(broker), status === "accepted" ? [] : ["broker_wanted"]);
    if (status === "accepted") continue;
    assertEquals(await notices(ana), []);
    const noNote = act(tenant, broker, "refuse", { exchange_id, note: "" });
    await assertRefused(noNote, 422, "request.invalid");
    await assertRefused(
      act(tenant, ana, "approve", { exchange_id }),
      403,
      "members.permission_denied",
    );
    const approved = await must<Exchange>(act(tenant, broker, "approve", { exchange_id }));
    assertEquals([approved.status, approved.decided_by], ["accepted", broker.id]);
    assertEquals(await notices(ana), ["accepted"]);
  }
});

Deno.test("an exchange takes another active member who has not blocked one, and a currency of time", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben, owner } = world;
  const ask = (person: string | null, more = {}) =>
    act(tenant, ana, "request", { person, minutes: 60, ...more });
  await assertRefused(ask(ana.id), 422, "exchanges.with_yourself");
  const missing = [404, "members.not_found"] as const;
  await assertRefused(ask(crypto.randomUUID()), ...missing);
  await assertRefused(ask(null), ...missing);
  const guest = await createMember(tenant, "guest");
  await assertRefused(ask(guest.id), ...missing);
  await assertRefused(
    act(tenant, guest, "request", { person: ana.id, minutes: 60 }),
    403,
    "members.permission_denied",
  );
  const invalid = [422, "request.invalid"] as const;
  for (const days of [-1, 0, 367]) {
    const starts_at = new Date(Date.now() + days * 86_400_000).toISOString();
    await assertRefused(ask(ben.id, { starts_at }), ...invalid);
  }
  await assertRefused(ask(ben.id, { note: "x".repeat(2001) }), ...invalid);
  for (const [by, other] of [[ben, ana], [ana, ben]] as const) {
    const block = (blocked: boolean) =>
      must(by.client.rpc("messaging_block", { tenant_id: tenant.id, person: other.id, blocked }));
    await block(true);
    await assertRefused(ask(ben.id), 403, "messaging.blocked");
    await block(false);
  }
  await setStatus(owner.client, tenant, ben, "suspended");
  await assertRefused(ask(ben.id), ...missing);

  const timeless = await createTenant({
    modules: ["wallet", "exchanges", "messaging"],
    currencies: [{ code: "eur", kind: "money", decimals: 2 }],
  });
  for (const person of [ana, owner]) await addMember(timeless, person);
  await assertRefused(
    act(timeless, ana, "request", { person: owner.id, minutes: 60 }),
    409,
    "exchanges.no_currency",
  );
});

Deno.test("whoever proposes without end is told to wait", async () => {
  const world = await createTimeBank();
  for (let n = 0; n < 30; n++) await propose(world);
  const { tenant, ana, ben } = world;
  await assertRefused(
    act(tenant, ana, "request", { person: ben.id, minutes: 60 }),
    429,
    "limits.exceeded",
  );
});

Deno.test("hostile: strangers, members of other tenants and visitors neither see nor touch it", async () => {
  const world = await createTimeBank();
  const { tenant, ana } = world;
  const { id: exchange_id } = await exchangeIn(world, "pending_confirmation", { note: "Secret" });
  const stranger = await createMember(tenant);
  const own = await createTenant({ modules: ["wallet", "exchanges", "messaging"] });
  const outsider = await createMember(own, "owner");
  const acts: [string, Record<string, unknown>][] = [
    ["accept", {}],
    ["decline", {}],
    ["start", {}],
    ["cancel", {}],
    ["confirm", { minutes: 15 }],
    ["dispute", { note: "Mine" }],
    ["add_note", { note: "Mine" }],
    ["review", { rating: 1 }],
  ];
  const before = await read(ana, exchange_id);
  for (const [name, more] of acts) {
    const args = { exchange_id, ...more };
    await assertRefused(act(tenant, stranger, name, args), 404, "exchanges.not_found");
    await assertRefused(act(tenant, outsider, name, args), 404, "tenants.not_found");
    assertEquals((await act(tenant, { client: anonymous() }, name, args)).status, 401, name);
    // An id of theirs in a tenant of one's own leads nowhere.
    await assertRefused(act(own, outsider, name, args), 404, "exchanges.not_found");
  }
  const note = "Mine";
  for (
    const [name, more] of [["approve", {}], ["refuse", { note }], ["resolve", {
      note,
      minutes: 60,
    }]] as const
  ) {
    const decide = act(tenant, stranger, name, { exchange_id, ...more });
    await assertRefused(decide, 403, "members.permission_denied");
  }
  const tables = ["exchanges", "exchanges_parts", "exchanges_notes"];
  const seen = (me: Person) =>
    Promise.all(
      tables.map(async (table) =>
        (await must<unknown[]>(me.client.from(table).select().eq("tenant_id", tenant.id))).length
      ),
    );
  assertEquals(await Promise.all([stranger, outsider].map(seen)), [[0, 0, 0], [0, 0, 0]]);
  assertEquals(await seen(ana), [1, 2, 1]);
  assertEquals(await read(ana, exchange_id), before);
});

Deno.test("in an impersonated session nobody accepts, and nobody confirms", async () => {
  const world = await createTimeBank();
  const { tenant, ben, owner } = world;
  const { id: exchange_id } = await propose(world);
  const as = await impersonate(world, owner, ben, { writes: true });
  const accept = (me: typeof ben) => act(tenant, me, "accept", { exchange_id });
  await assertRefused(accept(as), 403, "auth.impersonated");
  await must(accept(ben));
  await must(act(tenant, ben, "start", { exchange_id }));
  const confirm = act(tenant, as, "confirm", { exchange_id, minutes: 60 });
  await assertRefused(confirm, 403, "auth.impersonated");
});

Deno.test("the module off closes tables and doors at once", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben, owner } = world;
  const { id: exchange_id } = await propose(world);
  await must(
    owner.client.from("tenants").update({ modules: ["wallet", "messaging"] }).eq("id", tenant.id),
  );
  await assertRefused(act(tenant, ben, "accept", { exchange_id }), 404, "tenants.module_off");
  assertEquals(await must(ana.client.from("exchanges").select()), []);
});

Deno.test("lists walk page by page: one's own by box, and what waits for brokers", async () => {
  const world = await createTimeBank({ exchanges: { broker_above: 60 } });
  const { tenant, ana, ben, broker } = world;
  const made: Exchange[] = [];
  for (let n = 0; n < 5; n++) made.push(await propose(world, { minutes: 61 + n }));
  for (const { id } of made.slice(0, 3)) {
    await must(act(tenant, ben, "accept", { exchange_id: id }));
  }
  await must(act(tenant, ben, "decline", { exchange_id: made[4]!.id }));
  const ids = async (me: Person, name: string, args = {}) =>
    (await must<Exchange[]>(act(tenant, me, name, args))).map(({ id }) => id);
  const all = made.map(({ id }) => id);
  const newest = all.toReversed();
  assertEquals(await ids(ana, "list"), newest);
  assertEquals(await ids(ana, "list", { page_size: 2, cursor: newest[1] }), newest.slice(2, 4));
  assertEquals(await ids(ben, "list", { box: "waiting" }), [all[3]]);
  assertEquals(await ids(ana, "list", { box: "waiting" }), []);
  assertEquals(await ids(ana, "list", { box: "closed" }), [all[4]]);
  assertEquals((await ids(ana, "list", { box: "open" })).length, 4);
  assertEquals(await ids(broker, "queue"), all.slice(0, 3));
  assertEquals(await ids(broker, "queue", { page_size: 1, cursor: all[0] }), [all[1]]);
  assertEquals(await ids(broker, "queue", { status: "disputed" }), []);
  await assertRefused(act(tenant, ana, "list", { box: "junk" }), 422, "request.invalid");
  await assertRefused(act(tenant, broker, "queue", { status: "junk" }), 422, "request.invalid");
  await assertRefused(act(tenant, ana, "queue"), 403, "members.permission_denied");
  ok((await act(tenant, ana, "list", { page_size: 0 })).error);
});
