import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin, createPerson, type Person, proveRecently } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import {
  addMember,
  createMember,
  createTenant,
  setStatus,
  type Tenant,
} from "../support/tenants.ts";
import { openSession } from "../sessions/support.ts";
import { tokenOf } from "../support/api.ts";
import { codeOf, enrol, forgetSteps, overStack, read } from "../two_factor/support.ts";

const offer = (
  { client }: Person,
  { id }: Tenant,
  person: string,
  options: Record<string, unknown> = {},
) => client.rpc("members_offer_ownership", { tenant_id: id, person, ...options });

const acceptOffer = ({ client }: Person, { id }: Tenant) =>
  client.rpc("members_accept_ownership", { tenant_id: id });

const drop = ({ client }: Person, { id }: Tenant, person: string) =>
  client.rpc("members_drop_ownership_offer", { tenant_id: id, person });

/** A tenant whose owner has just proved themselves, and a member. */
async function createOwned() {
  const tenant = await createTenant();
  const owner = await enrol(await createMember(tenant, "owner"));
  return { tenant, owner, member: await createMember(tenant) };
}

async function rolesOf(tenant: Tenant, ...people: Person[]): Promise<(string | undefined)[]> {
  const rows = await must<{ person_id: string; role: string }[]>(
    admin().from("members").select("person_id, role").eq("tenant_id", tenant.id),
  );
  return people.map(({ id }) => rows.find(({ person_id }) => person_id === id)?.role);
}

Deno.test("ownership is offered and accepted: who offered it becomes an admin", async () => {
  const { tenant, owner, member } = await createOwned();
  await must(offer(owner, tenant, member.id));
  assertEquals(await rolesOf(tenant, owner, member), ["owner", "member"]);
  await mailTo(member.email, "members.ownership_offered");
  await must(acceptOffer(member, tenant));
  assertEquals(await rolesOf(tenant, owner, member), ["admin", "owner"]);
  await mailTo(owner.email, "members.ownership_moved");
  await assertRefused(acceptOffer(member, tenant), 404, "members.offer_not_found");
});

Deno.test("or both own it, where who offers it stays", async () => {
  const { tenant, owner, member } = await createOwned();
  await must(offer(owner, tenant, member.id, { stays: true }));
  await must(acceptOffer(member, tenant));
  assertEquals(await rolesOf(tenant, owner, member), ["owner", "owner"]);
});

Deno.test("members_offer_ownership: who may, and to whom", async (t) => {
  const { tenant, owner, member } = await createOwned();
  const manager = await createMember(tenant, "admin");
  await t.step(
    "not an admin",
    () => assertRefused(offer(manager, tenant, member.id), 403, "members.permission_denied"),
  );
  await t.step("A13: not without having proved just now that it is them", async () => {
    await withDatabase((sql) =>
      sql`
        update private.trust_sessions set verified_at = now() - interval '6 minutes'
        where person_id = ${owner.id}`
    );
    const late = offer(owner, tenant, member.id);
    await assertRefused(late, 403, "two_factor.recent_required");
    await forgetSteps(owner);
    const code = codeOf(owner.secret);
    await read(overStack("/verify", await tokenOf(owner), { code }));
  });
  await t.step("A13: who has no second factor gives their password again", async () => {
    const second = await createMember(tenant, "owner");
    const late = offer(second, tenant, member.id);
    await assertRefused(late, 403, "accounts.reauthentication_required");
    await proveRecently(second);
    await must(offer(second, tenant, member.id));
  });
  await t.step(
    "not to oneself",
    () => assertRefused(offer(owner, tenant, owner.id), 403, "members.not_yourself"),
  );
  await t.step("not to an owner", async () => {
    const second = await createMember(tenant, "owner");
    await assertRefused(offer(owner, tenant, second.id), 409, "members.already_owner");
  });
  await t.step("not to who is suspended, or a stranger", async () => {
    const suspended = await createMember(tenant);
    await setStatus(owner.client, tenant, suspended, "suspended");
    for (const person of [suspended.id, crypto.randomUUID()]) {
      await assertRefused(offer(owner, tenant, person), 404, "members.not_found");
    }
  });
  await t.step("stays is yes or no", () =>
    assertRefused(
      offer(owner, tenant, member.id, { stays: null }),
      422,
      "request.invalid",
    ));
});

Deno.test("an offer ends: declined, taken back, run out, or with its author", async (t) => {
  const { tenant, owner, member } = await createOwned();
  const other = await createMember(tenant);
  const refused = () => assertRefused(acceptOffer(member, tenant), 404, "members.offer_not_found");
  await t.step("nobody else touches it", async () => {
    await must(offer(owner, tenant, member.id));
    await assertRefused(acceptOffer(other, tenant), 404, "members.offer_not_found");
    await assertRefused(drop(other, tenant, member.id), 404, "members.offer_not_found");
    assertEquals(await must(other.client.from("members_ownership_offers").select("*")), []);
  });
  await t.step("declined", async () => {
    await must(drop(member, tenant, member.id));
    await refused();
  });
  await t.step("taken back", async () => {
    await must(offer(owner, tenant, member.id));
    await must(drop(owner, tenant, member.id));
    await refused();
  });
  await t.step("run out", async () => {
    await must(offer(owner, tenant, member.id));
    await withDatabase((sql) =>
      sql`update members_ownership_offers set expires_at = now() where tenant_id = ${tenant.id}`
    );
    await refused();
  });
  await t.step("who offered it is no owner any more", async () => {
    await createMember(tenant, "owner");
    await must(offer(owner, tenant, member.id));
    await must(owner.client.rpc("members_set_role", {
      tenant_id: tenant.id,
      person: owner.id,
      role: "admin",
    }));
    await refused();
    assertEquals(await rolesOf(tenant, member), ["member"]);
  });
});

Deno.test("nobody accepts in somebody's place, nor by a key", async () => {
  const { tenant, owner, member } = await createOwned();
  await must(offer(owner, tenant, member.id));
  const bounds = { tenant_id: tenant.id, actor_id: owner.id };
  const { client } = await openSession(member, { purpose: "impersonation", bounds });
  await assertRefused(acceptOffer({ ...member, client }, tenant), 403, "auth.session_bounded");
  await must(acceptOffer(member, tenant));
});

Deno.test("two who accept at once leave an owner, and the offerer gives it up once", async () => {
  const { tenant, owner, member } = await createOwned();
  const other = await createMember(tenant);
  await must(offer(owner, tenant, member.id));
  await must(offer(owner, tenant, other.id));
  const answers = await Promise.all([acceptOffer(member, tenant), acceptOffer(other, tenant)]);
  assertEquals(answers.map(({ error }) => error?.message ?? "done").sort(), [
    "done",
    "members.offer_not_found",
  ]);
  assertEquals((await rolesOf(tenant, owner, member, other)).sort(), ["admin", "member", "owner"]);
});

Deno.test("erasing a tenant's last owner is told to operators, who put in another", async () => {
  const operator = await createPerson();
  await addMember({ id: "00000000-0000-7000-8000-000000000001" }, operator, "admin");
  const tenant = await createTenant({ name: `Bereft ${crypto.randomUUID()}` });
  const [owner, member] = await Promise.all([createMember(tenant, "owner"), createMember(tenant)]);
  const ownerless = async () => {
    const [row] = await withDatabase((sql) =>
      sql`select count(*)::int as count from private.tenants_ownerless() t where t.id = ${tenant.id}`
    );
    return row!.count;
  };
  assertEquals(await ownerless(), 0);
  await must(admin().auth.admin.deleteUser(owner.id));
  assertEquals(await ownerless(), 1);
  const mail = await mailTo(operator.email, "tenants.ownerless");
  assertEquals(mail.subject.includes(tenant.name), true);
  await must(operator.client.rpc("members_add", {
    tenant_id: tenant.id,
    person: (await createPerson()).id,
    role: "owner",
  }));
  assertEquals([await ownerless(), await rolesOf(tenant, member)], [0, ["member"]]);
});
