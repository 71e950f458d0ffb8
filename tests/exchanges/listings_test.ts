import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { act, type Exchange } from "../support/exchanges.ts";
import { type Listing, listings, publish } from "../support/listings.ts";
import { balance, createTimeBank, read } from "./support.ts";

const title = "Bicycle repaired";

Deno.test("from an offer one receives, from a request one gives: the owner agrees either way", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben, owner } = world;
  for (const [kind, lister, caller] of [["offer", ben, ana], ["request", ana, ben]] as const) {
    const { id: listing_id } = await publish(lister, tenant, { kind, title });
    const { id: exchange_id, ...exchange } = await must<Exchange>(
      act(tenant, caller, "request", { listing_id, minutes: 30 }),
    );
    assertEquals([exchange.requester_id, exchange.provider_id], [ana.id, ben.id]);
    await must(act(tenant, lister, "accept", { exchange_id }));
    await must(act(tenant, lister, "start", { exchange_id }));
    for (const me of [ana, ben]) {
      await must(act(tenant, me, "confirm", { exchange_id, minutes: 30 }));
    }
    const [memo] = await must<{ memo: string }[]>(
      ana.client.from("wallet_memos").select("memo")
        .eq("transfer_id", (await read(ana, exchange_id)).transfer_id!),
    );
    assertEquals(memo, { memo: title });
    const [count] = await must<{ contacts: number }[]>(
      owner.client.from("listings_counts").select("contacts").eq("listing_id", listing_id),
    );
    assertEquals(count, { contacts: 1 });
  }
  assertEquals([await balance(ana), await balance(ben)], [540, 60]);
});

Deno.test("only a listing one sees, of somebody else, and not twice at a time", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben, broker } = world;
  const { id: listing_id } = await publish(ben, tenant, { title });
  const ask = (me: Person, more = {}) =>
    act(tenant, me, "request", { listing_id, minutes: 60, ...more });
  await assertRefused(ask(ben), 422, "exchanges.with_yourself");
  await assertRefused(ask(ana, { person: broker.id }), 422, "request.invalid");
  const missing = [404, "listings.not_found"] as const;
  await assertRefused(ask(ana, { listing_id: crypto.randomUUID() }), ...missing);
  const draft = await must<Listing>(
    listings(ben, tenant, "save", { changes: { kind: "offer", title } }),
  );
  await assertRefused(ask(ana, { listing_id: draft.id }), ...missing);
  const block = (blocked: boolean) =>
    must(ben.client.rpc("messaging_block", { tenant_id: tenant.id, person: ana.id, blocked }));
  await block(true);
  await assertRefused(ask(ana), ...missing);
  await block(false);

  const answers = await Promise.all([ask(ana), ask(ana), ask(ana)]);
  assertEquals(answers.map(({ status }) => status).toSorted(), [200, 409, 409]);
  const { id: exchange_id } = answers.find(({ data }) => data)!.data as Exchange;
  await assertRefused(ask(ana), 409, "exchanges.already_open");
  await must(ask(broker));
  await must(act(tenant, ana, "cancel", { exchange_id }));
  await must(ask(ana));
  await must(listings(ben, tenant, "fulfil", { listing: listing_id }));
  await assertRefused(ask(broker), ...missing);
  // What was asked for before goes on.
  assertEquals((await must<Exchange[]>(act(tenant, ana, "list", { box: "open" }))).length, 1);
});
