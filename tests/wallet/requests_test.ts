import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, issue, setStatus, type Tenant } from "../support/tenants.ts";
import { accountOf, call, type Request, request } from "../support/wallet.ts";

async function world() {
  const tenant = await createTenant();
  const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]);
  await issue(tenant, ana, 600);
  return { tenant, ana, ben };
}

const answer = (tenant: Tenant, by: Person, act: string, request_id: string) =>
  call(tenant, by, `wallet_request_${act}`, { request_id });

const balance = async (person: Person) => (await accountOf(person)).balance;

Deno.test("a request is paid once, by its payer", async () => {
  const { tenant, ana, ben } = await world();
  const asked = await must<Request>(request(tenant, ben, ana, 90, { memo: "Bicycle" }));
  assertEquals(asked.status, "pending");
  await assertRefused(answer(tenant, ben, "accept", asked.id), 404, "wallet.not_found");
  const tries = await Promise.all(
    Array.from({ length: 8 }, () => answer(tenant, ana, "accept", asked.id)),
  );
  assertEquals(new Set(tries.map(({ data }) => data?.transfer_id)).size, 1);
  assertEquals([await balance(ana), await balance(ben)], [510, 90]);
  await assertRefused(answer(tenant, ana, "decline", asked.id), 409, "wallet.request_resolved");
  await assertRefused(answer(tenant, ben, "cancel", asked.id), 409, "wallet.request_resolved");
});

Deno.test("a request that cannot be paid stays open", async () => {
  const { tenant, ana, ben } = await world();
  const { id } = await must<Request>(request(tenant, ben, ana, 601));
  await assertRefused(answer(tenant, ana, "accept", id), 409, "wallet.insufficient_funds");
  await issue(tenant, ana, 1);
  assertEquals((await must<Request>(answer(tenant, ana, "accept", id))).status, "accepted");
});

Deno.test("the payer declines, the payee cancels, the same again changes nothing", async () => {
  const { tenant, ana, ben } = await world();
  for (
    const [by, act, status] of [[ana, "decline", "declined"], [ben, "cancel", "cancelled"]] as const
  ) {
    const { id } = await must<Request>(request(tenant, ben, ana, 90));
    const other = by === ana ? ben : ana;
    await assertRefused(answer(tenant, other, act, id), 404, "wallet.not_found");
    assertEquals((await must<Request>(answer(tenant, by, act, id))).status, status);
    assertEquals((await must<Request>(answer(tenant, by, act, id))).status, status);
    await assertRefused(answer(tenant, ana, "accept", id), 409, "wallet.request_resolved");
  }
  assertEquals(await balance(ana), 600);
});

Deno.test("a request runs out, and its reminder waits in the outbox until half of the time is over", async () => {
  const { tenant, ana, ben } = await world();
  const { id } = await must<Request>(request(tenant, ben, ana, 90));
  await withDatabase(async (sql) => {
    const [reminder] = await sql`
      select run_at > now() + interval '6 days' and run_at < now() + interval '8 days' as halfway
      from private.jobs where kind = 'wallet.request_reminder' and aggregate = ${`wallet_requests:${id}`}`;
    assertEquals(reminder?.halfway, true);
    await sql`update wallet_requests set expires_at = now() - interval '1 second' where id = ${id}`;
    await assertRefused(answer(tenant, ana, "accept", id), 409, "wallet.request_resolved");
    await sql`select private.wallet_expire_requests()`;
  });
  const [stored] = await must<Request[]>(
    ben.client.from("wallet_requests").select("*").eq("id", id),
  );
  assertEquals(stored!.status, "expired");
});

Deno.test("who is trusted is paid at once, up to the limit and while there are funds", async () => {
  const { tenant, ana, ben } = await world();
  const trust = (up_to: number | null, args: Record<string, unknown> = {}) =>
    call(tenant, ana, "wallet_trust", { payee: ben.id, currency: "hours", up_to, ...args });
  await must(trust(100));
  const ask = async (amount: number) =>
    (await must<Request>(request(tenant, ben, ana, amount))).status;
  assertEquals([await ask(100), await ask(101), await balance(ben)], ["accepted", "pending", 100]);
  await must(trust(10_000));
  assertEquals([await ask(501), await ask(500)], ["pending", "accepted"]);
  await must(trust(0));
  await issue(tenant, ana, 10);
  assertEquals(await ask(1), "pending");
  await assertRefused(trust(-1), 422, "wallet.invalid_amount");
  await assertRefused(trust(1, { payee: ana.id }), 404, "wallet.recipient_not_found");
  await assertRefused(trust(1, { currency: "gold" }), 422, "wallet.currency_unknown");
});

Deno.test("trust pays ten requests a day unseen, even of those made at once", async () => {
  const { tenant, ana, ben } = await world();
  const trust = { payee: ben.id, currency: "hours", up_to: 10 };
  await must(call(tenant, ana, "wallet_trust", trust));
  const ask = async () => (await must<Request>(request(tenant, ben, ana, 1))).status;
  const paid = async (times: number) =>
    (await Promise.all(Array.from({ length: times }, ask)))
      .filter((status) => status === "accepted").length;
  assertEquals([await paid(12), await paid(1)], [10, 0]);
  await withDatabase((sql) =>
    sql`update wallet_trusted set paid_on = paid_on - 1 where tenant_id = ${tenant.id}`
  );
  assertEquals(await paid(1), 1);
});

Deno.test("a request that could not be paid unseen does not count", async () => {
  const { tenant, ana, ben } = await world();
  await must(call(tenant, ana, "wallet_trust", { payee: ben.id, currency: "hours", up_to: 1_000 }));
  const ask = async (amount: number) =>
    (await must<Request>(request(tenant, ben, ana, amount))).status;
  const tooMuch = await Promise.all(Array.from({ length: 10 }, () => ask(601)));
  assertEquals([new Set(tooMuch), await ask(1)], [new Set(["pending"]), "accepted"]);
});

Deno.test("trust pays nothing for who may no longer pay", async () => {
  const { tenant, ana, ben } = await world();
  const owner = await createMember(tenant, "owner");
  await must(call(tenant, ana, "wallet_trust", { payee: ben.id, currency: "hours", up_to: 100 }));
  await must(
    owner.client.rpc("members_set_role", { tenant_id: tenant.id, person: ana.id, role: "guest" }),
  );
  assertEquals((await must<Request>(request(tenant, ben, ana, 10))).status, "pending");
  assertEquals(await balance(ben), 0);
});

Deno.test("trust can be ended when the payee is suspended, or nobody at all", async () => {
  const { tenant, ana, ben } = await world();
  const owner = await createMember(tenant, "owner");
  const trust = (payee: string | null, up_to: number | null) =>
    call(tenant, ana, "wallet_trust", { payee, currency: "hours", up_to });
  await must(trust(ben.id, 100));
  await setStatus(owner.client, tenant, ben, "suspended");
  await assertRefused(trust(ben.id, 200), 404, "wallet.recipient_not_found");
  await must(trust(ben.id, null));
  await must(trust(crypto.randomUUID(), 0));
  await assertRefused(trust(null, 0), 404, "wallet.recipient_not_found");
  await setStatus(owner.client, tenant, ben, "active");
  assertEquals((await must<Request>(request(tenant, ben, ana, 10))).status, "pending");
});

Deno.test("a request with the same key is asked once; bad ones are refused", async () => {
  const { tenant, ana, ben } = await world();
  const key = { idempotency_key: "once" };
  const { id } = await must<Request>(request(tenant, ben, ana, 90, key));
  assertEquals((await must<Request>(request(tenant, ben, ana, 90, key))).id, id);
  await assertRefused(request(tenant, ben, ana, 91, key), 422, "wallet.idempotency_mismatch");
  await assertRefused(request(tenant, ben, ben, 1), 422, "wallet.self_transfer");
  await assertRefused(request(tenant, ben, ana, 0), 422, "wallet.invalid_amount");
  await assertRefused(
    request(tenant, ben, ana, 1, { currency: "gold" }),
    422,
    "wallet.currency_unknown",
  );
  const outsider = await createMember(await createTenant());
  await assertRefused(request(tenant, ben, outsider, 1), 404, "wallet.recipient_not_found");
  const expires_at = new Date(0).toISOString();
  await assertRefused(request(tenant, ben, ana, 1, { expires_at }), 422, "request.invalid");
});
