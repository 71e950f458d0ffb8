import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, issue, setStatus, type Tenant } from "../support/tenants.ts";
import {
  call,
  organisation,
  pay,
  type Receipt,
  type Request,
  request,
  reverse,
} from "../support/wallet.ts";

async function world() {
  const tenant = await createTenant({ registration_policy: "open" });
  const [owner, ana, ben] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant),
    createMember(tenant),
  ]);
  await issue(tenant, ana, 600);
  return { tenant, owner, ana, ben };
}

const rejoin = (tenant: Tenant, { client }: Person) =>
  must(client.rpc("members_join", { tenant: tenant.slug }));

/** How often somebody was told of a transfer in a tenant. */
const told = (tenant: Tenant, { id }: Person) =>
  withDatabase(async (sql) => {
    await sql`select private.audit_follow()`;
    const [row] = await sql`
      select count(*)::int as count from realtime.messages
      where topic = ${`private-user-${id}`} and event = 'wallet:transfer'
        and payload ->> 'tenant_id' = ${tenant.id}`;
    return row!.count as number;
  });

Deno.test("an agent who was removed and joins again is a plain member", async () => {
  const { tenant, owner, ana, ben } = await world();
  const club = await organisation(tenant, owner, [ben]);
  await must(pay(tenant, ana, ben, 100, { to_person: null, to_account: club.account }));
  const spend = () => pay(tenant, ben, ana, 10, { from_account: club.account });
  await must(spend());
  await setStatus(owner.client, tenant, ben, "left");
  await rejoin(tenant, ben);
  await assertRefused(spend(), 404, "wallet.not_found");
});

Deno.test("trust ends both ways with a membership", async () => {
  const { tenant, owner, ana, ben } = await world();
  await issue(tenant, ben, 600);
  for (const [by, payee] of [[ana, ben], [ben, ana]] as const) {
    await must(
      call(tenant, by, "wallet_trust", { payee: payee.id, currency: "hours", up_to: 100 }),
    );
  }
  await setStatus(owner.client, tenant, ben, "banned");
  await setStatus(owner.client, tenant, ben, "active");
  const ask = async (by: Person, of: Person) =>
    (await must<Request>(request(tenant, by, of, 10))).status;
  assertEquals([await ask(ben, ana), await ask(ana, ben)], ["pending", "pending"]);
});

Deno.test("who is no active member, or may not read the wallet, is no longer told", async (t) => {
  const { tenant, owner, ana, ben } = await world();
  const club = await organisation(tenant, owner, [ben]);
  const donate = () => pay(tenant, ana, ben, 10, { to_person: null, to_account: club.account });
  await must(donate());
  assertEquals(await told(tenant, ben), 1);

  await t.step("a suspended agent", async () => {
    await setStatus(owner.client, tenant, ben, "suspended");
    await must(donate());
    assertEquals(await told(tenant, ben), 1);
    await setStatus(owner.client, tenant, ben, "active");
    await must(donate());
    assertEquals(await told(tenant, ben), 2);
  });
  await t.step("a member whose role lost wallet.read", async () => {
    await withDatabase((sql) =>
      sql`delete from role_permissions
        where tenant_id = ${tenant.id} and role = 'member' and permission = 'wallet.read'`
    );
    await must(donate());
    assertEquals(await told(tenant, ben), 2);
    await withDatabase((sql) =>
      sql`insert into role_permissions (tenant_id, role, permission)
        values (${tenant.id}, 'member', 'wallet.read')`
    );
  });
  await t.step("a former member whose transfer is reversed", async () => {
    const { id } = await must<Receipt>(pay(tenant, ana, ben, 10));
    assertEquals(await told(tenant, ben), 3);
    await setStatus(owner.client, tenant, ben, "left");
    await must(reverse(tenant, owner, id));
    assertEquals(await told(tenant, ben), 3);
  });
});
