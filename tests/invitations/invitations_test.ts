import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin, createPerson, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { accept, invite } from "../support/members.ts";
import {
  addMember,
  createMember,
  createTenant,
  setStatus,
  type Tenant,
} from "../support/tenants.ts";

interface Member {
  status: string;
  role: string;
  waiting_for: string | null;
  admitted_by: string;
}

const create = ({ client }: Person, { id }: Tenant, options: Record<string, unknown> = {}) =>
  client.rpc("invitations_create", { tenant_id: id, ...options });

const revoke = ({ client }: Person, { id }: Tenant, invitation: string) =>
  client.rpc("invitations_revoke", { tenant_id: id, invitation });

/** A closed tenant with its owner and an admin. */
async function createClosed() {
  const tenant = await createTenant({ registration_policy: "invitation" });
  const [owner, manager] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant, "admin"),
  ]);
  return { tenant, owner, manager };
}

Deno.test("an invitation brings its guest in at once, whatever the policy, with its roles", async (t) => {
  const { tenant, manager } = await createClosed();
  const { token } = await invite(manager, tenant, { role: "staff+guest", label: "Helpers" });
  const guest = await createPerson();
  await t.step("in", async () => {
    const { status, role, admitted_by } = await must<Member>(accept(guest, token));
    assertEquals([status, role, admitted_by], ["active", "guest+staff", "invitation"]);
  });
  await t.step("once", async () => {
    await assertRefused(accept(await createPerson(), token), 409, "invitations.ended");
  });
  await t.step("those who invite see who came by it; its token stands nowhere", async () => {
    const [row] = await must<Record<string, unknown>[]>(
      manager.client.from("invitations").select("*, invitations_uses(person_id)"),
    );
    assertEquals([row?.status, row?.uses, row?.label], ["used", 1, "Helpers"]);
    assertEquals(row?.invitations_uses, [{ person_id: guest.id }]);
    await withDatabase(async (sql) => {
      const [kept] = await sql`
        select encode(digest, 'hex') as digest from private.invitations_tokens
        where tenant_id = ${tenant.id}`;
      const secret = Uint8Array.fromBase64(token, { alphabet: "base64url" }).slice(32);
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", secret)).toHex();
      assertEquals(kept?.digest, digest);
    });
  });
});

Deno.test("a token that is none, or nearly one, is not found", async () => {
  const { tenant, owner } = await createClosed();
  const other = await createClosed();
  const { token } = await invite(owner, tenant);
  const { token: strange } = await invite(other.owner, other.tenant);
  const guest = await createPerson();
  const flipped = token.slice(0, -1) + (token.endsWith("A") ? "B" : "A");
  const tokens = [null, "", "x", "x".repeat(64), flipped, token.slice(0, 43) + strange.slice(43)];
  for (const wrong of tokens) {
    await assertRefused(accept(guest, wrong), 404, "invitations.not_found");
  }
  await must(accept(guest, token));
});

Deno.test("Z6: fifty people with one invitation for three: three come in", async () => {
  const { tenant, owner } = await createClosed();
  const { id, token } = await invite(owner, tenant, { uses: 3 });
  const people = await Promise.all(Array.from({ length: 50 }, () => createPerson()));
  const answers = await Promise.all(people.map((person) => accept(person, token)));
  const came = answers.filter(({ error }) => error === null).length;
  const refused = answers.filter(({ error }) => error?.message === "invitations.ended").length;
  assertEquals([came, refused], [3, 47]);
  const { uses, status } = await must<{ uses: number; status: string }>(
    owner.client.from("invitations").select("uses, status").eq("id", id).single(),
  );
  assertEquals([uses, status], [3, "used"]);
});

Deno.test("whoever is a member already, or banned, uses nothing up", async () => {
  const { tenant, owner, manager } = await createClosed();
  const banned = await createMember(tenant);
  await setStatus(owner.client, tenant, banned, "banned");
  const { id, token } = await invite(owner, tenant);
  for (const person of [manager, banned]) {
    await assertRefused(accept(person, token), 409, "members.already_member");
  }
  const { uses } = await must<{ uses: number }>(
    owner.client.from("invitations").select("uses").eq("id", id).single(),
  );
  assertEquals(uses, 0);
});

Deno.test("who came by a link and was removed does not come back by it", async () => {
  const { tenant, owner } = await createClosed();
  const { token } = await invite(owner, tenant, { uses: 10 });
  const guest = await createPerson();
  await must(accept(guest, token));
  await setStatus(owner.client, tenant, guest, "left");
  await assertRefused(accept(guest, token), 409, "invitations.ended");
  const { token: another } = await invite(owner, tenant);
  await must(accept(guest, another));
});

Deno.test("somebody who waits comes in by an invitation", async () => {
  const tenant = await createTenant({ registration_policy: "approval" });
  const owner = await createMember(tenant, "owner");
  const guest = await createPerson();
  await must(guest.client.rpc("members_join", { tenant: tenant.slug }));
  const { token } = await invite(owner, tenant, { role: "staff" });
  const { status, role } = await must<Member>(accept(guest, token));
  assertEquals([status, role], ["active", "staff"]);
});

Deno.test("an invitation ends: revoked, or by time", async (t) => {
  const { tenant, owner, manager } = await createClosed();
  const guest = await createPerson();
  await t.step("revoked by another who may", async () => {
    const { id, token } = await invite(owner, tenant);
    await must(revoke(manager, tenant, id));
    await assertRefused(accept(guest, token), 409, "invitations.ended");
    await assertRefused(revoke(manager, tenant, id), 409, "invitations.ended");
    await assertRefused(revoke(owner, tenant, crypto.randomUUID()), 404, "invitations.not_found");
  });
  await t.step("expired, before and after the clock has said so", async () => {
    const { id, token } = await invite(owner, tenant);
    await withDatabase(async (sql) => {
      await sql`update invitations set expires_at = now() where id = ${id}`;
      await assertRefused(accept(guest, token), 409, "invitations.ended");
      await sql`select private.invitations_expire()`;
    });
    const { status } = await must<{ status: string }>(
      owner.client.from("invitations").select("status").eq("id", id).single(),
    );
    assertEquals(status, "expired");
    await assertRefused(accept(guest, token), 409, "invitations.ended");
  });
  await t.step(
    "every status but open is final, and each can be reached",
    () =>
      withDatabase(async (sql) => {
        const steps = await sql`
        select from_state || ' ' || to_state as step from private.transitions
        where machine = 'invitations' order by 1`;
        assertEquals(steps.map(({ step }) => step), ["open expired", "open revoked", "open used"]);
      }),
  );
});

Deno.test("an invitation is as good as its author", async (t) => {
  const { tenant, owner } = await createClosed();
  const guest = await createPerson();
  await t.step("a demoted author's gives nothing", async () => {
    const author = await createMember(tenant, "admin");
    const { token } = await invite(author, tenant);
    await must(owner.client.rpc("members_set_role", {
      tenant_id: tenant.id,
      person: author.id,
      role: "staff",
    }));
    await assertRefused(accept(guest, token), 409, "invitations.ended");
  });
  await t.step("a banned author's neither", async () => {
    const author = await createMember(tenant, "admin");
    const { token } = await invite(author, tenant);
    await setStatus(owner.client, tenant, author, "banned");
    await assertRefused(accept(guest, token), 409, "invitations.ended");
  });
  await t.step("nor one whose role has grown above the author's", async () => {
    const author = await createMember(tenant, "admin");
    const save = (permissions: string[]) =>
      must(owner.client.rpc("members_role_save", {
        tenant_id: tenant.id,
        slug: "helper",
        name: "Helper",
        rank: 30,
        permissions,
      }));
    await save([]);
    const { token } = await invite(author, tenant, { role: "helper" });
    await save(["refunds.issue"]);
    await assertRefused(accept(guest, token), 409, "invitations.ended");
    await save([]);
    await must(accept(guest, token));
  });
});

Deno.test("invitations_create: who may, and what", async (t) => {
  const { tenant, owner, manager } = await createClosed();
  const member = await createMember(tenant);
  const outsider = await createMember(await createTenant(), "owner");
  const at = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  await t.step(
    "not a member",
    () => assertRefused(create(member, tenant), 403, "members.permission_denied"),
  );
  await t.step(
    "not an outsider",
    () => assertRefused(create(outsider, tenant), 404, "tenants.not_found"),
  );
  const faults = [
    ...[0, 10_001, null].map((uses) => ({ uses })),
    ...[at(-1), at(400), null].map((expires_at) => ({ expires_at })),
    { label: " " },
  ];
  for (const bad of faults) {
    await t.step(
      `refused: ${Object.keys(bad)}`,
      () => assertRefused(create(owner, tenant, bad), 422, "request.invalid"),
    );
  }
  await t.step(
    "no role that does not exist",
    () => assertRefused(create(owner, tenant, { role: "king" }), 404, "members.role_not_found"),
  );
  await t.step(
    "none above one's own",
    () => assertRefused(create(manager, tenant, { role: "owner" }), 403, "members.role_above_own"),
  );
  await t.step(
    "no owner",
    () =>
      assertRefused(create(owner, tenant, { role: "owner" }), 409, "members.ownership_is_offered"),
  );
  await t.step("no role with a permission that one lacks", async () => {
    await must(owner.client.rpc("members_role_save", {
      tenant_id: tenant.id,
      slug: "refunder",
      name: "Refunder",
      rank: 20,
      permissions: ["refunds.issue"],
    }));
    const role = "refunder+staff";
    await assertRefused(create(manager, tenant, { role }), 403, "members.permission_denied");
  });
  await t.step("a role that somebody is invited to stays", async () => {
    await invite(owner, tenant, { role: "refunder" });
    await assertRefused(
      owner.client.rpc("members_role_delete", { tenant_id: tenant.id, slug: "refunder" }),
      409,
      "members.role_in_use",
    );
  });
});

Deno.test("an operator comes in by an operator's invitation alone", async () => {
  const platform = { id: "00000000-0000-7000-8000-000000000001" } as Tenant;
  const [operator, mate] = await Promise.all([createPerson(), createPerson()]);
  await addMember(platform, operator, "admin");
  const join = mate.client.rpc("members_join", { tenant: "platform" });
  await assertRefused(join, 404, "tenants.not_found");
  const { token } = await invite(operator, platform, { role: "staff" });
  assertEquals((await must<Member>(accept(mate, token))).role, "staff");
});

Deno.test("whoever registers with an invitation waits for their address, then is in as invited", async () => {
  const { tenant, owner } = await createClosed();
  const { token } = await invite(owner, tenant, { role: "staff" });
  const { data, error } = await admin().auth.admin.createUser({
    email: `${crypto.randomUUID()}@nexus.test`,
    password: "Nexus-demo-1",
  });
  if (error) throw error;
  const { id } = data.user;
  await withDatabase((sql) => sql`select private.admit(${tenant.id}, ${id}, ${token})`);
  const member = async () => {
    const found = owner.client.from("members").select("*").eq("person_id", id).single();
    const { status, waiting_for, role } = await must<Member>(found);
    return [status, waiting_for, role];
  };
  assertEquals(await member(), ["pending", "email", "staff"]);
  await must(admin().auth.admin.updateUserById(id, { email_confirm: true }));
  assertEquals(await member(), ["active", null, "staff"]);
});
