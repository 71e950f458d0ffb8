import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin, anonymous, createPerson, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { addMember, createMember, createTenant, type Tenant } from "../support/tenants.ts";

const platform = "00000000-0000-7000-8000-000000000001";

async function createOperator(): Promise<Person> {
  const operator = await createPerson();
  await must(
    admin().rpc("members_add", { tenant_id: platform, person: operator.id, role: "admin" }),
  );
  return operator;
}

Deno.test("tenants_create makes tenant, roles, currencies, system accounts and owner together", async () => {
  const owner = await createPerson();
  const tenant = await createTenant({
    owner: owner.id,
    currencies: [{ code: "hours", kind: "time" }, { code: "eur", kind: "money", decimals: 2 }],
  });
  const mine = await must<{ tenant_id: string; role: string; status: string }[]>(
    owner.client.from("members").select("tenant_id, role, status"),
  );
  assertEquals(mine, [{ tenant_id: tenant.id, role: "owner", status: "active" }]);
  const accounts = await must<{ currency: string }[]>(
    owner.client.from("wallet_accounts").select("currency").order("currency"),
  );
  assertEquals(accounts, [{ currency: "eur" }, { currency: "hours" }]);
  await withDatabase(async (sql) => {
    const purposes = await sql`
      select purpose from wallet_ledger_accounts
      where tenant_id = ${tenant.id} and currency = 'eur' order by purpose`;
    assertEquals([...purposes].map(({ purpose }) => purpose), [
      "community_fund",
      "fees",
      "hold",
      "issuance",
      "member",
      "till",
    ]);
  });
});

Deno.test("tenants_create leaves nothing behind when a part fails", async () => {
  const slug = `t-${crypto.randomUUID().slice(0, 18)}`;
  const create = (options: Record<string, unknown>) =>
    admin().rpc("tenants_create", { slug, name: "Half", ...options });
  await assertRefused(create({ owner: crypto.randomUUID() }), 404, "people.not_found");
  await assertRefused(create({ modules: ["casino"] }), 422, "tenants.module_unknown");
  await assertRefused(create({ modules: ["members"] }), 422, "tenants.module_unknown");
  await assertRefused(create({ time_zone: "Mars/Olympus" }), 422, "request.invalid");
  await assertRefused(create({ name: " " }), 422, "request.invalid");
  await assertRefused(create({ slug: "No Slug" }), 422, "request.invalid");
  await assertRefused(create({ registration_policy: "maybe" }), 422, "request.invalid");
  await assertRefused(
    create({ currencies: [{ code: "gold", kind: "metal" }] }),
    422,
    "request.invalid",
  );
  await assertRefused(create({ currencies: [{ kind: "time" }] }), 422, "request.invalid");
  const hours = { code: "hours", kind: "time" };
  await assertRefused(create({ currencies: [hours, hours] }), 422, "request.invalid");
  await assertRefused(anonymous().rpc("tenants_card", { slug }), 404, "tenants.not_found");
  await must(create({}));
  await assertRefused(create({}), 409, "tenants.slug_taken");
});

Deno.test("an operator makes a tenant and owns it; nobody else makes one", async () => {
  const operator = await createOperator();
  const somebody = await createMember(await createTenant(), "owner");
  const create = ({ client }: Person) =>
    client.rpc("tenants_create", { slug: `t-${crypto.randomUUID().slice(0, 18)}`, name: "New" });
  const tenant = await must<Tenant>(create(operator));
  const roles = await must(
    operator.client.from("members").select("role").eq("tenant_id", tenant.id),
  );
  assertEquals(roles, [{ role: "owner" }]);
  await assertRefused(create(somebody), 404, "tenants.not_found");
});

Deno.test("anybody may see a tenant's card, and nothing else of it", async () => {
  const tenant = await createTenant({ registration_policy: "open" });
  const card = await must(anonymous().rpc("tenants_card", { slug: tenant.slug }));
  assertEquals(card, {
    slug: tenant.slug,
    name: tenant.name,
    logo: null,
    registration_policy: "open",
  });
  await assertRefused(
    anonymous().rpc("tenants_card", { slug: "platform" }),
    404,
    "tenants.not_found",
  );
  const { status } = await anonymous().from("tenants").select("id");
  assertEquals(status, 401);
});

Deno.test("a person sees the tenants they belong to, and no others", async () => {
  const [mine, other] = await Promise.all([createTenant(), createTenant()]);
  const member = await createMember(mine);
  await createMember(other);
  assertEquals(await must(member.client.from("tenants").select("id")), [{ id: mine.id }]);
  for (const table of ["roles", "members", "wallet_currencies", "role_permissions"]) {
    const rows = await must(
      member.client.from(table).select("tenant_id").eq("tenant_id", other.id),
    );
    assertEquals(rows, [], table);
  }
});

Deno.test("an admin changes the tenant, within its rules", async (t) => {
  const tenant = await createTenant();
  const manager = await createMember(tenant, "admin");
  const member = await createMember(tenant);
  const update = (by: Person, changes: Record<string, unknown>) =>
    by.client.from("tenants").update(changes).eq("id", tenant.id)
      .select("name, version, modules").maybeSingle();

  await t.step("name and modules, counted as versions", async () => {
    const changed = await must(update(manager, { name: "Better", modules: ["wallet", "feed"] }));
    assertEquals(changed, { name: "Better", version: 2, modules: ["wallet", "feed"] });
  });
  await t.step("not by a member", async () => {
    assertEquals(await must(update(member, { name: "Mine" })), null);
  });
  await t.step(
    "not to an unknown module",
    () => assertRefused(update(manager, { modules: ["casino"] }), 422, "tenants.module_unknown"),
  );
  await t.step("its name without blanks around it, each module once", async () => {
    const changes = { name: ` Best${" ".repeat(200)}`, modules: ["wallet", "feed", "wallet"] };
    const changed = await must<Tenant>(update(manager, changes));
    assertEquals([changed.name, changed.modules], ["Best", ["wallet", "feed"]]);
  });
  const bad: Record<string, unknown>[] = [
    { name: " " },
    { name: null },
    { modules: null },
    { settings: [] },
    { time_zone: null },
    { time_zone: `UTC5${" ".repeat(300)}` },
    { locale: `en${"-abcd".repeat(7)}` },
    { registration_policy: "maybe" },
    { app_url: "javascript:alert(1)" },
  ];
  for (const changes of bad) {
    await t.step(
      `refused: ${JSON.stringify(changes).slice(0, 40)}`,
      () => assertRefused(update(manager, changes), 422, "request.invalid"),
    );
  }
  for (const column of ["id", "slug", "version", "created_at"]) {
    await t.step(`never its ${column}`, async () => {
      const { error } = await update(manager, { [column]: null });
      assertEquals(error?.code, "42501");
    });
  }
});

Deno.test("a module that is switched off is closed everywhere, and comes back whole", async () => {
  const tenant = await createTenant();
  const owner = await createMember(tenant, "owner");
  const other = await createMember(tenant);
  const accounts = () => must<unknown[]>(owner.client.from("wallet_accounts").select("id"));
  const pay = () =>
    owner.client.rpc("wallet_transfer", {
      tenant_id: tenant.id,
      to_person: other.id,
      amount: 1,
      currency: "hours",
      idempotency_key: crypto.randomUUID(),
    });
  const permissions = async () =>
    (await must<{ tenants: { permissions: string[] }[] }>(owner.client.rpc("people_me")))
      .tenants[0]!.permissions.filter((name) => name.startsWith("wallet."));
  const modules = (modules: string[]) =>
    must(owner.client.from("tenants").update({ modules }).eq("id", tenant.id).select("id"));

  assertEquals((await accounts()).length, 1);
  await modules([]);
  assertEquals(await accounts(), []);
  assertEquals(await permissions(), []);
  await assertRefused(pay(), 404, "tenants.module_off");
  await modules(["wallet"]);
  assertEquals((await accounts()).length, 1);
  await assertRefused(pay(), 409, "wallet.insufficient_funds");
});

Deno.test("operators' rights end at the platform: a tenant stays closed to them", async () => {
  const tenant = await createTenant();
  await createMember(tenant, "owner");
  const operator = await createOperator();
  assertEquals(
    await must(operator.client.from("members").select("person_id").eq("tenant_id", tenant.id)),
    [],
  );
  await addMember(tenant, operator, "guest");
  assertEquals(await must(operator.client.from("tenants").select("id").eq("id", tenant.id)), [
    { id: tenant.id },
  ]);
});

Deno.test("an operator gives an ownerless tenant its owner, and walks into no other", async () => {
  const operator = await createOperator();
  const orphaned = await createTenant();
  const owned = await createTenant();
  await createMember(owned, "owner");
  const add = (tenant: Tenant, role: string) =>
    operator.client.rpc("members_add", { tenant_id: tenant.id, person: operator.id, role });
  await assertRefused(add(owned, "owner"), 403, "members.permission_denied");
  await assertRefused(add(owned, "guest"), 403, "members.permission_denied");
  await must(add(orphaned, "owner"));
  await assertRefused(add(orphaned, "owner"), 403, "members.permission_denied");
});
