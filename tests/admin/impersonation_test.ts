import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { assertRefused, must } from "../support/answers.ts";
import { assertAuthRefuses } from "../support/auth_doors.ts";
import { admin, type Person, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { addMember, createMember, createTenant, setStatus } from "../support/tenants.ts";
import { sample } from "../conventions/samples.ts";
import { createEnrolled, enrol } from "../two_factor/support.ts";
import { act, callAdmin, createWorld, impersonate, noticesOf, suspend } from "./support.ts";

const me = async (token: string) => await (await callApi("/v1/users/me", { token })).json();

const opens = async ({ client }: Pick<Person, "client">) =>
  (await must<{ slug: string }[]>(client.from("tenants").select("slug"))).map(({ slug }) => slug);

/** Moves the end of an impersonation into the past, and lets the clock come by. */
const runOut = (id: string, clock = true) =>
  withDatabase(async (sql) => {
    await sql`
      with over as (
        update private.admin_impersonations set expires_at = now() - interval '1 second'
        where id = ${id} returning session_id
      )
      update private.trust_apart b set expires_at = now() - interval '1 second'
      from over where b.session_id = over.session_id`;
    if (
      clock
    ) await sql`select private.jobs_run_schedule('admin-end-impersonations', manual => true)`;
  });

Deno.test("an impersonation opens that tenant as the member sees it, reads, and says so", async (t) => {
  const world = await createWorld();
  const { tenant, manager, member } = world;
  const elsewhere = await createTenant();
  await addMember(elsewhere, member);
  const as = await impersonate(world, manager, member);
  await t.step("fifteen minutes, read-only", () => {
    const minutes = (Date.parse(as.impersonation.expires_at) - Date.now()) / 60_000;
    assertEquals([as.impersonation.read_only, Math.round(minutes)], [true, 15]);
  });
  await t.step("that tenant alone, whichever door", async () => {
    assertEquals(await opens(as), [tenant.slug]);
    const { token } = as;
    const other = { token, headers: { "nexus-tenant": elsewhere.slug } };
    await assertProblem(
      await callApi("/v1/wallet/statement?currency=hours", other),
      404,
      "tenants.not_found",
    );
    await assertRefused(
      as.client.rpc("wallet_payees", { tenant_id: elsewhere.id, currency: "hours" }),
      404,
      "tenants.not_found",
    );
  });
  await t.step("the banner", async () => {
    const { impersonation, tenants, email, id } = await me(as.token);
    assertEquals([impersonation.by, impersonation.read_only, id], [manager.id, true, member.id]);
    assertEquals([tenants.map(({ slug }: { slug: string }) => slug), email], [[tenant.slug], null]);
    assertEquals((await me(await tokenOf(member))).impersonation, null);
  });
  await t.step("no writing", () =>
    assertRefused(
      as.client.rpc("members_set_role", { tenant_id: tenant.id, person: member.id, role: "guest" }),
      403,
      "auth.read_only",
    ));
  await t.step("the member's own session is what it was", async () => {
    assertEquals((await opens(member)).sort(), [tenant.slug, elsewhere.slug].sort());
  });
});

Deno.test("who is about to be deleted is not acted for: to Auth they would have come back", async () => {
  const world = await createWorld();
  const { manager, member } = world;
  await withDatabase((sql) =>
    sql`update people set deletion_due_at = now() + interval '30 days' where id = ${member.id}`
  );
  const path = `/users/${member.id}/impersonate`;
  const body = { reason: "To see what they see" };
  const answer = await callAdmin(world, manager, path, { body });
  await assertProblem(answer, 409, "request.transition_refused");
  const [left] = await withDatabase((sql) =>
    sql`select deletion_due_at is not null as due from people where id = ${member.id}`
  );
  assertEquals(left!.due, true);
});

Deno.test("it ends by DELETE: the session is gone at once, and the member is told", async () => {
  const world = await createWorld();
  const { manager, second, member } = world;
  const as = await impersonate(world, manager, member);
  assertEquals(await noticesOf(member), []);
  const path = `/users/${member.id}/impersonate`;
  const end = (by: Person) => callAdmin(world, by, path, { method: "DELETE" });
  await assertProblem(await end(second), 404, "admin.impersonation_not_found");
  assertEquals((await end(manager)).status, 204);
  assertEquals(await opens(as), []);
  await assertRefused(as.client.rpc("people_session"), 401, "auth.session_ended");
  assertEquals(await noticesOf(member), ["admin.impersonated"]);
  await assertProblem(await end(manager), 404, "admin.impersonation_not_found");
});

Deno.test("it ends by the clock, before the clock comes by", async () => {
  const world = await createWorld();
  const { manager, member } = world;
  const as = await impersonate(world, manager, member, { writes: true });
  await runOut(as.impersonation.id, false);
  await assertRefused(as.client.rpc("people_session"), 401, "auth.session_ended");
  assertEquals(await noticesOf(member), []);
  await runOut(as.impersonation.id);
  assertEquals(await noticesOf(member), ["admin.impersonated_writing"]);
});

Deno.test("it ends when the admin is no longer who they were", async (t) => {
  const ended = async (
    change: (world: Awaited<ReturnType<typeof createWorld>>) => Promise<unknown>,
  ) => {
    const world = await createWorld();
    const as = await impersonate(world, world.manager, world.member);
    await change(world);
    await assertRefused(as.client.rpc("people_session"), 401, "auth.session_ended");
    assertEquals(
      await noticesOf(world.member).then((kinds) => kinds.includes("admin.impersonated")),
      true,
    );
  };
  await t.step(
    "suspended",
    () => ended((world) => must(suspend(world, world.owner, world.manager))),
  );
  await t.step(
    "of a lesser role",
    () =>
      ended((world) =>
        must(act(world, world.owner, "members_set_role", world.manager, { role: "staff" }))
      ),
  );
  await t.step(
    "the member suspended",
    () => ended((world) => must(suspend(world, world.second, world.member))),
  );
  await t.step(
    "banned from everywhere",
    () =>
      ended(({ manager }) =>
        withDatabase((sql) =>
          sql`update auth.users set banned_until = now() + interval '1 day' where id = ${manager.id}`
        )
      ),
  );
  await t.step("signed out, within the minute", () =>
    ended(async ({ manager }) => {
      await manager.client.auth.signOut();
      await withDatabase((sql) =>
        sql`select private.jobs_run_schedule('admin-end-impersonations', manual => true)`
      );
    }));
});

Deno.test("nobody acts as somebody who is not below them", async (t) => {
  const world = await createWorld();
  const { tenant, owner, manager, second, member } = world;
  const outsider = await createMember(await createTenant(), "owner");
  const begin = (by: Person, person: { id: string }, body: Record<string, unknown> = {}) =>
    callAdmin(world, by, `/users/${person.id}/impersonate`, {
      body: { reason: "Why not", ...body },
    });
  const cases: [string, () => Promise<Response>, number, string][] = [
    ["an equal", () => begin(manager, second), 403, "members.role_above_own"],
    ["one above", () => begin(manager, owner), 403, "members.role_above_own"],
    ["oneself", () => begin(manager, manager), 403, "members.not_yourself"],
    ["by a member", () => begin(member, manager), 403, "members.permission_denied"],
    ["a stranger", () => begin(manager, outsider), 404, "members.not_found"],
    ["by an outsider", () => begin(outsider, member), 404, "tenants.not_found"],
    ["without a reason", () => begin(manager, member, { reason: " " }), 422, "request.invalid"],
    ["with more than is known", () => begin(manager, member, { hours: 9 }), 422, "request.invalid"],
  ];
  for (const [name, call, status, code] of cases) {
    await t.step(name, async () => {
      await assertProblem(await call(), status, code);
    });
  }
  await t.step("an owner no other owner", async () => {
    const other = await createMember(tenant, "owner");
    await assertProblem(await begin(owner, other), 403, "members.role_above_own");
  });
  await t.step("nobody with a permission that they lack", async () => {
    await must(owner.client.rpc("members_role_save", {
      tenant_id: tenant.id,
      slug: "keyholder",
      name: "Keyholder",
      rank: 30,
      permissions: ["tenants.read", "tenants.update", "audit.read"],
    }));
    await must(owner.client.rpc("members_role_save", {
      tenant_id: tenant.id,
      slug: "admin",
      name: "Admin",
      rank: 80,
      permissions: ["tenants.read", "members.manage", "admin.impersonate"],
    }));
    const holder = await createMember(tenant, "keyholder");
    await assertProblem(await begin(manager, holder), 403, "members.permission_denied");
  });
  await t.step("nobody who is suspended", async () => {
    await setStatus(owner.client, tenant, second, "suspended");
    await assertProblem(await begin(owner, second), 409, "request.transition_refused");
  });
  await t.step("no impersonation out of an impersonation", async () => {
    const deputy = await createMember(tenant, "admin");
    const as = await impersonate(world, owner, deputy, { writes: true });
    const low = await createMember(tenant, "guest");
    await assertProblem(await begin(as, low), 403, "auth.session_bounded");
  });
});

Deno.test("whoever has a second factor is impersonated only by who gave one", async () => {
  const { tenant } = await createWorld();
  const world = { tenant };
  const guarded = await createEnrolled();
  const careful = await createEnrolled();
  await addMember(tenant, guarded);
  await addMember(tenant, careful, "admin");
  const careless = await createMember(tenant, "admin");
  const path = `/users/${guarded.id}/impersonate`;
  const refused = await callAdmin(world, careless, path, { body: { reason: "Quick" } });
  await assertProblem(refused, 403, "two_factor.required");
  const as = await impersonate(world, careful, guarded);
  assertEquals(await opens(as), [tenant.slug]);
  // The factor stays the member's: nothing that asks for it anew is open.
  await assertRefused(as.client.rpc("two_factor_disable"), 403, "auth.read_only");
  assertEquals((await enrol(careless)).id, careless.id);
});

Deno.test("what belongs to the person, and not to the tenant, stays closed, also to who may write", async (t) => {
  const world = await createWorld();
  const { manager, member } = world;
  const as = await impersonate(world, manager, member, { writes: true });
  await t.step("no RPC without a tenant does anything for it", async () => {
    const rpcs = await withDatabase((sql) =>
      sql<{ name: string; args: string[]; types: string[] }[]>`
        select p.proname as name, coalesce(p.proargnames, '{}') as args, array(
          select format_type(t, null) from unnest(p.proargtypes) with ordinality a(t, o) order by o
        ) as types
        from pg_proc p
        where p.pronamespace = 'public'::regnamespace and p.proowner = 'postgres'::regrole
          and has_function_privilege('authenticated', p.oid, 'execute') and p.provolatile = 'v'
          and not 'tenant_id' = any (coalesce(p.proargnames, '{}'))`
    );
    const refusals = ["auth.session_bounded", "auth.impersonated", "tenants.not_found"];
    const open: string[] = [];
    for (const { name, args, types } of rpcs) {
      const given = args.map((arg, at) => [arg, arg === "scope" ? "global" : sample[types[at]!]]);
      const { error } = await as.client.rpc(name, Object.fromEntries(given));
      if (!refusals.includes(error?.message ?? "")) open.push(`${name}: ${error?.message}`);
    }
    assertEquals(open, []);
  });
  await t.step("the profile and the second factor", async () => {
    const { token } = as;
    const patch = { method: "PATCH", token, body: { display_name: "Taken over" } };
    await assertProblem(await callApi("/v1/users/me", patch), 403, "auth.session_bounded");
    const setup = await callApi("/v1/2fa/setup", { method: "POST", token });
    await assertProblem(setup, 403, "auth.session_bounded");
    assertEquals(await must(as.client.from("people").select("id")), []);
  });
  await t.step("the appeal", () =>
    assertRefused(
      as.client.rpc("admin_appeal", { decision: member.id, statement: "Please" }),
      403,
      "auth.session_bounded",
    ));
});

Deno.test("at Supabase Auth the session's token opens nothing, so the login stays its person's", async (t) => {
  const world = await createWorld();
  const { manager, member } = world;
  const { token } = await impersonate(world, manager, member, { writes: true });
  await assertAuthRefuses(t, token);
  await t.step("the member signs in as before, and none of their sessions ended", async () => {
    await signIn(member.email);
    assertEquals((await opens(member)).length, 1);
    await withDatabase(async (sql) => {
      const [row] = await sql<{ count: number }[]>`
        select count(*)::int as count from auth.sessions where user_id = ${member.id}`;
      assertEquals(row!.count, 2);
    });
  });
});

Deno.test("both stand in the trail: when it began, what was done, when it ended", async () => {
  const world = await createWorld();
  const { tenant, owner, manager, member } = world;
  const as = await impersonate(world, owner, manager, { writes: true, reason: "Their form fails" });
  await must(act(world, as, "members_set_role", member, { role: "staff" }));
  await callAdmin(world, owner, `/users/${manager.id}/impersonate`, { method: "DELETE" });
  const lines = await must<Record<string, unknown>[]>(
    owner.client.rpc("audit_search", { tenant_id: tenant.id, page_size: 3 }),
  );
  assertEquals(
    lines.map(({ action, actor, impersonator }) => [action, actor, impersonator]),
    [
      ["IMPERSONATION_ENDED", owner.id, null],
      ["MEMBER_ROLE_CHANGED", manager.id, owner.id],
      ["IMPERSONATION_STARTED", owner.id, null],
    ],
  );
  assertEquals(lines[2]!.after, { reason: "Their form fails", read_only: false });
  // The member can still sign in, and their other sessions live on.
  assertEquals(await opens(manager), [tenant.slug]);
  assertEquals(await opens({ client: await signIn(manager.email) }), [tenant.slug]);
});

Deno.test("a session that is not bound as it was granted is not handed out", async () => {
  const world = await createWorld();
  const { tenant, manager, member } = world;
  const { id } = await must<{ id: string }>(
    act(world, manager, "admin_impersonate", member, { reason: "By hand" }),
  );
  const session = await withDatabase(async (sql) =>
    (await sql<{ id: string }[]>`select id from auth.sessions where user_id = ${member.id}`)[0]!.id
  );
  await assertRefused(
    admin().rpc("admin_impersonation_opened", { tenant_id: tenant.id, impersonation: id, session }),
    404,
    "admin.impersonation_not_found",
  );
});
