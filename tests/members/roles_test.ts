import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { createMember, createTenant } from "../support/tenants.ts";

const builtIn = ["admin", "guest", "member", "owner", "staff"];

Deno.test("a tenant starts with the built-in roles and grows its own", async (t) => {
  const tenant = await createTenant();
  const [owner, manager, member] = await Promise.all(
    ["owner", "admin", "member"].map((role) => createMember(tenant, role)),
  ) as [Person, Person, Person];
  const save = (by: Person, role: Record<string, unknown>) =>
    by.client.rpc("members_role_save", {
      tenant_id: tenant.id,
      slug: "cashier",
      name: "Cashier",
      rank: 50,
      permissions: ["tenants.read", "wallet.read"],
      ...role,
    });
  const remove = (by: Person, slug: string) =>
    by.client.rpc("members_role_delete", { tenant_id: tenant.id, slug });

  await t.step("the built-in ones are there", async () => {
    const roles = await must<{ slug: string }[]>(member.client.from("roles").select("slug"));
    assertEquals(roles.map(({ slug }) => slug).sort(), builtIn);
  });
  await t.step("an admin makes one, and a member who has it gains its permissions", async () => {
    await must(save(manager, {}));
    await must(manager.client.rpc("members_set_role", {
      tenant_id: tenant.id,
      person: member.id,
      role: "cashier",
    }));
    const me = await must<{ tenants: { permissions: string[] }[] }>(member.client.rpc("people_me"));
    assertEquals(me.tenants[0]?.permissions, ["tenants.read", "wallet.read"]);
  });
  await t.step("saving again replaces its permissions", async () => {
    await must(save(manager, { permissions: ["tenants.read"] }));
    const rows = await must<{ permission: string }[]>(
      owner.client.from("role_permissions").select("permission").eq("role", "cashier"),
    );
    assertEquals(rows, [{ permission: "tenants.read" }]);
  });
  await t.step(
    "a role somebody has stays",
    () => assertRefused(remove(manager, "cashier"), 409, "members.role_in_use"),
  );
  await t.step("a free one goes", async () => {
    await must(save(manager, { slug: "spare" }));
    await must(remove(manager, "spare"));
    await assertRefused(remove(manager, "spare"), 404, "members.role_not_found");
  });
  await t.step(
    "a member may not",
    () => assertRefused(save(member, {}), 403, "members.permission_denied"),
  );
  await t.step(
    "none above the actor's own",
    () => assertRefused(save(manager, { slug: "boss", rank: 90 }), 403, "members.role_above_own"),
  );
  await t.step("no permission that does not exist", () =>
    assertRefused(
      save(owner, { permissions: ["wallet.print"] }),
      422,
      "members.permission_unknown",
    ));
  await t.step("no operators' permission", () =>
    assertRefused(
      save(owner, { permissions: ["tenants.create"] }),
      422,
      "members.permission_unknown",
    ));
  await t.step(
    "owner stays as it is",
    () => assertRefused(save(owner, { slug: "owner", rank: 99 }), 409, "members.role_built_in"),
  );
  await t.step(
    "a built-in one keeps its rank",
    () => assertRefused(save(owner, { slug: "guest" }), 409, "members.role_built_in"),
  );
  await t.step(
    "a built-in one is not deleted",
    () => assertRefused(remove(owner, "guest"), 409, "members.role_built_in"),
  );
  for (const bad of [{ slug: "No!" }, { name: " " }, { rank: 0 }, { permissions: null }]) {
    await t.step(
      `refused: ${JSON.stringify(bad)}`,
      () => assertRefused(save(owner, bad), 422, "request.invalid"),
    );
  }
});
