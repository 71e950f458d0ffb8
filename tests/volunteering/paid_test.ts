import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { addMember, createMember, createTenant, issue, type Tenant } from "../support/tenants.ts";
import {
  type Hours,
  log,
  openCall,
  type Opportunity,
  volunteering,
} from "../support/volunteering.ts";
import { accountOf, assertIntact, organisation, reverse } from "../support/wallet.ts";

async function createWorld(options: Record<string, unknown> = {}) {
  const tenant = await createTenant({
    modules: ["wallet", "volunteering"],
    settings: { volunteering: { pay: true } },
    ...options,
  });
  const [owner, staff, ana] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant, "staff"),
    createMember(tenant),
  ]);
  return { tenant, owner, staff, ana };
}

const paid = (more: Record<string, unknown> = {}) => ({
  title: "Clean the river",
  paid_from: "community_fund",
  currency: "hours",
  budget_minutes: 100,
  ...more,
});

const save = (me: Person, tenant: Tenant, changes: Record<string, unknown>) =>
  volunteering(me, tenant, "save", { changes });

const decide = (me: Person, tenant: Tenant, { id: hours }: Pick<Hours, "id">, approve = true) =>
  volunteering(me, tenant, "decide", { hours, approve });

/** A member gives the community fund something to pay with. */
async function donate(tenant: Tenant, amount: number): Promise<void> {
  const giver = await createMember(tenant);
  await issue(tenant, giver, amount);
  const payees = await must<{ account_id: string; purpose: string }[]>(
    giver.client.rpc("wallet_payees", { tenant_id: tenant.id, currency: "hours" }),
  );
  await must(giver.client.rpc("wallet_transfer", {
    tenant_id: tenant.id,
    to_person: null,
    to_account: payees.find(({ purpose }) => purpose === "community_fund")!.account_id,
    amount,
    currency: "hours",
    idempotency_key: crypto.randomUUID(),
  }));
}

/** Somebody pays the organisation, so that it can pay. */
async function fund(tenant: Tenant, from: Person, to_account: string): Promise<void> {
  await issue(tenant, from, 60);
  await must(from.client.rpc("wallet_transfer", {
    tenant_id: tenant.id,
    to_person: null,
    to_account,
    amount: 60,
    currency: "hours",
    idempotency_key: crypto.randomUUID(),
  }));
}

async function helped(me: Person, tenant: Tenant, call: Opportunity, minutes: number) {
  await must(volunteering(me, tenant, "sign_up", { opportunity: call.id }));
  return await must<Hours>(log(me, tenant, call, minutes));
}

Deno.test("approved hours are paid by the community fund, minute for minute, up to the budget", async () => {
  const { tenant, owner, staff, ana } = await createWorld();
  await donate(tenant, 1000);
  const call = await openCall(owner, tenant, paid());
  const [first, second] = [
    await helped(ana, tenant, call, 60),
    await helped(ana, tenant, call, 60),
  ];
  const approved = await must<Hours>(decide(staff, tenant, first));
  assert.equal(typeof approved.transfer_id, "string");
  assert.equal((await accountOf(ana)).balance, 60);
  await assertRefused(decide(staff, tenant, second), 409, "volunteering.budget_spent");
  await must(
    volunteering(owner, tenant, "save", { opportunity: call.id, changes: { budget_minutes: 120 } }),
  );
  await must(decide(staff, tenant, second));
  assert.equal((await accountOf(ana)).balance, 120);
  await assertIntact(tenant, owner);

  const revoke = () =>
    volunteering(staff, tenant, "revoke", { hours: first.id, reason: "Nobody came" });
  await assertRefused(revoke(), 409, "volunteering.still_paid");
  await must(reverse(tenant, owner, approved.transfer_id!));
  await must(revoke());
  assert.equal((await accountOf(ana)).balance, 60);
  const [row] = await must<Opportunity[]>(
    ana.client.from("volunteering_opportunities").select().eq("id", call.id),
  );
  assert.equal(row!.paid_minutes, 60);
});

Deno.test("what the fund does not have is not paid, and the hours wait", async () => {
  const { tenant, owner, staff, ana } = await createWorld();
  await donate(tenant, 30);
  const call = await openCall(owner, tenant, paid());
  const given = await helped(ana, tenant, call, 60);
  await assertRefused(decide(staff, tenant, given), 409, "wallet.insufficient_funds");
  const [row] = await must<Hours[]>(
    ana.client.from("volunteering_hours").select().eq("id", given.id),
  );
  assert.deepEqual([row!.status, row!.transfer_id], ["submitted", null]);
  await donate(tenant, 30);
  await must(decide(staff, tenant, given));
  // Who left is paid no more, and is not told they were.
  const other = await helped(ana, tenant, call, 15);
  await must(ana.client.rpc("members_leave", { tenant_id: tenant.id }));
  await assertRefused(decide(staff, tenant, other), 404, "wallet.recipient_not_found");
  await addMember(tenant, ana);
});

Deno.test("where the tenant pays no more, hours are not approved as paid", async () => {
  const { tenant, owner, staff, ana } = await createWorld();
  await donate(tenant, 60);
  const given = await helped(ana, tenant, await openCall(owner, tenant, paid()), 60);
  const pays = (pay: boolean) =>
    withDatabase((sql) =>
      sql`update tenants set settings = ${
        sql.json({ volunteering: { pay } })
      } where id = ${tenant.id}`
    );
  await pays(false);
  await assertRefused(decide(staff, tenant, given), 409, "volunteering.unpaid_here");
  await pays(true);
  await must(decide(staff, tenant, given));
});

Deno.test("payment is promised by who may pay from there, where the tenant wants it, in hours", async () => {
  const { tenant, owner, staff, ana } = await createWorld({
    currencies: [
      { code: "hours", kind: "time" },
      { code: "eur", kind: "money", decimals: 2 },
    ],
  });
  await assertRefused(save(staff, tenant, paid()), 404, "wallet.not_found");
  await assertRefused(
    save(owner, tenant, paid({ currency: "eur" })),
    409,
    "volunteering.unpaid_here",
  );
  await assertRefused(
    save(owner, tenant, paid({ currency: "gold" })),
    409,
    "volunteering.unpaid_here",
  );
  const unpaid = await createWorld({ settings: {} });
  await assertRefused(save(unpaid.owner, unpaid.tenant, paid()), 409, "volunteering.unpaid_here");

  const { id: organisation_id, account } = await organisation(tenant, owner, [ana]);
  const club = paid({ paid_from: "organisation", organisation_id });
  await assertRefused(save(staff, tenant, club), 404, "wallet.not_found");
  const call = await openCall(ana, tenant, club);
  await fund(tenant, staff, account);
  const given = await helped(staff, tenant, call, 60);
  await must(decide(ana, tenant, given));
  assert.equal((await accountOf(staff)).balance, 60);
  await assertRefused(decide(ana, tenant, given), 409, "request.transition_refused");
});
