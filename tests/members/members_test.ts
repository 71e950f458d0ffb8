import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin, createPerson, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { addMember, createMember, createTenant, setStatus } from "../support/tenants.ts";

interface Member {
  person_id: string;
  role: string;
  status: string;
  display_name: string;
}

const unknown = crypto.randomUUID();

Deno.test("a person joins an open tenant at once, an approving one as pending", async () => {
  const person = await createPerson();
  const open = await createTenant({ registration_policy: "open" });
  const approving = await createTenant({ registration_policy: "approval" });
  const join = (tenant: string) => person.client.rpc("members_join", { tenant });
  assertEquals((await must<Member>(join(open.slug))).status, "active");
  assertEquals((await must<Member>(join(approving.slug))).status, "pending");
  await assertRefused(join(open.slug), 409, "members.already_member");
  await assertRefused(join("nobody-knows"), 404, "tenants.not_found");
  await assertRefused(join("platform"), 404, "tenants.not_found");
  const closed = await createTenant({ registration_policy: "invitation" });
  await assertRefused(join(closed.slug), 403, "members.registration_closed");
});

Deno.test("a pending person sees nothing of the tenant until an admin admits them", async () => {
  const tenant = await createTenant({ registration_policy: "approval" });
  const owner = await createMember(tenant, "owner");
  const person = await createPerson();
  await must(person.client.rpc("members_join", { tenant: tenant.slug }));
  assertEquals(await must(person.client.from("tenants").select("id")), []);
  assertEquals(await must(person.client.from("members").select("person_id")), []);
  await setStatus(owner.client, tenant, person, "active");
  assertEquals(await must(person.client.from("tenants").select("id")), [{ id: tenant.id }]);
});

Deno.test("members see active members, managers see all, outsiders none", async () => {
  const tenant = await createTenant();
  const [owner, member, suspended] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant),
    createMember(tenant),
  ]);
  const guest = await createMember(tenant, "guest");
  const outsider = await createMember(await createTenant(), "owner");
  await setStatus(owner.client, tenant, suspended, "suspended");
  const seenBy = async ({ client }: Person) => {
    const rows = await must<Member[]>(
      client.from("members").select("person_id").eq("tenant_id", tenant.id),
    );
    return rows.map(({ person_id }) => person_id).sort();
  };
  const ids = (...people: Person[]) => people.map(({ id }) => id).sort();
  assertEquals(await seenBy(owner), ids(owner, member, suspended, guest));
  assertEquals(await seenBy(member), ids(owner, member, guest));
  assertEquals(await seenBy(guest), ids(guest));
  assertEquals(await seenBy(suspended), []);
  assertEquals(await seenBy(outsider), []);
});

Deno.test("a suspended member loses everything on the next statement and gets it back", async () => {
  const tenant = await createTenant();
  const owner = await createMember(tenant, "owner");
  const member = await createMember(tenant);
  const rows = async (table: string) =>
    (await must<unknown[]>(member.client.from(table).select("*"))).length;
  const tables = ["tenants", "members", "roles", "wallet_accounts", "wallet_currencies"];
  for (const table of tables) assertEquals(await rows(table) > 0, true, table);
  await setStatus(owner.client, tenant, member, "suspended");
  for (const table of tables) assertEquals(await rows(table), 0, table);
  await assertRefused(
    member.client.rpc("wallet_statement", { tenant_id: tenant.id, currency: "hours" }),
    403,
    "members.not_active",
  );
  const me = await must<{ tenants: { status: string; permissions: string[] }[] }>(
    member.client.rpc("people_me"),
  );
  assertEquals(me.tenants.map(({ status, permissions }) => [status, permissions]), [
    ["suspended", []],
  ]);
  await setStatus(owner.client, tenant, member, "active");
  for (const table of tables) assertEquals(await rows(table) > 0, true, table);
});

Deno.test("the same person has another role, and other rights, in each tenant", async () => {
  const [first, second] = await Promise.all([createTenant(), createTenant()]);
  const person = await createPerson();
  await addMember(first, person, "owner");
  await addMember(second, person, "guest");
  const other = await createMember(second);
  const rename = (id: string) =>
    person.client.from("tenants").update({ name: "Renamed" }).eq("id", id).select("id");
  assertEquals(await must(rename(first.id)), [{ id: first.id }]);
  assertEquals(await must(rename(second.id)), []);
  await assertRefused(
    person.client.rpc("members_set_status", {
      tenant_id: second.id,
      person: other.id,
      status: "banned",
    }),
    403,
    "members.permission_denied",
  );
});

Deno.test("members_set_status: who may, on whom, and what it may become", async (t) => {
  const tenant = await createTenant();
  const [owner, manager, second, member] = await Promise.all(
    ["owner", "admin", "admin", "member"].map((role) => createMember(tenant, role)),
  ) as [Person, Person, Person, Person];
  const outsider = await createMember(await createTenant(), "owner");
  const set = (by: Person, person: string, status: string) =>
    by.client.rpc("members_set_status", {
      tenant_id: tenant.id,
      person,
      status,
      ...(["suspended", "banned"].includes(status) && { reason: "For the test" }),
    });

  await t.step(
    "a member may not",
    () => assertRefused(set(member, manager.id, "banned"), 403, "members.permission_denied"),
  );
  await t.step(
    "an outsider does not learn that the tenant exists",
    () => assertRefused(set(outsider, member.id, "banned"), 404, "tenants.not_found"),
  );
  await t.step(
    "not on an equal",
    () => assertRefused(set(manager, second.id, "suspended"), 403, "members.role_above_own"),
  );
  await t.step(
    "not on somebody above",
    () => assertRefused(set(manager, owner.id, "suspended"), 403, "members.role_above_own"),
  );
  await t.step(
    "not on oneself",
    () => assertRefused(set(owner, owner.id, "suspended"), 403, "members.not_yourself"),
  );
  await t.step(
    "not on a stranger",
    () => assertRefused(set(owner, unknown, "suspended"), 404, "members.not_found"),
  );
  await t.step(
    "not to a status that does not exist",
    () => assertRefused(set(owner, member.id, "happy"), 422, "request.invalid"),
  );
  await t.step("not from banned to suspended", async () => {
    await must(set(manager, member.id, "banned"));
    await assertRefused(set(manager, member.id, "suspended"), 409, "request.transition_refused");
    await must(set(manager, member.id, "active"));
  });
  await t.step("not back from left", async () => {
    await must(set(manager, member.id, "left"));
    await assertRefused(set(manager, member.id, "active"), 409, "request.transition_refused");
  });
});

Deno.test("members_set_role: nobody grants a role above their own or a permission they lack", async (t) => {
  const tenant = await createTenant();
  const [owner, manager, member] = await Promise.all(
    ["owner", "admin", "member"].map((role) => createMember(tenant, role)),
  ) as [Person, Person, Person];
  const set = (by: Person, role: string, person = member.id) =>
    by.client.rpc("members_set_role", { tenant_id: tenant.id, person, role });

  await t.step("an admin makes staff", async () => {
    assertEquals((await must<Member>(set(manager, "staff"))).role, "staff");
  });
  await t.step(
    "an admin makes no owner",
    () => assertRefused(set(manager, "owner"), 403, "members.role_above_own"),
  );
  await t.step(
    "nobody gives a role that does not exist",
    () => assertRefused(set(owner, "king"), 404, "members.role_not_found"),
  );
  await t.step("a role with a permission the actor lacks", async () => {
    // Wallet treasurers stand low in rank but may issue; the admin below may not.
    await must(owner.client.rpc("members_role_save", {
      tenant_id: tenant.id,
      slug: "treasurer",
      name: "Treasurer",
      rank: 50,
      permissions: ["tenants.read", "wallet.issue"],
    }));
    await must(owner.client.rpc("members_role_save", {
      tenant_id: tenant.id,
      slug: "admin",
      name: "Admin",
      rank: 80,
      permissions: ["tenants.read", "members.read", "members.manage"],
    }));
    await assertRefused(set(manager, "treasurer"), 403, "members.permission_denied");
    assertEquals((await must<Member>(set(owner, "treasurer"))).role, "treasurer");
  });
  await t.step(
    "the last owner keeps the role",
    () => assertRefused(set(owner, "admin", owner.id), 409, "members.last_owner"),
  );
});

Deno.test("two owners who step down at once leave one", async () => {
  const tenant = await createTenant();
  const owners = await Promise.all([createMember(tenant, "owner"), createMember(tenant, "owner")]);
  const answers = await Promise.all(
    owners.map(({ client, id }) =>
      client.rpc("members_set_role", { tenant_id: tenant.id, person: id, role: "member" })
    ),
  );
  assertEquals(answers.map(({ error }) => error?.message ?? "done").sort(), [
    "done",
    "members.last_owner",
  ]);
});

Deno.test("a member leaves and may come back; the last owner may not leave", async () => {
  const tenant = await createTenant({ registration_policy: "open" });
  const owner = await createMember(tenant, "owner");
  const member = await createMember(tenant, "staff");
  const leave = ({ client }: Person) => client.rpc("members_leave", { tenant_id: tenant.id });
  assertEquals((await must<Member>(leave(member))).status, "left");
  await assertRefused(leave(member), 403, "members.not_active");
  await assertRefused(leave(owner), 409, "members.last_owner");
  const back = await must<Member>(member.client.rpc("members_join", { tenant: tenant.slug }));
  assertEquals([back.status, back.role], ["active", "member"]);
});

Deno.test("a pending person takes back the wish to join", async () => {
  const tenant = await createTenant({ registration_policy: "approval" });
  const person = await createPerson();
  await must(person.client.rpc("members_join", { tenant: tenant.slug }));
  const leave = () => person.client.rpc("members_leave", { tenant_id: tenant.id });
  assertEquals((await must<Member>(leave())).status, "left");
  await assertRefused(leave(), 403, "members.not_active");
});

Deno.test("who left before the ban is kept out all the same", async () => {
  const tenant = await createTenant({ registration_policy: "open" });
  const owner = await createMember(tenant, "owner");
  const member = await createMember(tenant);
  await must(member.client.rpc("members_leave", { tenant_id: tenant.id }));
  await setStatus(owner.client, tenant, member, "banned");
  await assertRefused(
    member.client.rpc("members_join", { tenant: tenant.slug }),
    409,
    "members.already_member",
  );
});

Deno.test("a banned member cannot come back by leaving and joining", async () => {
  const tenant = await createTenant({ registration_policy: "open" });
  const owner = await createMember(tenant, "owner");
  const member = await createMember(tenant);
  await setStatus(owner.client, tenant, member, "banned");
  await assertRefused(
    member.client.rpc("members_leave", { tenant_id: tenant.id }),
    403,
    "members.not_active",
  );
  await assertRefused(
    member.client.rpc("members_join", { tenant: tenant.slug }),
    409,
    "members.already_member",
  );
});

Deno.test("members_add is for the secret key and operators", async () => {
  const tenant = await createTenant();
  const owner = await createMember(tenant, "owner");
  const person = await createPerson();
  const add = (client = owner.client, role = "member") =>
    client.rpc("members_add", { tenant_id: tenant.id, person: person.id, role });
  await assertRefused(add(), 404, "tenants.not_found");
  await assertRefused(add(admin(), "king"), 404, "members.role_not_found");
  await must(add(admin()));
  await assertRefused(add(admin()), 409, "members.already_member");
  await assertRefused(
    admin().rpc("members_add", { tenant_id: tenant.id, person: unknown }),
    404,
    "people.not_found",
  );
  await assertRefused(
    admin().rpc("members_add", { tenant_id: unknown, person: person.id }),
    404,
    "tenants.not_found",
  );
});

Deno.test("every status of a membership but none is final, and each can be reached", async () => {
  await withDatabase(async (sql) => {
    const steps = await sql<{ from_state: string; to_state: string }[]>`
      select from_state, to_state from private.transitions where machine = 'members'`;
    const states = ["pending", "active", "suspended", "banned", "left"];
    for (const state of states) {
      assertEquals(steps.some(({ from_state }) => from_state === state), true, `leave ${state}`);
      assertEquals(steps.some(({ to_state }) => to_state === state), true, `reach ${state}`);
    }
  });
});
