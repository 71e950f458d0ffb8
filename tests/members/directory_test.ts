import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin, type Person } from "../support/clients.ts";
import { createMember, createTenant, setStatus, type Tenant } from "../support/tenants.ts";

interface Entry {
  person_id: string;
  role: string;
  told: Record<string, string>;
  cursor: string;
}

const tell = ({ client }: Person, { id }: Tenant, changes: unknown) =>
  client.rpc("members_tell", { tenant_id: id, changes });

const directory = ({ client }: Person, { id }: Tenant, options: Record<string, unknown> = {}) =>
  client.rpc("members_directory", { tenant_id: id, ...options });

const rename = ({ client }: Person, display_name: string) =>
  must(client.rpc("people_update_me", { changes: { display_name } }));

const all = {
  about: { value: "Gardener", visibility: "everyone" },
  email: { value: "ana@example.org", visibility: "staff" },
  phone: { value: "+41 44 123 45 67", visibility: "nobody" },
};

/** A tenant of all ranks, in which a member tells one thing to each audience. */
async function createTold() {
  const tenant = await createTenant();
  const [owner, staff, member, guest, ana] = await Promise.all(
    ["owner", "staff", "member", "guest", "member"].map((role) => createMember(tenant, role)),
  ) as [Person, Person, Person, Person, Person];
  await must(tell(ana, tenant, all));
  return { tenant, owner, staff, member, guest, ana };
}

Deno.test("each field is told to whom its owner says: everyone, staff, nobody", async (t) => {
  const { tenant, owner, staff, member, guest, ana } = await createTold();
  const outsider = await createMember(await createTenant(), "owner");
  const seen = async ({ client }: Person) => {
    const rows = client.from("members_values").select("field").eq("person_id", ana.id);
    return (await must<{ field: string }[]>(rows)).map(({ field }) => field).sort();
  };
  const audiences: [string, Person, string[]][] = [
    ["themselves", ana, ["about", "email", "phone"]],
    ["an owner", owner, ["about", "email"]],
    ["staff", staff, ["about", "email"]],
    ["a member", member, ["about"]],
    ["a guest, who sees no members", guest, []],
    ["an outsider", outsider, []],
  ];
  for (const [who, person, fields] of audiences) {
    await t.step(`${who}: ${fields}`, async () => assertEquals(await seen(person), fields));
  }
  await t.step("whoever is suspended is hidden from members", async () => {
    await setStatus(owner.client, tenant, ana, "suspended");
    assertEquals(await seen(member), []);
    await setStatus(owner.client, tenant, ana, "active");
    assertEquals(await seen(member), ["about"]);
  });
  await t.step("whoever leaves takes it along", async () => {
    await must(ana.client.rpc("members_leave", { tenant_id: tenant.id }));
    const rows = admin().from("members_values").select("*").eq("tenant_id", tenant.id);
    assertEquals(await must(rows), []);
  });
});

Deno.test("an erased person's values go, also from a tenant that had banned them", async () => {
  const { tenant, owner, ana } = await createTold();
  await setStatus(owner.client, tenant, ana, "banned");
  await must(admin().auth.admin.deleteUser(ana.id));
  const rows = admin().from("members_values").select("*").eq("tenant_id", tenant.id);
  assertEquals(await must(rows), []);
});

Deno.test("members_tell: changes what it names, null takes back, and everything has its form", async (t) => {
  const { tenant, ana } = await createTold();
  await t.step("a value without a visibility gets its field's", async () => {
    await must(tell(ana, tenant, { about: null, email: { value: "b@example.org" } }));
    const rows = ana.client.from("members_values").select("field, visibility").order("field");
    assertEquals(await must(rows), [
      { field: "email", visibility: "nobody" },
      { field: "phone", visibility: "nobody" },
    ]);
  });
  const faults = [
    null,
    [],
    { about: 7 },
    { about: {} },
    { about: { value: " " } },
    { about: { value: "x".repeat(1001) } },
    { about: { value: "x", visibility: "world" } },
    { website: { value: "javascript:alert(1)" } },
    { email: { value: "nobody" } },
    { phone: { value: "call me" } },
  ];
  for (const bad of faults) {
    await t.step(
      `refused: ${JSON.stringify(bad)?.slice(0, 50)}`,
      () => assertRefused(tell(ana, tenant, bad), 422, "request.invalid"),
    );
  }
  await t.step("no field that the tenant does not have", async () => {
    const unknown = tell(ana, tenant, { shoe_size: { value: "42" } });
    await assertRefused(unknown, 404, "members.field_not_found");
  });
});

Deno.test("a tenant's admins say which fields there are", async (t) => {
  const { tenant, owner, member, ana } = await createTold();
  const save = (by: Person, field: Record<string, unknown>) =>
    by.client.rpc("members_field_save", {
      tenant_id: tenant.id,
      slug: "graduation",
      label: "Graduated on",
      kind: "date",
      visibility: "staff",
      ...field,
    });
  const remove = (by: Person, slug: string) =>
    by.client.rpc("members_field_delete", { tenant_id: tenant.id, slug });
  await t.step("not members", async () => {
    await assertRefused(save(member, {}), 403, "members.permission_denied");
    await assertRefused(remove(member, "about"), 403, "members.permission_denied");
  });
  await t.step("a new one", async () => {
    await must(save(owner, {}));
    await must(tell(ana, tenant, { graduation: { value: "2019-06-30" } }));
    const impossible = tell(ana, tenant, { graduation: { value: "2019-02-30" } });
    await assertRefused(impossible, 422, "request.invalid");
  });
  await t.step("one that goes takes along what was told in it", async () => {
    await must(remove(owner, "graduation"));
    await assertRefused(remove(owner, "graduation"), 404, "members.field_not_found");
    const rows = ana.client.from("members_values").select("field").eq("field", "graduation");
    assertEquals(await must(rows), []);
  });
  for (const bad of [{ slug: "No!" }, { label: " " }, { kind: "secret" }, { visibility: "x" }]) {
    await t.step(
      `refused: ${JSON.stringify(bad)}`,
      () => assertRefused(save(owner, bad), 422, "request.invalid"),
    );
  }
});

Deno.test("the directory: by name, page by page, searched in what the reader may see", async (t) => {
  const { tenant, owner, staff, member, guest, ana } = await createTold();
  const names = [[owner, "Zoe"], [staff, "berta"], [member, "Carl"], [guest, "Dora"]] as const;
  await Promise.all(
    [...names, [ana, "Ana"] as const].map(([person, name]) => rename(person, name)),
  );
  const found = async (by: Person, options: Record<string, unknown> = {}) =>
    (await must<Entry[]>(directory(by, tenant, options))).map(({ person_id }) => person_id);
  const inOrder = [ana, staff, member, guest, owner].map(({ id }) => id);

  await t.step("all, by name", async () => assertEquals(await found(member), inOrder));
  await t.step("page by page", async () => {
    const pages: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await must<Entry[]>(
        directory(member, tenant, { page_size: 2, ...(cursor ? { cursor } : {}) }),
      );
      pages.push(...page.map(({ person_id }) => person_id));
      cursor = page.at(-1)?.cursor;
    } while (cursor);
    assertEquals(pages, inOrder);
  });
  await t.step("with what the reader may see of each", async () => {
    const told = async (by: Person) => (await must<Entry[]>(directory(by, tenant)))[0]!.told;
    assertEquals(await told(member), { about: "Gardener" });
    assertEquals(await told(staff), { about: "Gardener", email: "ana@example.org" });
  });
  await t.step("what one may not see is not found either", async () => {
    assertEquals(await found(member, { search: "gardener" }), [ana.id]);
    assertEquals(await found(member, { search: "ana@example" }), []);
    assertEquals(await found(staff, { search: "ana@example" }), [ana.id]);
    assertEquals(await found(owner, { search: "41 44" }), []);
    assertEquals(await found(member, { search: "%" }), []);
  });
  await t.step("by a role, one of several too", async () => {
    await must(owner.client.rpc("members_set_role", {
      tenant_id: tenant.id,
      person: ana.id,
      role: "guest+staff",
    }));
    assertEquals(await found(member, { role: "staff" }), [ana.id, staff.id]);
  });
  for (const bad of [{ page_size: 0 }, { cursor: "x" }, { cursor: "[1]" }, { page_size: 101 }]) {
    await t.step(
      `refused: ${JSON.stringify(bad)}`,
      () => assertRefused(directory(member, tenant, bad), 422, "request.invalid"),
    );
  }
  await t.step(
    "not for guests",
    () => assertRefused(directory(guest, tenant), 403, "members.permission_denied"),
  );
});
