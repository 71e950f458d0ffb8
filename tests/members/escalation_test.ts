import { deepStrictEqual as assertEquals } from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { assertRefused, must } from "../support/answers.ts";
import { admin, createPerson, type Person } from "../support/clients.ts";
import { connect } from "../support/database.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";

const platform = "00000000-0000-7000-8000-000000000001";

const save = (by: Person, tenant: Tenant, role: Record<string, unknown>) =>
  by.client.rpc("members_role_save", {
    tenant_id: tenant.id,
    slug: "deputy",
    name: "Deputy",
    rank: 50,
    permissions: ["tenants.read", "members.roles"],
    ...role,
  });

Deno.test("nobody changes the role they have themselves, nor one beside it", async (t) => {
  const tenant = await createTenant();
  const [owner, manager, deputy] = await Promise.all(
    ["owner", "admin", "member"].map((role) => createMember(tenant, role)),
  ) as [Person, Person, Person];
  const less = { permissions: ["tenants.read", "members.roles"] };
  const builtIn = { slug: "admin", name: "Admin", rank: 80 };
  await must(save(owner, tenant, { ...builtIn, ...less }));
  await must(save(owner, tenant, {}));
  await must(save(owner, tenant, { slug: "beside", name: "Beside" }));
  await must(owner.client.rpc("members_set_role", {
    tenant_id: tenant.id,
    person: deputy.id,
    role: "deputy",
  }));

  await t.step("an admin does not take back what the owner took away", () =>
    assertRefused(
      save(manager, tenant, { ...builtIn, permissions: [...less.permissions, "wallet.issue"] }),
      403,
      "members.role_above_own",
    ));
  for (const change of [{ rank: 79 }, { permissions: [...less.permissions, "wallet.issue"] }]) {
    await t.step(
      `no role lifts itself: ${JSON.stringify(change)}`,
      () => assertRefused(save(deputy, tenant, change), 403, "members.role_above_own"),
    );
  }
  await t.step("an equal one is not lowered", () =>
    assertRefused(
      save(deputy, tenant, { slug: "beside", name: "Beside", rank: 10 }),
      403,
      "members.role_above_own",
    ));
  await t.step("one below is", () => must(save(manager, tenant, { rank: 40 })));
});

Deno.test("an operator makes no operator above themselves", async () => {
  const [operator, mate] = await Promise.all([createPerson(), createPerson()]);
  const add = (by: Person | null, person: Person, role: string | null) =>
    (by?.client ?? admin()).rpc("members_add", { tenant_id: platform, person: person.id, role });
  await must(add(null, operator, "admin"));
  await assertRefused(add(operator, mate, "owner"), 403, "members.role_above_own");
  await must(add(operator, mate, "staff"));
});

Deno.test("a role that is null does not exist", async () => {
  const tenant = await createTenant();
  const [owner, member] = await Promise.all([createMember(tenant, "owner"), createMember(tenant)]);
  const target = { tenant_id: tenant.id, person: member.id, role: null };
  await assertRefused(
    owner.client.rpc("members_set_role", target),
    404,
    "members.role_not_found",
  );
  await assertRefused(admin().rpc("members_add", target), 404, "members.role_not_found");
  await assertRefused(
    owner.client.rpc("members_role_delete", { tenant_id: tenant.id, slug: null }),
    404,
    "members.role_not_found",
  );
  await assertRefused(
    save(owner, tenant, { permissions: [null] }),
    422,
    "members.permission_unknown",
  );
});

/** Answers a call that `work`, not yet committed, made wait. */
async function overtaken(
  work: (sql: TransactionSql) => Promise<unknown>,
  call: () => PromiseLike<{ status: number; error: { message: string } | null }>,
  name: string,
) {
  const sql = connect();
  try {
    const { answer } = await sql.begin(async (working) => {
      await work(working);
      const answer = Promise.resolve(call());
      await until(async () =>
        (await sql`
          select from pg_stat_activity
          where wait_event_type = 'Lock' and query like ${`%${name}%`}`).length
      );
      return { answer };
    });
    const { status, error } = await answer;
    return [status, error?.message];
  } finally {
    await sql.end({ timeout: 5 });
  }
}

Deno.test("a role that is deleted while it is given is not found", async () => {
  const tenant = await createTenant();
  const [owner, member] = await Promise.all([createMember(tenant, "owner"), createMember(tenant)]);
  await must(save(owner, tenant, {}));
  const answer = await overtaken(
    (sql) => sql`delete from public.roles where tenant_id = ${tenant.id} and slug = 'deputy'`,
    () =>
      owner.client.rpc("members_set_role", {
        tenant_id: tenant.id,
        person: member.id,
        role: "deputy",
      }),
    "members_set_role",
  );
  assertEquals(answer, [404, "members.role_not_found"]);
});

Deno.test("who is banned while their act waits does nothing more", async () => {
  const tenant = await createTenant();
  const [owner, manager, member] = await Promise.all(
    ["owner", "admin", "member"].map((role) => createMember(tenant, role)),
  ) as [Person, Person, Person];
  const answer = await overtaken(
    async (sql) => {
      await sql`
        select from public.members where tenant_id = ${tenant.id} and person_id = ${owner.id}
        for no key update`;
      await sql`
        update public.members set status = 'banned'
        where tenant_id = ${tenant.id} and person_id = ${manager.id}`;
    },
    () =>
      manager.client.rpc("members_set_status", {
        tenant_id: tenant.id,
        person: member.id,
        status: "banned",
      }),
    "members_set_status",
  );
  assertEquals(answer, [403, "members.not_active"]);
});
