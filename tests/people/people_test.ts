import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin, anonymous, createPerson, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant } from "../support/tenants.ts";

interface Me {
  id: string;
  email: string;
  email_verified: boolean;
  display_name: string;
  locale: string | null;
  time_zone: string | null;
  preferences: Record<string, unknown>;
  providers: string[];
  tenants: { slug: string; role: string; status: string; modules: string[] }[];
}

Deno.test("people_me tells who I am and what my session opens", async () => {
  const tenant = await createTenant();
  const person = await createMember(tenant, "guest");
  const me = await must<Me>(person.client.rpc("people_me"));
  assertEquals([me.id, me.email, me.email_verified], [person.id, person.email, true]);
  assertEquals([me.display_name, me.providers], ["Member", ["email"]]);
  assertEquals(me.tenants.map(({ slug, role, status, modules }) => [slug, role, status, modules]), [
    [tenant.slug, "guest", "active", ["wallet"]],
  ]);
});

Deno.test("people_update_me changes what it may, and a new name reaches every tenant", async () => {
  const person = await createMember(await createTenant());
  const changes = {
    display_name: " Ana Lu ",
    locale: "de-AT",
    time_zone: "Europe/Vienna",
    preferences: { theme: "dark", text_scale: 1.25, apps: { cafe: { seat: 12 } } },
  };
  const me = await must<Me>(person.client.rpc("people_update_me", { changes }));
  assertEquals(
    [me.display_name, me.locale, me.time_zone, me.preferences],
    ["Ana Lu", "de-AT", "Europe/Vienna", changes.preferences],
  );
  assertEquals(await must(person.client.from("members").select("display_name")), [
    { display_name: "Ana Lu" },
  ]);
  const reset = await must<Me>(
    person.client.rpc("people_update_me", { changes: { locale: null, time_zone: null } }),
  );
  assertEquals([reset.display_name, reset.locale, reset.time_zone], ["Ana Lu", null, null]);
});

const refused: Record<string, unknown>[] = [
  { email: "other@nexus.test" },
  { display_name: "Ana", id: crypto.randomUUID() },
  { display_name: "" },
  { display_name: null },
  { display_name: "x".repeat(81) },
  { locale: "not a locale" },
  { locale: `en${"-abcd".repeat(7)}` },
  { time_zone: "Mars/Olympus" },
  { time_zone: 1 },
  { preferences: [] },
  { preferences: { apps: { text: "x".repeat(9_000) } } },
  { preferences: { theme: "neon" } },
  { preferences: { theme: null } },
  { preferences: { text_scale: "1" } },
  { preferences: { text_scale: 4 } },
  { preferences: { apps: [] } },
  { preferences: { sound: true } },
];

Deno.test("apps keep 8 kB of whatever shape among the preferences", async () => {
  const person = await createPerson();
  const preferences = { apps: { order: Array.from({ length: 2_600 }, () => 1) } };
  const me = await must<Me>(
    person.client.rpc("people_update_me", { changes: { preferences } }),
  );
  assertEquals(me.preferences, preferences);
});

Deno.test("people_update_me refuses any other field and every bad value, changing nothing", async () => {
  const person = await createPerson();
  const before = await must<Me>(person.client.rpc("people_me"));
  for (const changes of refused) {
    await assertRefused(
      person.client.rpc("people_update_me", { changes: { time_zone: "UTC", ...changes } }),
      422,
      "request.invalid",
    );
  }
  assertEquals(await must<Me>(person.client.rpc("people_me")), before);
});

Deno.test("a person's row is theirs alone, and is changed by its one door", async () => {
  const tenant = await createTenant();
  const [person, fellow] = await Promise.all([createMember(tenant), createMember(tenant)]);
  assertEquals(await must(fellow.client.from("people").select("id")), [{ id: fellow.id }]);
  const { error } = await person.client.from("people").update({ display_name: "Me" })
    .eq("id", person.id);
  assertEquals(error?.code, "42501");
  assertEquals((await anonymous().rpc("people_me")).status, 401);
});

Deno.test("a session that ended or a banned person is refused on the next statement", async (t) => {
  await t.step("signed out everywhere", async () => {
    const person = await createMember(await createTenant());
    const { data } = await person.client.auth.getSession();
    const held = anonymous();
    const authorization = `Bearer ${data.session!.access_token}`;
    const call = () => held.rpc("people_me").setHeader("authorization", authorization);
    await must(call());
    assertEquals((await person.client.auth.signOut({ scope: "global" })).error, null);
    await assertRefused(call(), 401, "auth.session_ended");
    const rows = await must(
      held.from("tenants").select("id").setHeader("authorization", authorization),
    );
    assertEquals(rows, []);
  });
  await t.step("revoked in the database", async () => {
    const person = await createMember(await createTenant());
    await withDatabase((sql) => sql`delete from auth.sessions where user_id = ${person.id}`);
    await assertRefused(person.client.rpc("people_me"), 401, "auth.session_ended");
    assertEquals(await must(person.client.from("wallet_accounts").select("id")), []);
  });
  await t.step("banned by an operator", async () => {
    const person = await createMember(await createTenant());
    await admin().auth.admin.updateUserById(person.id, { ban_duration: "1h" });
    await assertRefused(person.client.rpc("people_me"), 401, "auth.session_ended");
    await admin().auth.admin.updateUserById(person.id, { ban_duration: "none" });
    await must((await signIn(person.email)).rpc("people_me"));
  });
});

Deno.test("ending one session leaves the person's others alone", async () => {
  const person = await createPerson();
  const second = await signIn(person.email);
  await person.client.auth.signOut({ scope: "local" });
  await must(second.rpc("people_me"));
});

Deno.test("a deleted login leaves an anonymous person whose id cannot come back", async () => {
  const tenant = await createTenant();
  const owner = await createMember(tenant, "owner");
  const person = await createMember(tenant);
  await must(person.client.rpc("people_update_me", { changes: { display_name: "Soon gone" } }));
  await admin().auth.admin.deleteUser(person.id);
  const [left] = await must<Record<string, unknown>[]>(
    owner.client.from("members").select("display_name, status, avatar_url").eq(
      "person_id",
      person.id,
    ),
  );
  assertEquals(left, { display_name: "Former member", status: "left", avatar_url: null });
  const lines = await must<{ resource: string }[]>(
    owner.client.rpc("audit_search", { tenant_id: tenant.id, action: "MEMBER_LEFT" }),
  );
  assertEquals(lines.map(({ resource }) => resource), [`members:${person.id}`]);
  const again = await admin().auth.admin.createUser({ id: person.id, email: person.email });
  assertEquals(again.data.user, null);
});

Deno.test("people_session tells whom a request is for", async (t) => {
  const tenant = await createTenant();
  const person = await createMember(tenant, "staff");
  const ask = (args: Record<string, unknown>) => person.client.rpc("people_session", args);
  await t.step("by slug", async () => {
    const session = await must<Record<string, unknown>>(ask({ tenant: tenant.slug }));
    assertEquals([session.person_id, session.tenant_id, session.role], [
      person.id,
      tenant.id,
      "staff",
    ]);
  });
  await t.step("the only one when none is named", async () => {
    const session = await must<Record<string, unknown>>(ask({ needs_tenant: true }));
    assertEquals(session.tenant_id, tenant.id);
  });
  await t.step(
    "unknown",
    () => assertRefused(ask({ tenant: "nowhere" }), 404, "tenants.not_found"),
  );
  await t.step("not mine", async () => {
    const other = await createTenant();
    await assertRefused(ask({ tenant: other.slug }), 404, "tenants.not_found");
  });
  await t.step("none of several named", async () => {
    const second = await createTenant();
    await must(admin().rpc("members_add", { tenant_id: second.id, person: person.id }));
    await assertRefused(ask({ needs_tenant: true }), 400, "tenants.ambiguous");
  });
  await t.step("none at all", async () => {
    const stranger = await createPerson();
    await assertRefused(
      stranger.client.rpc("people_session", { needs_tenant: true }),
      404,
      "tenants.not_found",
    );
    await must(stranger.client.rpc("people_session"));
  });
});
