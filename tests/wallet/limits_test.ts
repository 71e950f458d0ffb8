import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { tokenOf } from "../support/api.ts";
import { admin, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { getStack } from "../support/stack.ts";
import { createMember, createTenant, issue, setStatus, type Tenant } from "../support/tenants.ts";
import {
  accountOf,
  assertIntact,
  call,
  type Hold,
  hold,
  noticesOf,
  organisation,
  pay,
  type Receipt,
  reverse,
} from "../support/wallet.ts";

async function world(options: Record<string, unknown> = {}) {
  const tenant = await createTenant(options);
  const [owner, ana, ben] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant),
    createMember(tenant),
  ]);
  return { tenant, owner, ana, ben };
}

const limitCurrency = (tenant: Tenant, by: Person, limits: unknown) =>
  call(tenant, by, "wallet_limit_currency", { currency: "hours", limits });

const limitAccount = async (tenant: Tenant, by: Person, of: Person, limits: unknown) =>
  await call(tenant, by, "wallet_limit_account", { account_id: (await accountOf(of)).id, limits });

async function exceeded(answer: ReturnType<typeof pay>, limit: string) {
  const { status, error } = await answer;
  assertEquals([status, error?.message, error?.details], [409, "wallet.limit_exceeded", limit]);
}

Deno.test("a newcomer to a time bank can trade at once, and nobody sends a thousand hours by mistake", async () => {
  const { tenant, ana, ben } = await world({ currencies: [{ code: "hours", kind: "time" }] });
  assertEquals((await accountOf(ana)).available, 300);
  await must(pay(tenant, ana, ben, 300));
  await assertRefused(pay(tenant, ana, ben, 1), 409, "wallet.insufficient_funds");
  await issue(tenant, ben, 100_000);
  await exceeded(pay(tenant, ben, ana, 60_001), "transfer_limit");
  await must(pay(tenant, ben, ana, 60_000));
});

Deno.test("a currency's limits hold for its accounts, unless an account has its own", async () => {
  const { tenant, owner, ana, ben } = await world();
  await issue(tenant, ana, 1_000);
  await must(
    limitCurrency(tenant, owner, { transfer_limit: 100, daily_limit: 150, highest_balance: 1_000 }),
  );
  await exceeded(pay(tenant, ana, ben, 101), "transfer_limit");
  await must(pay(tenant, ana, ben, 100));
  await exceeded(pay(tenant, ana, ben, 51), "daily_limit");
  await exceeded(hold(tenant, ana, ben, 51), "daily_limit");
  await must(pay(tenant, ana, ben, 50));
  await must(limitAccount(tenant, owner, ana, { transfer_limit: 500, daily_limit: null }));
  await must(pay(tenant, ana, ben, 500));
  await must(limitAccount(tenant, owner, ben, { highest_balance: 700 }));
  await exceeded(pay(tenant, ana, ben, 51), "highest_balance");
  await must(pay(tenant, ana, ben, 50));
  await must(limitAccount(tenant, owner, ana, {}));
  await exceeded(pay(tenant, ana, owner, 101), "transfer_limit");
  await assertIntact(tenant, owner);
});

Deno.test("the day of a daily limit is the tenant's", async () => {
  const { tenant, owner, ana, ben } = await world({ time_zone: "Pacific/Kiritimati" });
  await issue(tenant, ana, 1_000);
  await must(limitCurrency(tenant, owner, { daily_limit: 100 }));
  await must(pay(tenant, ana, ben, 100));
  await exceeded(pay(tenant, ana, ben, 1), "daily_limit");
  await withDatabase(async (sql) => {
    const [account] = await sql`
      update wallet_ledger_accounts set spent_on = spent_on - 1
      where tenant_id = ${tenant.id} and person_id = ${ana.id}
      returning spent_on + 1 = (now() at time zone 'Pacific/Kiritimati')::date as today`;
    assertEquals(account!.today, true);
  });
  await must(pay(tenant, ana, ben, 100));
});

Deno.test("a raised lowest balance leaves explicit debt, a lowered one gives credit", async () => {
  const { tenant, owner, ana, ben } = await world();
  await must(limitCurrency(tenant, owner, { lowest_balance: -200 }));
  await must(pay(tenant, ana, ben, 150));
  await must(limitAccount(tenant, owner, ana, { lowest_balance: -100 }));
  const { available, debt } = await accountOf(ana);
  assertEquals([available, debt], [-50, 50]);
  await assertRefused(pay(tenant, ana, ben, 1), 409, "wallet.insufficient_funds");
  await assertIntact(tenant, owner);
});

Deno.test("limits that are none are refused, and so are those who may not set them", async (t) => {
  const { tenant, owner, ana } = await world();
  const wrong = [
    { x: 1 },
    { daily_limit: 0 },
    { lowest_balance: 1 },
    { lowest_balance: null },
    {
      transfer_limit: 1.5,
    },
    { transfer_limit: "1" },
    { highest_balance: 2 ** 54 },
    { starting_grant: 101, highest_balance: 100 },
    { critical_balance: 2, high_balance: 2 },
    [],
    {
      low_balance: 1,
      critical_balance: 2,
    },
  ];
  for (const limits of wrong) {
    await t.step(
      JSON.stringify(limits),
      () => assertRefused(limitCurrency(tenant, owner, limits), 422, "request.invalid"),
    );
  }
  await t.step("10.0", async () => {
    const response = await fetch(`${getStack().url}/rest/v1/rpc/wallet_limit_currency`, {
      method: "POST",
      headers: {
        apikey: getStack().publishableKey,
        authorization: `Bearer ${await tokenOf(owner)}`,
        "content-type": "application/json",
      },
      // JSON.stringify would write 10.
      body: `{"tenant_id":"${tenant.id}","currency":"hours","limits":{"transfer_limit":10.0}}`,
    });
    assertEquals([response.status, (await response.json()).message], [422, "request.invalid"]);
  });
  await assertRefused(limitCurrency(tenant, ana, {}), 403, "members.permission_denied");
  await assertRefused(limitAccount(tenant, ana, ana, {}), 403, "members.permission_denied");
  await assertRefused(
    call(tenant, owner, "wallet_limit_currency", { currency: "gold", limits: {} }),
    422,
    "wallet.currency_unknown",
  );
  await assertRefused(
    call(tenant, owner, "wallet_limit_account", { account_id: crypto.randomUUID(), limits: {} }),
    404,
    "wallet.not_found",
  );
});

Deno.test("a frozen account neither pays nor is paid, but is given back what is its own", async () => {
  const { tenant, owner, ana, ben } = await world();
  await issue(tenant, ana, 600);
  const { id } = await must<Receipt>(pay(tenant, ana, ben, 90));
  const held = await must<Hold>(hold(tenant, ana, ben, 50));
  const account_id = (await accountOf(ana)).id;
  const freeze = (frozen: boolean, by = owner) =>
    call(tenant, by, "wallet_freeze", { account_id, frozen });
  await assertRefused(freeze(true, ana), 403, "members.permission_denied");
  await must(freeze(true));
  await must(freeze(true));
  await assertRefused(pay(tenant, ana, ben, 1), 409, "wallet.account_frozen");
  await assertRefused(pay(tenant, ben, ana, 1), 409, "wallet.account_frozen");
  await must(call(tenant, ben, "wallet_void", { hold_id: held.id }));
  await must(reverse(tenant, owner, id));
  const { balance, available, status } = await accountOf(ana);
  assertEquals([balance, available, status], [600, 600, "frozen"]);
  await must(freeze(false));
  await must(pay(tenant, ana, ben, 1));
  await assertIntact(tenant, owner);
});

Deno.test("a closed account is inherited, and opened again when its member comes back", async () => {
  const { tenant, owner, ana, ben } = await world();
  await issue(tenant, ana, 600);
  const [mine, heir] = await Promise.all([accountOf(ana), accountOf(ben)]);
  const close = (args: Record<string, unknown>) =>
    call(tenant, owner, "wallet_close", {
      account_id: mine.id,
      idempotency_key: crypto.randomUUID(),
      ...args,
    });
  const held = await must<Hold>(hold(tenant, ana, ben, 50));
  await assertRefused(close({ heir: heir.id }), 409, "wallet.holds_open");
  await must(call(tenant, ben, "wallet_void", { hold_id: held.id }));
  await assertRefused(close({ heir: crypto.randomUUID() }), 404, "wallet.recipient_not_found");
  const key = { heir: heir.id, idempotency_key: "close" };
  await must(close(key));
  await must(close(key));
  await assertRefused(close({}), 409, "wallet.account_closed");
  assertEquals([(await accountOf(ana)).balance, (await accountOf(ben)).balance], [0, 600]);
  await assertRefused(pay(tenant, ben, ana, 1), 409, "wallet.account_closed");
  await assertRefused(
    call(tenant, owner, "wallet_freeze", { account_id: mine.id }),
    409,
    "wallet.account_closed",
  );
  await setStatus(owner.client, tenant, ana, "suspended");
  await setStatus(owner.client, tenant, ana, "active");
  await must(pay(tenant, ben, ana, 1));
  await assertIntact(tenant, owner);
});

Deno.test("a balance, or a debt, without an heir goes to the community fund, which takes donations", async () => {
  const { tenant, owner, ana, ben } = await world();
  await issue(tenant, ana, 600);
  const payees = await must<{ account_id: string; purpose: string }[]>(
    call(tenant, ana, "wallet_payees", { currency: "hours" }),
  );
  const fund = payees.find(({ purpose }) => purpose === "community_fund")!.account_id;
  await must(pay(tenant, ana, ben, 100, { to_person: null, to_account: fund }));
  const account_id = (await accountOf(ana)).id;
  await must(call(tenant, owner, "wallet_close", { account_id, idempotency_key: "close" }));
  await withDatabase(async (sql) => {
    const [row] = await sql`select private.wallet_balance(${tenant.id}, ${fund})::int as balance`;
    assertEquals(row!.balance, 600);
  });
  const give = (by: Person, amount: number) => pay(tenant, by, ben, amount, { from_account: fund });
  await assertRefused(give(ben, 1), 404, "wallet.not_found");
  await assertRefused(give(owner, 601), 409, "wallet.insufficient_funds");
  await must(give(owner, 600));
  assertEquals((await accountOf(ben)).balance, 600);
  await assertIntact(tenant, owner);
});

Deno.test("a starting grant is given once to each new account", async () => {
  const { tenant, owner, ana } = await world({
    currencies: [{ code: "hours", kind: "time", lowest_balance: 0, starting_grant: 120 }],
  });
  assertEquals((await accountOf(ana)).balance, 120);
  await setStatus(owner.client, tenant, ana, "suspended");
  await setStatus(owner.client, tenant, ana, "active");
  assertEquals((await accountOf(ana)).balance, 120);
  await assertIntact(tenant, owner);
});

Deno.test("several people act for an organisation, others do not", async () => {
  const { tenant, owner, ana, ben } = await world();
  const club = await organisation(tenant, owner, [ana]);
  await issue(tenant, ben, 6_000);
  await must(pay(tenant, ben, ana, 6_000, { to_person: null, to_account: club.account }));
  const spend = (by: Person, amount: number) =>
    pay(tenant, by, ben, amount, { from_account: club.account });
  assertEquals((await must<Receipt>(spend(ana, 1_000))).balance_after, 5_000);
  await assertRefused(spend(ben, 1), 404, "wallet.not_found");
  const [seen] = await must<{ balance: number }[]>(
    ana.client.from("wallet_accounts").select("balance").eq("organisation_id", club.id),
  );
  assertEquals(seen!.balance, 5_000);
  // 50 and 10 hours: organisations are told unless their currency says otherwise.
  const told = () =>
    Promise.all(["low", "critical"].map((alert) => noticesOf(tenant, `wallet.balance_${alert}`)));
  await must(spend(ana, 2_000));
  assertEquals(await told(), [1, 0]);
  await must(spend(ana, 2_500));
  assertEquals(await told(), [1, 1]);
  const save = (by: Person, args: Record<string, unknown>) =>
    call(tenant, by, "wallet_organisation_save", { name: "Club", agents: [], ...args });
  await must(save(owner, { organisation_id: club.id }));
  await assertRefused(spend(ana, 1), 404, "wallet.not_found");
  await assertRefused(save(ana, {}), 403, "members.permission_denied");
  await assertRefused(save(owner, {}), 409, "wallet.organisation_taken");
  await assertRefused(save(owner, { name: "" }), 422, "request.invalid");
  await assertRefused(
    save(owner, { name: "Other", organisation_id: crypto.randomUUID() }),
    404,
    "wallet.not_found",
  );
  await assertRefused(
    save(owner, { name: "Other", agents: [crypto.randomUUID()] }),
    404,
    "members.not_found",
  );
  await assertIntact(tenant, owner);
  assertEquals(
    (await admin().from("wallet_agents").select("*").eq("tenant_id", tenant.id)).data,
    [],
  );
});
