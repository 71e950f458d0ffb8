import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { must } from "../support/answers.ts";
import { createMember, createTenant, issue } from "../support/tenants.ts";

Deno.test("fifty parallel spends of the last minutes: one wins", async () => {
  const tenant = await createTenant();
  const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]);
  await issue(tenant, ana, 60);
  const answers = await Promise.all(
    Array.from({ length: 50 }, () =>
      ana.client.rpc("wallet_transfer", {
        tenant_id: tenant.id,
        to_person: ben.id,
        amount: 60,
        currency: "hours",
        idempotency_key: crypto.randomUUID(),
      })),
  );
  assertEquals(answers.filter(({ error }) => !error).length, 1);
  assertEquals(
    new Set(answers.flatMap(({ error }) => error ? [error.message] : [])),
    new Set(["wallet.insufficient_funds"]),
  );
});

Deno.test("a hundred times two calls with one key: each acts once and answers alike", async () => {
  const tenant = await createTenant();
  const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]);
  await issue(tenant, ana, 100);
  const pairs = Array.from({ length: 100 }, async () => {
    const request = {
      tenant_id: tenant.id,
      to_person: ben.id,
      amount: 1,
      currency: "hours",
      idempotency_key: crypto.randomUUID(),
    };
    const call = () =>
      must<{ id: string; replayed: boolean }>(ana.client.rpc("wallet_transfer", request));
    const [first, second] = await Promise.all([call(), call()]);
    assertEquals([first.id, [first.replayed, second.replayed].sort()], [second.id, [false, true]]);
  });
  await Promise.all(pairs);
  const [account] = await must<{ balance: number }[]>(
    ben.client.from("wallet_accounts").select("balance"),
  );
  assertEquals(account!.balance, 100);
});

Deno.test("payments in a ring, both ways at once, do not deadlock", async () => {
  const tenant = await createTenant();
  const ring = await Promise.all(Array.from({ length: 4 }, () => createMember(tenant)));
  await Promise.all(ring.map((person) => issue(tenant, person, 100)));
  const calls = Array.from({ length: 200 }, (_, turn) => {
    const from = ring[turn % 4]!;
    const to = ring[(turn + (turn % 8 < 4 ? 1 : 3)) % 4]!;
    return from.client.rpc("wallet_transfer", {
      tenant_id: tenant.id,
      to_person: to.id,
      amount: 1,
      currency: "hours",
      idempotency_key: crypto.randomUUID(),
    });
  });
  const refused = (await Promise.all(calls)).flatMap(({ error }) => error ? [error.message] : []);
  assertEquals(refused, []);
});
