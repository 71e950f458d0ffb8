import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { addMember, createMember, createTenant, issue, type Tenant } from "../support/tenants.ts";
import { enrol } from "./support.ts";

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

const setRule = ({ client }: Person, tenant: Tenant, role: string, from: string | null) =>
  client.rpc("two_factor_set_rule", { tenant_id: tenant.id, role, required_from: from });

const tenantsSeen = async ({ client }: Person) =>
  (await must<{ id: string }[]>(client.from("tenants").select("id"))).map(({ id }) => id);

interface Membership {
  id: string;
  two_factor_from: string | null;
  modules: string[];
  permissions: string[];
}

const membershipOf = async ({ client }: Person, tenant: Tenant) =>
  (await must<{ tenants: Membership[] }>(client.rpc("people_me"))).tenants
    .find(({ id }) => id === tenant.id)!;

const statement = ({ client }: Person, tenant: Tenant) =>
  client.rpc("wallet_statement", { tenant_id: tenant.id, currency: "hours" });

async function createWorld() {
  const [tenant, other] = await Promise.all([createTenant(), createTenant()]);
  const [owner, staff, member] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant, "staff"),
    createMember(tenant),
  ]);
  await addMember(other, staff);
  return { tenant, other, owner, staff, member };
}

Deno.test("a tenant's rule closes it from its deadline on, for that role and in that tenant alone", async (t) => {
  const { tenant, other, owner, staff, member } = await createWorld();
  await t.step("before the deadline all is open, and the day is known", async () => {
    const from = inSeconds(3600);
    await must(setRule(owner, tenant, "staff", from));
    assert.equal((await tenantsSeen(staff)).length, 2);
    const { two_factor_from, modules } = await membershipOf(staff, tenant);
    assert.deepEqual([Date.parse(two_factor_from!), modules], [Date.parse(from), ["wallet"]]);
  });
  await t.step("after it that tenant is closed at every door", async () => {
    await must(setRule(owner, tenant, "staff", inSeconds(-1)));
    assert.deepEqual(await tenantsSeen(staff), [other.id]);
    await assertRefused(statement(staff, tenant), 403, "two_factor.required");
    const { modules, permissions } = await membershipOf(staff, tenant);
    assert.deepEqual([modules, permissions], [[], []]);
    const answer = await callApi("/v1/admin/audit-logs", {
      token: await tokenOf(staff),
      headers: { "nexus-tenant": tenant.slug },
    });
    await assertProblem(answer, 403, "two_factor.required");
  });
  await t.step("the other tenant and the other roles are as they were", async () => {
    await must(statement(staff, other));
    await must(statement(member, tenant));
    await must(statement(owner, tenant));
  });
  await t.step("nothing of it reaches the channel of who has no factor", async () => {
    const topic = `private-user-${staff.id}`;
    const heard = () =>
      withDatabase(async (sql) => {
        await sql`select private.audit_follow()`;
        return sql`
          select payload ->> 'tenant_id' as tenant from realtime.messages
          where topic = ${topic} and event = 'wallet:transfer'`;
      });
    const before = (await heard()).length;
    await issue(tenant, staff, 5);
    await issue(other, staff, 5);
    const after = (await heard()).slice(before).map(({ tenant }) => tenant);
    assert.deepEqual(after, [other.id]);
  });
  await t.step("the only membership is no way around it", async () => {
    const alone = await createMember(tenant, "staff");
    const session = alone.client.rpc("people_session", { needs_tenant: true });
    await assertRefused(session, 403, "two_factor.required");
  });
  await t.step("setting up a factor opens it again", async () => {
    await enrol(staff);
    assert.equal((await tenantsSeen(staff)).length, 2);
    await must(statement(staff, tenant));
  });
  await t.step("and so does taking the rule back", async () => {
    const late = await createMember(tenant, "staff");
    assert.deepEqual(await tenantsSeen(late), []);
    await must(setRule(owner, tenant, "staff", null));
    assert.deepEqual(await tenantsSeen(late), [tenant.id]);
  });
});

Deno.test("who may set the rule: two_factor.manage, for roles not above one's own", async () => {
  const { tenant, owner, staff, member } = await createWorld();
  const admin = await createMember(tenant, "admin");
  await must(setRule(admin, tenant, "member", inSeconds(3600)));
  await assertRefused(setRule(admin, tenant, "owner", null), 403, "members.role_above_own");
  await assertRefused(setRule(owner, tenant, "nobody", null), 404, "members.role_not_found");
  for (const person of [staff, member]) {
    await assertRefused(setRule(person, tenant, "member", null), 403, "members.permission_denied");
  }
  const lines = await withDatabase((sql) =>
    sql`select l.actor, l.resource from private.audit_log l
      where l.tenant_id = ${tenant.id} and l.action = 'TWO_FACTOR_RULE_SET'`
  );
  assert.deepEqual(lines.map(({ actor, resource }) => [actor, resource]), [
    [admin.id, "roles:member"],
  ]);
});
