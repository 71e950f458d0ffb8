import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { proveRecently } from "../support/clients.ts";
import { createMember, createTenant, issue } from "../support/tenants.ts";
import {
  accountOf,
  assertIntact,
  call,
  pay,
  type Receipt,
  reverse,
  settle,
} from "../support/wallet.ts";

async function world() {
  const tenant = await createTenant();
  const [owner, ana, ben, cleo] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant),
    createMember(tenant),
    createMember(tenant),
  ]);
  await issue(tenant, ana, 600);
  return { tenant, owner, ana, ben, cleo };
}

Deno.test("a reversal is a linked transfer back, and both ways say what stands", async () => {
  const { tenant, owner, ana, ben } = await world();
  const { id } = await must<Receipt>(pay(tenant, ana, ben, 90));
  const reversal = await must<Receipt>(reverse(tenant, owner, id));
  assertEquals([reversal.amount, reversal.replayed], [90, false]);
  assertEquals([(await accountOf(ana)).balance, (await accountOf(ben)).balance], [600, 0]);
  const lines = await must<{ transfer_id: string; reverses: string; reversed_by: string }[]>(
    call(tenant, ben, "wallet_statement", { currency: "hours" }),
  );
  assertEquals(
    lines.map(({ transfer_id, reverses, reversed_by }) => [transfer_id, reverses, reversed_by]),
    [[reversal.id, id, null], [id, null, reversal.id]],
  );
  const links = await must(ana.client.from("wallet_reversals").select("transfer_id, reversal_id"));
  assertEquals(links, [{ transfer_id: id, reversal_id: reversal.id }]);
  await assertIntact(tenant, owner);
});

Deno.test("a transfer is reversed once, however many try", async () => {
  const { tenant, owner, ana, ben } = await world();
  const { id } = await must<Receipt>(pay(tenant, ana, ben, 90));
  const tries = await Promise.all(Array.from({ length: 10 }, () => reverse(tenant, owner, id)));
  assertEquals(tries.filter(({ error }) => !error).length, 1);
  const refusals = new Set(tries.flatMap(({ error }) => error ? [error.message] : []));
  assertEquals([...refusals], ["wallet.already_reversed"]);
  const { id: reversal } = tries.find(({ error }) => !error)!.data;
  await assertRefused(reverse(tenant, owner, reversal), 409, "wallet.already_reversed");
  assertEquals((await accountOf(ana)).balance, 600);
  await assertIntact(tenant, owner);
});

Deno.test("A13: who reverses more than the currency says proves first who they are", async () => {
  const { tenant, owner, ana, ben } = await world();
  const limits = { step_up_above: 89 };
  await must(call(tenant, owner, "wallet_limit_currency", { currency: "hours", limits }));
  const [small, big] = [
    await must<Receipt>(pay(tenant, ana, ben, 89)),
    await must<Receipt>(pay(tenant, ana, ben, 90)),
  ];
  await must(reverse(tenant, owner, small.id));
  await assertRefused(reverse(tenant, owner, big.id), 403, "accounts.reauthentication_required");
  assertEquals((await accountOf(ben)).balance, 90);
  await proveRecently(owner);
  await must(reverse(tenant, owner, big.id));
  await assertIntact(tenant, owner);
});

Deno.test("what was spent meanwhile becomes explicit debt, which only what comes in lessens", async () => {
  const { tenant, owner, ana, ben, cleo } = await world();
  const { id } = await must<Receipt>(pay(tenant, ana, ben, 90));
  await must(pay(tenant, ben, cleo, 80));
  await must(reverse(tenant, owner, id));
  const debt = async () => {
    const { balance, debt, available } = await accountOf(ben);
    return [balance, debt, available];
  };
  assertEquals(await debt(), [-80, 80, -80]);
  await assertRefused(pay(tenant, ben, ana, 1), 409, "wallet.insufficient_funds");
  await must(pay(tenant, cleo, ben, 30));
  assertEquals(await debt(), [-50, 50, -50]);
  await must(pay(tenant, cleo, ben, 50));
  assertEquals(await debt(), [0, 0, 0]);
  await assertIntact(tenant, owner);
});

Deno.test("a settlement is reversed leg by leg", async () => {
  const { tenant, owner, ana, ben, cleo } = await world();
  const legs = [
    { person: ana.id, currency: "hours", amount: -90 },
    { person: ben.id, currency: "hours", amount: 60 },
    { person: cleo.id, currency: "hours", amount: 30 },
  ];
  const { id } = await must<{ id: string }>(settle(tenant, ana, legs));
  await must(reverse(tenant, owner, id));
  const balances = await Promise.all(
    [ana, ben, cleo].map(async (person) => (await accountOf(person)).balance),
  );
  assertEquals(balances, [600, 0, 0]);
  await assertIntact(tenant, owner);
});

Deno.test("reversing needs a reason, a key, the permission and a transfer of the tenant", async () => {
  const { tenant, owner, ana, ben } = await world();
  const { id } = await must<Receipt>(pay(tenant, ana, ben, 90));
  const other = await createTenant();
  const outsider = await createMember(other, "owner");
  await assertRefused(reverse(tenant, owner, id, { reason: " " }), 422, "request.invalid");
  await assertRefused(reverse(tenant, owner, id, { reason: null }), 422, "request.invalid");
  await assertRefused(
    reverse(tenant, owner, id, { idempotency_key: null }),
    422,
    "wallet.key_required",
  );
  await assertRefused(reverse(tenant, ana, id), 403, "members.permission_denied");
  await assertRefused(reverse(tenant, owner, crypto.randomUUID()), 404, "wallet.not_found");
  await assertRefused(reverse(other, outsider, id), 404, "wallet.not_found");
  const key = { idempotency_key: "once" };
  const first = await must<Receipt>(reverse(tenant, owner, id, key));
  assertEquals(await must(reverse(tenant, owner, id, key)), { ...first, replayed: true });
  await assertRefused(
    reverse(tenant, owner, id, { ...key, reason: "Another" }),
    422,
    "wallet.idempotency_mismatch",
  );
});

Deno.test("what a balance cannot count is refused, though nothing else would stop a reversal or a closing", async () => {
  const { tenant, owner, ana, ben } = await world();
  await issue(tenant, ana, Number.MAX_SAFE_INTEGER - 600);
  const { id } = await must<Receipt>(pay(tenant, ana, ben, 1));
  await issue(tenant, ana, 1);
  await assertRefused(reverse(tenant, owner, id), 409, "wallet.limit_exceeded");
  const closing = {
    account_id: (await accountOf(ben)).id,
    heir: (await accountOf(ana)).id,
    idempotency_key: "close",
  };
  await assertRefused(
    call(tenant, owner, "wallet_close", closing),
    409,
    "wallet.limit_exceeded",
  );
  await assertIntact(tenant, owner);
});
