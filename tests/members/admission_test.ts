import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin, createPerson, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";

interface Member {
  status: string;
  role: string;
  waiting_for: string | null;
  admitted_by: string | null;
}

const stateOf = ({ status, waiting_for, admitted_by }: Member) => [
  status,
  waiting_for,
  admitted_by,
];

const join = ({ client }: Person, { slug }: Tenant) => client.rpc("members_join", { tenant: slug });

const setDomains = ({ client }: Person, tenant: Tenant, domains: unknown) =>
  client.rpc("members_set_domains", { tenant_id: tenant.id, domains });

/** Somebody who has registered and not yet proved their address, as a tenant's door leaves them. */
async function register(tenant: Tenant, email = `${crypto.randomUUID()}@nexus.test`) {
  const { data, error } = await admin().auth.admin.createUser({ email, password: "Nexus-demo-1" });
  if (error) throw error;
  const id = data.user.id;
  const [member] = await withDatabase((sql) =>
    sql<Member[]>`select * from private.admit(${tenant.id}, ${id})`
  );
  return { id, member: member! };
}

/** Confirms the address, and says what has become of the membership by then. */
async function confirm(tenant: Tenant, id: string): Promise<Member> {
  await must(admin().auth.admin.updateUserById(id, { email_confirm: true }));
  return await must<Member>(
    admin().from("members").select("*").eq("tenant_id", tenant.id).eq("person_id", id).single(),
  );
}

Deno.test("each policy says who is in at once, and what the others wait for", async () => {
  const outcomes = { open: ["active", null, "open"], approval: ["pending", "approval", null] };
  for (const [registration_policy, wanted] of Object.entries(outcomes)) {
    const tenant = await createTenant({ registration_policy });
    assertEquals(stateOf(await must<Member>(join(await createPerson(), tenant))), wanted);
  }
  const closed = await createTenant({ registration_policy: "invitation" });
  await assertRefused(join(await createPerson(), closed), 403, "members.registration_closed");
});

Deno.test("under domain a confirmed address of it is in, any other waits for an admin", async (t) => {
  const tenant = await createTenant({ registration_policy: "domain" });
  const owner = await createMember(tenant, "owner");
  const domain = `d${crypto.randomUUID().slice(0, 8)}.test`;
  await must(setDomains(owner, tenant, [domain.toUpperCase(), `*.sub.${domain}`]));
  const outcomes: Record<string, string> = {
    [domain]: "active",
    [`evil-${domain}`]: "pending",
    [`x.${domain}`]: "pending",
    [`a.sub.${domain}`]: "active",
    [`sub.${domain}`]: "pending",
    [`evilsub.${domain}`]: "pending",
    [`${domain}.evil.test`]: "pending",
  };
  for (const [address, status] of Object.entries(outcomes)) {
    await t.step(`${address.replace(domain, "example.edu")}: ${status}`, async () => {
      const person = await createPerson({ email: `${crypto.randomUUID()}@${address}` });
      assertEquals((await must<Member>(join(person, tenant))).status, status);
    });
  }
  await t.step("an admin decides about the others", async () => {
    const person = await createPerson();
    await must(join(person, tenant));
    const admitted = await must<Member>(owner.client.rpc("members_set_status", {
      tenant_id: tenant.id,
      person: person.id,
      status: "active",
    }));
    assertEquals(stateOf(admitted), ["active", null, "approval"]);
  });
});

Deno.test("members_set_domains: who may, and what is a domain", async (t) => {
  const tenant = await createTenant();
  const [owner, member] = await Promise.all([createMember(tenant, "owner"), createMember(tenant)]);
  await t.step(
    "not a member",
    () => assertRefused(setDomains(member, tenant, []), 403, "members.permission_denied"),
  );
  for (
    const bad of [["nodot"], ["exa mple.edu"], ["@example.edu"], ["*"], ["*.*.edu"], [null], null]
  ) {
    await t.step(
      `refused: ${JSON.stringify(bad)}`,
      () => assertRefused(setDomains(owner, tenant, bad), 422, "request.invalid"),
    );
  }
  await t.step("saving replaces", async () => {
    await must(setDomains(owner, tenant, ["a.test", "b.test"]));
    const rows = await must<{ domain: string }[]>(setDomains(owner, tenant, ["c.test", "c.test"]));
    assertEquals(rows.map(({ domain }) => domain), ["c.test"]);
    assertEquals(await must(member.client.from("members_domains").select("*")), []);
  });
});

Deno.test("whoever has not proved their address waits for that first, then for what the policy asks", async (t) => {
  for (
    const [registration_policy, then] of [
      ["open", ["active", null, "open"]],
      ["approval", ["pending", "approval", null]],
      ["domain", ["pending", "approval", null]],
    ] as const
  ) {
    await t.step(registration_policy, async () => {
      const tenant = await createTenant({ registration_policy });
      const { id, member } = await register(tenant);
      assertEquals(stateOf(member), ["pending", "email", null]);
      assertEquals(stateOf(await confirm(tenant, id)), then);
    });
  }
  await t.step("a policy that closed meanwhile leaves it to an admin", async () => {
    const tenant = await createTenant({ registration_policy: "open" });
    const owner = await createMember(tenant, "owner");
    const { id } = await register(tenant);
    await must(
      owner.client.from("tenants").update({ registration_policy: "invitation" }).eq(
        "id",
        tenant.id,
      ),
    );
    assertEquals(stateOf(await confirm(tenant, id)), ["pending", "approval", null]);
  });
  await t.step("an address of the domain counts once it is proved", async () => {
    const tenant = await createTenant({ registration_policy: "domain" });
    const owner = await createMember(tenant, "owner");
    const domain = `d${crypto.randomUUID().slice(0, 8)}.test`;
    await must(setDomains(owner, tenant, [domain]));
    const { id, member } = await register(tenant, `a@${domain}`);
    assertEquals(stateOf(member), ["pending", "email", null]);
    assertEquals(stateOf(await confirm(tenant, id)), ["active", null, "domain"]);
  });
});

Deno.test("who waits comes in by asking again once the policy lets them", async () => {
  const tenant = await createTenant({ registration_policy: "approval" });
  const owner = await createMember(tenant, "owner");
  const person = await createPerson();
  await must(join(person, tenant));
  await assertRefused(join(person, tenant), 409, "members.already_member");
  const me = await must<{ tenants: Member[] }>(person.client.rpc("people_me"));
  assertEquals(me.tenants.map(({ waiting_for }) => waiting_for), ["approval"]);
  await must(
    owner.client.from("tenants").update({ registration_policy: "open" }).eq("id", tenant.id),
  );
  assertEquals(stateOf(await must<Member>(join(person, tenant))), ["active", null, "open"]);
  await assertRefused(join(person, tenant), 409, "members.already_member");
});
