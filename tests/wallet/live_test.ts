import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { must } from "../support/answers.ts";
import { anonymous, createPerson, type Person } from "../support/clients.ts";
import { createMember, createTenant, issue } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import {
  capture,
  type Hold,
  hold,
  noticesOf,
  type Receipt,
  type Request,
  request,
} from "../support/wallet.ts";

type Event = Record<string, unknown>;

/** Joins a private channel; the events of a name it hears, or the refusal. */
async function listen(client: Person["client"], topic: string, name = "wallet:transfer") {
  const { data } = await client.auth.getSession();
  await client.realtime.setAuth(data.session?.access_token ?? null);
  const events: Event[] = [];
  const channel = client.channel(topic, { config: { private: true } })
    .on("broadcast", { event: name }, ({ event, payload }) => events.push({ event, ...payload }));
  const status = await new Promise<string>((resolve) => channel.subscribe(resolve));
  return { events, status, close: () => client.removeAllChannels() };
}

Deno.test("both parties hear of a transfer on their own channel, after it is committed", async () => {
  const tenant = await createTenant();
  const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]);
  await issue(tenant, ana, 600);
  await noticesOf(tenant, "wallet.received"); // what was before is told
  const [heardByAna, heardByBen] = await Promise.all(
    [ana, ben].map(({ client, id }) => listen(client, `private-user-${id}`)),
  ) as [Awaited<ReturnType<typeof listen>>, Awaited<ReturnType<typeof listen>>];
  try {
    assertEquals([heardByAna.status, heardByBen.status], ["SUBSCRIBED", "SUBSCRIBED"]);
    const pay = (amount: number) =>
      ana.client.rpc("wallet_transfer", {
        tenant_id: tenant.id,
        to_person: ben.id,
        amount,
        currency: "hours",
        idempotency_key: crypto.randomUUID(),
      });
    assertEquals((await pay(601)).error?.message, "wallet.insufficient_funds");
    const receipt = await must<{ id: string; created_at: string }>(pay(90));
    await until(() => heardByAna.events.length > 0 && heardByBen.events.length > 0);
    const common = { tenant_id: tenant.id, transfer_id: receipt.id, currency: "hours" };
    const told = (event: Event) => {
      const { event: _, id: __, account_id: ___, created_at, ...rest } = event;
      return { ...rest, at: Date.parse(String(created_at)) };
    };
    const at = Date.parse(receipt.created_at);
    assertEquals(heardByAna.events.map(told), [
      { ...common, amount: -90, counterpart: ben.id, balance_after: 510, at },
    ]);
    assertEquals(heardByBen.events.map(told), [
      { ...common, amount: 90, counterpart: ana.id, balance_after: 90, at },
    ]);
  } finally {
    await Promise.all([heardByAna.close(), heardByBen.close()]);
  }
});

Deno.test("both parties hear of holds and requests, what becomes of them, and nobody else does", async () => {
  const tenant = await createTenant();
  const [ana, ben, eva] = await Promise.all([1, 2, 3].map(() => createMember(tenant))) as [
    Person,
    Person,
    Person,
  ];
  await issue(tenant, ana, 600);
  const channels = await Promise.all(
    [ana, ben, eva].map(({ client, id }) => listen(client, `private-user-${id}`, "*")),
  );
  const heard = (name: string) =>
    channels.map(({ events }) => events.filter(({ event }) => event === name));
  try {
    const made = await must<Hold>(hold(tenant, ana, ben, 60));
    const { id: transfer } = await must<Receipt>(capture(tenant, ben, made.id, { amount: 20 }));
    const asked = await must<Request>(request(tenant, ben, ana, 30));
    await must(
      ana.client.rpc("wallet_request_decline", { tenant_id: tenant.id, request_id: asked.id }),
    );
    const names = ["wallet:hold", "wallet:request"];
    await until(() =>
      names.every((name) => heard(name).slice(0, 2).every((events) => events.length === 2))
    );
    const [anaHolds, benHolds, evaHolds] = heard("wallet:hold");
    for (const events of [anaHolds!, benHolds!]) {
      assertEquals(
        events.map((e) => [e.tenant_id, e.hold_id, e.status, e.amount, e.captured, e.transfer_id]),
        [
          [tenant.id, made.id, "held", 60, null, null],
          [tenant.id, made.id, "captured", 60, 20, transfer],
        ],
      );
    }
    const [anaRequests, benRequests, evaRequests] = heard("wallet:request");
    for (const events of [anaRequests!, benRequests!]) {
      assertEquals(
        events.map((e) => [e.request_id, e.status, e.amount, e.payer, e.payee]),
        ["pending", "declined"].map((status) => [asked.id, status, 30, ana.id, ben.id]),
      );
    }
    assertEquals([evaHolds, evaRequests], [[], []]);
  } finally {
    await Promise.all(channels.map(({ close }) => close()));
  }
});

Deno.test("nobody joins another's channel, nor a tenant's they are not in", async () => {
  const tenant = await createTenant();
  const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]);
  const stranger = await createPerson();
  const join = async (client: Person["client"], topic: string) => {
    const { status, close } = await listen(client, topic);
    await close();
    return status;
  };
  assertEquals(await join(ben.client, `private-user-${ana.id}`), "CHANNEL_ERROR");
  assertEquals(await join(ben.client, `private-tenant-${tenant.id}`), "SUBSCRIBED");
  assertEquals(await join(stranger.client, `private-tenant-${tenant.id}`), "CHANNEL_ERROR");
  assertEquals(await join(anonymous(), `private-tenant-${tenant.id}`), "CHANNEL_ERROR");
});
