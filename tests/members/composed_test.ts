import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";

interface Role {
  slug: string;
  rank: number;
  parts: string[] | null;
  two_factor_from: string | null;
}

const setRole = (by: Person, tenant: Tenant, person: Person, role: string) =>
  by.client.rpc("members_set_role", { tenant_id: tenant.id, person: person.id, role });

const saveRole = (by: Person, tenant: Tenant, role: Record<string, unknown>) =>
  by.client.rpc("members_role_save", {
    tenant_id: tenant.id,
    slug: "cashier",
    name: "Cashier",
    rank: 30,
    permissions: ["tenants.read", "wallet.issue"],
    ...role,
  });

async function permissionsOf({ client }: Person): Promise<string[]> {
  const me = await must<{ tenants: { permissions: string[] }[] }>(client.rpc("people_me"));
  return me.tenants[0]!.permissions;
}

const roleOf = async ({ client }: Person, slug: string) =>
  await must<Role>(client.from("roles").select("*").eq("slug", slug).single());

/** A tenant in which somebody is guest and cashier at once. */
async function createCashier() {
  const tenant = await createTenant();
  const [owner, manager, cashier] = await Promise.all(
    ["owner", "admin", "member"].map((role) => createMember(tenant, role)),
  ) as [Person, Person, Person];
  await must(saveRole(owner, tenant, {}));
  await must(setRole(owner, tenant, cashier, "guest+cashier"));
  return { tenant, owner, manager, cashier };
}

Deno.test("a member has several roles: what either permits, the higher rank", async () => {
  const { tenant, owner, cashier } = await createCashier();
  const guest = await createMember(tenant, "guest");
  const together = new Set([...await permissionsOf(guest), "tenants.read", "wallet.issue"]);
  assertEquals(await permissionsOf(cashier), [...together].sort());
  const { rank, parts } = await roleOf(owner, "cashier+guest");
  assertEquals([rank, parts], [30, ["cashier", "guest"]]);
});

Deno.test("what several roles permit follows each of them", async (t) => {
  const { tenant, owner, cashier } = await createCashier();
  await t.step("a permission gained and one lost", async () => {
    await must(saveRole(owner, tenant, { permissions: ["tenants.read", "wallet.read"] }));
    const permissions = await permissionsOf(cashier);
    assertEquals(permissions.includes("wallet.read"), true);
    assertEquals(permissions.includes("wallet.issue"), false);
  });
  await t.step("what another part permits stays", async () => {
    await must(saveRole(owner, tenant, { permissions: [] }));
    assertEquals((await permissionsOf(cashier)).includes("tenants.read"), true);
  });
  await t.step("rank and the rule for a second factor", async () => {
    await must(saveRole(owner, tenant, { rank: 50 }));
    const required_from = new Date(Date.now() + 86_400_000).toISOString();
    await must(owner.client.rpc("two_factor_set_rule", {
      tenant_id: tenant.id,
      role: "cashier",
      required_from,
    }));
    const { rank, two_factor_from } = await roleOf(owner, "cashier+guest");
    assertEquals([rank, Date.parse(two_factor_from!)], [50, Date.parse(required_from)]);
    await assertRefused(
      owner.client.rpc("two_factor_set_rule", {
        tenant_id: tenant.id,
        role: "cashier+guest",
        required_from: null,
      }),
      404,
      "members.role_not_found",
    );
  });
});

Deno.test("several roles are given under the same guard as one", async (t) => {
  const { tenant, owner, manager, cashier } = await createCashier();
  const member = await createMember(tenant);
  for (
    const role of [
      "staff+king",
      "owner+staff",
      "staff+staff",
      "staff+",
      "cashier+guest+staff+staff",
    ]
  ) {
    await t.step(
      `no such role: ${role}`,
      () => assertRefused(setRole(owner, tenant, member, role), 404, "members.role_not_found"),
    );
  }
  await t.step("no part with a permission that the actor lacks", async () => {
    await must(
      saveRole(owner, tenant, {
        slug: "admin",
        name: "Admin",
        rank: 80,
        permissions: ["tenants.read", "members.read", "members.manage", "members.roles"],
      }),
    );
    await must(
      saveRole(owner, tenant, {
        slug: "staff",
        name: "Staff",
        rank: 60,
        permissions: ["tenants.read"],
      }),
    );
    await assertRefused(
      setRole(manager, tenant, member, "cashier+staff"),
      403,
      "members.permission_denied",
    );
    await must(setRole(manager, tenant, member, "staff"));
  });
  await t.step("nobody lifts one of their own roles", async () => {
    await must(setRole(owner, tenant, manager, "admin+cashier"));
    await assertRefused(
      saveRole(manager, tenant, { permissions: ["tenants.read", "wallet.issue", "audit.read"] }),
      403,
      "members.role_above_own",
    );
    await assertRefused(saveRole(manager, tenant, { rank: 20 }), 403, "members.role_above_own");
  });
  await t.step(
    "a role made of several is not saved by itself",
    () => assertRefused(saveRole(owner, tenant, { slug: "cashier+guest" }), 422, "request.invalid"),
  );
  await t.step(
    "a part that somebody has stays, a free one goes with what was made of it",
    async () => {
      const remove = () =>
        owner.client.rpc("members_role_delete", { tenant_id: tenant.id, slug: "cashier" });
      await assertRefused(remove(), 409, "members.role_in_use");
      await must(setRole(owner, tenant, manager, "admin"));
      await must(setRole(owner, tenant, cashier, "guest"));
      await must(remove());
      assertEquals(await must(owner.client.from("roles").select("slug").like("slug", "%+%")), []);
    },
  );
});

Deno.test("nobody is made an owner by giving the role", async () => {
  const tenant = await createTenant();
  const [owner, member] = await Promise.all([createMember(tenant, "owner"), createMember(tenant)]);
  await assertRefused(setRole(owner, tenant, member, "owner"), 409, "members.ownership_is_offered");
  await must(setRole(owner, tenant, member, "admin"));
});
