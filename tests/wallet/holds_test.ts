import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, issue } from "../support/tenants.ts";
import {
  accountOf,
  assertIntact,
  call,
  capture,
  type Hold,
  hold,
  pay,
  type Receipt,
} from "../support/wallet.ts";

async function world() {
  const tenant = await createTenant();
  const [owner, ana, ben] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant),
    createMember(tenant),
  ]);
  await issue(tenant, ana, 600);
  return { tenant, owner, ana, ben };
}

const figures = async (person: Parameters<typeof accountOf>[0]) => {
  const { balance, held, available } = await accountOf(person);
  return [balance, held, available];
};

/** Lets a hold run out, which no client can. */
const runOut = (id: string) =>
  withDatabase((sql) =>
    sql`update wallet_holds set expires_at = now() - interval '1 second' where id = ${id}`
  );

Deno.test("a held amount stays the payer's and cannot be spent", async () => {
  const { tenant, owner, ana, ben } = await world();
  const { id, status } = await must<Hold>(hold(tenant, ana, ben, 400, { reference: "order 7" }));
  assertEquals([status, await figures(ana)], ["held", [600, 400, 200]]);
  await assertRefused(pay(tenant, ana, ben, 201), 409, "wallet.insufficient_funds");
  await assertRefused(hold(tenant, ana, ben, 201), 409, "wallet.insufficient_funds");
  await must(pay(tenant, ana, ben, 200));
  await must<Receipt>(capture(tenant, ben, id));
  assertEquals([await figures(ana), await figures(ben)], [[0, 0, 0], [600, 0, 600]]);
  await assertIntact(tenant, owner);
});

Deno.test("a part is captured, the rest is released", async () => {
  const { tenant, owner, ana, ben } = await world();
  const { id } = await must<Hold>(hold(tenant, ana, ben, 400));
  await assertRefused(capture(tenant, ben, id, { amount: 401 }), 422, "wallet.invalid_amount");
  const receipt = await must<Receipt>(capture(tenant, ben, id, { amount: 150 }));
  assertEquals([receipt.amount, receipt.balance_after, await figures(ana)], [150, 450, [
    450,
    0,
    450,
  ]]);
  const [stored] = await must<Hold[]>(ana.client.from("wallet_holds").select("*").eq("id", id));
  assertEquals([stored!.status, stored!.captured, stored!.transfer_id], [
    "captured",
    150,
    receipt.id,
  ]);
  await assertIntact(tenant, owner);
});

Deno.test("a hold resolves once, whoever tries what at the same time", async () => {
  const { tenant, owner, ana, ben } = await world();
  const { id } = await must<Hold>(hold(tenant, ana, ben, 60));
  const tries = await Promise.all(
    Array.from(
      { length: 20 },
      (_, turn) =>
        turn % 2 === 0
          ? capture(tenant, ben, id)
          : call(tenant, ben, "wallet_void", { hold_id: id }),
    ),
  );
  const captured = tries.filter(({ error }, turn) => !error && turn % 2 === 0).length;
  const voided = tries.filter(({ error }, turn) => !error && turn % 2 === 1).length;
  // Voiding what is void already is no fault and changes nothing; capturing again is one.
  assertEquals(captured + Math.min(voided, 1), 1);
  assertEquals(
    [...new Set(tries.flatMap(({ error }) => error ? [error.message] : []))],
    ["wallet.hold_resolved"],
  );
  assertEquals((await figures(ben))[0], captured * 60);
  await assertIntact(tenant, owner);
});

Deno.test("the same key captures once and answers again", async () => {
  const { tenant, ana, ben } = await world();
  const held = await must<Hold>(hold(tenant, ana, ben, 60, { idempotency_key: "h" }));
  assertEquals(
    (await must<Hold>(hold(tenant, ana, ben, 60, { idempotency_key: "h" }))).id,
    held.id,
  );
  assertEquals((await figures(ana))[1], 60);
  const first = await must<Receipt>(capture(tenant, ben, held.id, { idempotency_key: "c" }));
  const again = await must<Receipt>(capture(tenant, ben, held.id, { idempotency_key: "c" }));
  assertEquals(again, { ...first, replayed: true });
  await assertRefused(capture(tenant, ben, held.id), 409, "wallet.hold_resolved");
});

Deno.test("what ran out is released by the schedule, and taken by nobody before", async () => {
  const { tenant, owner, ana, ben } = await world();
  const { id } = await must<Hold>(hold(tenant, ana, ben, 60));
  await runOut(id);
  await assertRefused(capture(tenant, ben, id), 409, "wallet.hold_expired");
  await assertRefused(
    call(tenant, ben, "wallet_void", { hold_id: id }),
    409,
    "wallet.hold_expired",
  );
  await withDatabase((sql) => sql`select private.wallet_expire_holds()`);
  const [stored] = await must<Hold[]>(ben.client.from("wallet_holds").select("*").eq("id", id));
  assertEquals([stored!.status, await figures(ana)], ["expired", [600, 0, 600]]);
  await assertRefused(capture(tenant, ben, id), 409, "wallet.hold_expired");
  await assertIntact(tenant, owner);
});

Deno.test("the payee and the tenant's admins resolve a hold, its payer and strangers do not", async () => {
  const { tenant, owner, ana, ben } = await world();
  const stranger = await createMember(tenant);
  const { id } = await must<Hold>(hold(tenant, ana, ben, 60));
  for (const act of ["wallet_void", "wallet_capture"]) {
    const args = act === "wallet_void" ? {} : { idempotency_key: crypto.randomUUID() };
    const as = (person: typeof ana) => call(tenant, person, act, { hold_id: id, ...args });
    await assertRefused(as(ana), 403, "members.permission_denied");
    await assertRefused(as(stranger), 404, "wallet.not_found");
  }
  assertEquals(await must(stranger.client.from("wallet_holds").select("*")), []);
  const voided = await must<Hold>(call(tenant, owner, "wallet_void", { hold_id: id }));
  assertEquals([voided.status, await figures(ana)], ["voided", [600, 0, 600]]);
});

Deno.test("bad holds are refused", async () => {
  const { tenant, ana, ben } = await world();
  const past = new Date(Date.now() - 1000).toISOString();
  const far = new Date(Date.now() + 91 * 86_400_000).toISOString();
  await assertRefused(hold(tenant, ana, ben, 0), 422, "wallet.invalid_amount");
  await assertRefused(hold(tenant, ana, ben, 1, { expires_at: past }), 422, "request.invalid");
  await assertRefused(hold(tenant, ana, ben, 1, { expires_at: far }), 422, "request.invalid");
  await assertRefused(
    hold(tenant, ana, ben, 1, { reference: "x".repeat(201) }),
    422,
    "request.invalid",
  );
  await assertRefused(hold(tenant, ana, ana, 1), 422, "wallet.self_transfer");
  await assertRefused(
    hold(tenant, ana, ben, 1, { currency: "gold" }),
    422,
    "wallet.currency_unknown",
  );
  await assertRefused(
    hold(tenant, ana, ben, 1, { idempotency_key: "" }),
    422,
    "wallet.key_required",
  );
});

Deno.test("a hold that is voided, or captured in part, gives back its share of its day's limit", async () => {
  const { tenant, owner, ana, ben } = await world();
  await must(
    call(tenant, owner, "wallet_limit_currency", {
      currency: "hours",
      limits: { daily_limit: 100 },
    }),
  );
  const [first, second] = [
    await must<Hold>(hold(tenant, ana, ben, 60)),
    await must<Hold>(hold(tenant, ana, ben, 40)),
  ];
  await assertRefused(pay(tenant, ana, ben, 1), 409, "wallet.limit_exceeded");
  await must(call(tenant, ben, "wallet_void", { hold_id: first.id }));
  await must(capture(tenant, ben, second.id, { amount: 30 }));
  await assertRefused(pay(tenant, ana, ben, 71), 409, "wallet.limit_exceeded");
  await must(pay(tenant, ana, ben, 70));
  await assertRefused(pay(tenant, ana, ben, 1), 409, "wallet.limit_exceeded");
});

Deno.test("a hold of another day gives nothing back to this one", async () => {
  const { tenant, owner, ana, ben } = await world();
  await must(
    call(tenant, owner, "wallet_limit_currency", {
      currency: "hours",
      limits: { daily_limit: 100 },
    }),
  );
  const { id } = await must<Hold>(hold(tenant, ana, ben, 60));
  await withDatabase(async (sql) => {
    await sql`update wallet_holds set created_at = created_at - interval '1 day' where id = ${id}`;
    await sql`
      update wallet_ledger_accounts set spent_on = spent_on - 1
      where tenant_id = ${tenant.id} and person_id = ${ana.id}`;
  });
  await must(pay(tenant, ana, ben, 100));
  await must(call(tenant, ben, "wallet_void", { hold_id: id }));
  await assertRefused(pay(tenant, ana, ben, 1), 409, "wallet.limit_exceeded");
});
