import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { must } from "../support/answers.ts";
import { anonymous, createPerson, type Person } from "../support/clients.ts";
import { createMember, createTenant, issue } from "../support/tenants.ts";
import { until } from "../support/wait.ts";

type Event = Record<string, unknown>;

/** Joins a private channel; the events it hears, or the refusal. */
async function listen(client: Person["client"], topic: string) {
  const { data } = await client.auth.getSession();
  await client.realtime.setAuth(data.session?.access_token ?? null);
  const events: Event[] = [];
  const channel = client.channel(topic, { config: { private: true } })
    .on("broadcast", { event: "wallet:transfer" }, ({ payload }) => events.push(payload));
  const status = await new Promise<string>((resolve) => channel.subscribe(resolve));
  return { events, status, close: () => client.removeAllChannels() };
}

Deno.test("both parties hear of a transfer on their own channel, after it is committed", async () => {
  const tenant = await createTenant();
  const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]);
  await issue(tenant, ana, 600);
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
      const { id: _, account_id: __, created_at, ...rest } = event;
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
