import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { must } from "../support/answers.ts";
import { withDatabase } from "../support/database.ts";
import { look } from "../support/abuse.ts";
import { createMember } from "../support/tenants.ts";
import { capture, hold, pay, type Receipt, reverse, settle } from "../support/wallet.ts";
import { cases, createWorld, findings } from "./support.ts";

Deno.test("ten payments within an hour; nine are none, nor is what was reversed", async () => {
  const { tenant, owner, staff, ana, ben } = await createWorld();
  for (let i = 0; i < 9; i++) await must(pay(tenant, ana, ben, 1));
  const { id } = await must<Receipt>(pay(tenant, ana, ben, 1));
  await must(reverse(tenant, owner, id));
  assertEquals(await look(tenant), 0);
  await must(pay(tenant, ana, ben, 1));
  await look(tenant);
  await must(pay(tenant, ana, ben, 1));
  await look(tenant);
  const found = await cases(staff);
  assertEquals(found.map(({ rule, person_id }) => [rule, person_id]), [["many_transfers", ana.id]]);
});

Deno.test("hours that come back within a day, by two hands or by three", async () => {
  const { tenant, staff, ana, ben } = await createWorld();
  const carl = await createMember(tenant);
  await must(pay(tenant, ana, ben, 120));
  await must(pay(tenant, ben, carl, 120));
  assertEquals(await look(tenant), 0);
  await must(pay(tenant, carl, ana, 120));
  await look(tenant);
  const three = await findings(staff);
  assertEquals(three.map(({ rule }) => rule), ["circular"]);
  assertEquals((three[0]!.facts.transfers as string[]).length, 3);
  await must(pay(tenant, ben, ana, 90));
  await look(tenant);
  const both = (await findings(staff)).map(({ facts }) => (facts.transfers as string[]).length);
  assertEquals(both.includes(2), true, "and straight back");
});

Deno.test("no way round: a hold that is captured counts, and so does a settlement", async () => {
  const { tenant, staff, ana, ben } = await createWorld();
  const { id } = await must<{ id: string }>(hold(tenant, ana, ben, 3000));
  await must(capture(tenant, ben, id));
  const leg = (person: string, amount: number) => ({ person, currency: "hours", amount });
  const legs = [leg(ben.id, -3001), leg(ana.id, 3000), leg(staff.id, 1)];
  await must(settle(tenant, ben, legs));
  await look(tenant);
  assertEquals(
    (await cases(staff)).map(({ rule, person_id }) => `${rule} ${person_id}`).toSorted(),
    [
      `circular ${ana.id}`,
      ...[ana, ben].map(({ id }) => `large_transfer ${id}`),
    ].toSorted(),
  );
});

Deno.test("more payments at once than a look takes are looked at page by page, none left out", async () => {
  const { tenant, ana, ben } = await createWorld();
  await withDatabase(async (sql) => {
    await sql`
      insert into wallet_transfers (
        tenant_id, id, kind, currency, amount, from_account, to_account, created_at
      )
      select payer.tenant_id,
        private.uuid_v7_of((extract(epoch from made.at) * 1000000)::bigint + n * 1000), 'transfer',
        payer.currency, 3000, payer.id, payee.id, made.at
      from wallet_ledger_accounts payer
      join wallet_ledger_accounts payee using (tenant_id, currency),
        (select now() - interval '2 hours') made (at), generate_series(1, 5) n
      where tenant_id = ${tenant.id} and payer.person_id = ${ana.id}
        and payee.person_id = ${ben.id}`;
    const found: number[] = [];
    for (let i = 0; i < 4; i++) {
      const [row] = await sql`select private.abuse_look(${tenant.id}, 2) as findings`;
      found.push(row!.findings as number);
    }
    assertEquals(found, [2, 2, 1, 0]);
  });
});

Deno.test("a balance that nobody touched for ninety days, page by page", async () => {
  const { tenant, staff, ana } = await createWorld();
  await withDatabase((sql) =>
    sql`
      update wallet_ledger_accounts set updated_at = now() - interval '91 days'
      where tenant_id = ${tenant.id} and person_id = ${ana.id}`
  );
  assertEquals([await look(tenant), await look(tenant), await look(tenant)], [1, 0, 0]);
  const [matter] = await cases(staff);
  assertEquals([matter!.rule, matter!.person_id], ["idle_balance", ana.id]);
});
