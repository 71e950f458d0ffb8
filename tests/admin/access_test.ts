import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { assertRefused, must } from "../support/answers.ts";
import { admin, anonymous, createPerson, type Person, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { addMember, createMember, createTenant, type Tenant } from "../support/tenants.ts";
import { act, callAdmin, createWorld, reason, soon, suspend, type World } from "./support.ts";

const someone = crypto.randomUUID();

/** Every route under /admin that is an admin's, with a request that is of its form. */
const routes: [string, string, unknown?][] = [
  ["GET", "/users"],
  ["GET", `/users/${someone}`],
  ["GET", `/users/${someone}/activity`],
  ["PATCH", `/users/${someone}`, { status: "suspended", reason }],
  ["PATCH", `/users/${someone}`, { role: "guest" }],
  ["PATCH", `/users/${someone}`, { warning: reason }],
  ["DELETE", `/users/${someone}`],
  ["POST", `/users/${someone}/nudge`],
  ["POST", `/users/${someone}/impersonate`, { reason }],
  ["DELETE", `/users/${someone}/impersonate`],
  ["GET", "/audit-logs"],
];

/** Every RPC of this capability that is an admin's. */
const rpcs: Record<string, Record<string, unknown>> = {
  admin_users: {},
  admin_user: { person: someone },
  admin_activity: { person: someone },
  admin_warn: { person: someone, reason },
  admin_lift_warning: { decision: someone },
  admin_appeal_decide: { appeal: someone, overturn: true, answer: "No" },
  admin_impersonate: { person: someone, reason },
  admin_impersonation_end: { person: someone },
  members_set_status: { person: someone, status: "suspended", reason },
  members_set_role: { person: someone, role: "guest" },
};

/** RPCs of operators, which know no tenant. */
const operatorRpcs: Record<string, Record<string, unknown>> = {
  admin_find_person: { search: someone },
  admin_ban_person: { person: someone, reason },
  admin_readmit_person: { person: someone },
};

async function assertShut(world: Pick<World, "tenant">, by: Person, status: number, code: string) {
  for (const [method, path, body] of routes) {
    await assertProblem(await callAdmin(world, by, path, { method, body }), status, code);
  }
  for (const [name, args] of Object.entries(rpcs)) {
    await assertRefused(by.client.rpc(name, { tenant_id: world.tenant.id, ...args }), status, code);
  }
}

Deno.test("Z5: no admin route or RPC opens to any role but an admin's", async (t) => {
  const world = await createWorld();
  for (const role of ["guest", "member", "staff"]) {
    const person = await createMember(world.tenant, role);
    await t.step(role, () => assertShut(world, person, 403, "members.permission_denied"));
  }
  await t.step("the owner of another tenant", async () => {
    const outsider = await createMember(await createTenant(), "owner");
    await assertShut(world, outsider, 404, "tenants.not_found");
  });
  await t.step("nobody", async () => {
    for (const [method, path, body] of routes) {
      const response = await callApi(`/v1/admin${path}`, { method, body });
      await assertProblem(response, 401, "auth.required");
    }
    for (const [name, args] of Object.entries({ ...rpcs, ...operatorRpcs })) {
      const { status, error } = await anonymous().rpc(name, {
        tenant_id: world.tenant.id,
        ...args,
      });
      assertEquals([name, status, error === null], [
        name,
        error?.code === "PGRST202" ? 404 : 401,
        false,
      ]);
    }
  });
  await t.step("what is the operators' to a tenant's owner", async () => {
    for (const [name, args] of Object.entries(operatorRpcs)) {
      await assertRefused(world.owner.client.rpc(name, args), 404, "tenants.not_found");
    }
  });
  await t.step("no route of the capability is missing in the list", async () => {
    const { paths } = await (await callApi("/openapi.json")).json();
    const known = new Set(
      routes.map(([method, path]) => `${method} ${path.replace(someone, "{id}")}`),
    );
    for (const [path, item] of Object.entries<Record<string, { tags: string[] }>>(paths)) {
      for (const [method, { tags }] of Object.entries(item)) {
        if (!tags.includes("admin")) continue;
        const name = `${method.toUpperCase()} ${path.replace("/api/v1/admin", "")}`;
        assertEquals([name, known.has(name)], [name, true]);
      }
    }
  });
});

Deno.test("Z5: activity is read by who may read the trail, too", async () => {
  const world = await createWorld();
  await must(world.owner.client.rpc("members_role_save", {
    tenant_id: world.tenant.id,
    slug: "porter",
    name: "Porter",
    rank: 50,
    permissions: ["tenants.read", "members.manage"],
  }));
  const porter = await createMember(world.tenant, "porter");
  const ask = (name: string) => act(world, porter, name, world.member);
  await must(ask("admin_user"));
  await assertRefused(ask("admin_activity"), 403, "members.permission_denied");
});

Deno.test("Z5: what a token says of a role counts for nothing, what the database says counts at once", async (t) => {
  const world = await createWorld();
  const { tenant, owner, manager, member } = world;
  await t.step("claims that a client or the admin API put there", async () => {
    const { error } = await admin().auth.admin.updateUserById(member.id, {
      app_metadata: { role: "owner", roles: ["admin"], tenant_id: tenant.id },
      user_metadata: { role: "owner" },
    });
    assertEquals(error, null);
    const again = { ...member, client: await signIn(member.email) };
    await assertShut(world, again, 403, "members.permission_denied");
  });
  await t.step("an admin who was one a moment ago", async () => {
    const token = await tokenOf(manager);
    await must(act(world, owner, "members_set_role", manager, { role: "member" }));
    assertEquals(await tokenOf(manager), token);
    await assertShut(world, manager, 403, "members.permission_denied");
  });
});

/** What somebody reaches of a tenant: rows, an RPC, a route, the tenant's channel. */
async function reached(tenant: Tenant, { client }: Person, token: string): Promise<string[]> {
  const rows = await must<unknown[]>(client.from("tenants").select("id").eq("id", tenant.id));
  const rpc = await client.rpc("wallet_payees", { tenant_id: tenant.id, currency: "hours" });
  const route = await callApi("/v1/wallet/statement?currency=hours", {
    token,
    headers: { "nexus-tenant": tenant.slug },
  });
  const answer = await route.json();
  await client.realtime.setAuth(token);
  const channel = client.channel(`private-tenant-${tenant.id}`, { config: { private: true } });
  const joined = await new Promise<string>((resolve) => channel.subscribe(resolve));
  await client.removeAllChannels();
  return [
    rows.length > 0 ? "rows" : "no rows",
    rpc.error?.message ?? "rpc",
    answer.code ?? "route",
    joined === "SUBSCRIBED" ? "channel" : "no channel",
  ];
}

const open = ["rows", "rpc", "route", "channel"];

async function createOpened() {
  const world = await createWorld();
  const token = await tokenOf(world.member);
  assertEquals(await reached(world.tenant, world.member, token), open);
  return { world, token };
}

/** Asserts that right after the act, at the first try, nothing is reached but these refusals. */
async function assertClosed(world: World, token: string, refusal: string) {
  const shut = ["no rows", refusal, refusal, "no channel"];
  assertEquals(await reached(world.tenant, world.member, token), shut);
}

Deno.test("A5: whoever is suspended reaches nothing of the tenant from the next statement on", async () => {
  const { world, token } = await createOpened();
  await must(suspend(world, world.manager, world.member));
  await assertClosed(world, token, "members.not_active");
});

Deno.test("A5: whoever is banned from a tenant reaches nothing of it, and keeps their other ones", async () => {
  const { world, token } = await createOpened();
  const elsewhere = await createTenant();
  await addMember(elsewhere, world.member);
  await must(
    act(world, world.manager, "members_set_status", world.member, { status: "banned", reason }),
  );
  await assertClosed(world, token, "members.not_active");
  assertEquals(await reached(elsewhere, world.member, token), open);
});

const platform = "00000000-0000-7000-8000-000000000001";

async function createOperator(role = "admin"): Promise<Person> {
  const operator = await createPerson();
  await addMember({ id: platform }, operator, role);
  return operator;
}

Deno.test("A5: whoever an operator bans can neither go on, nor refresh, nor come in again", async (t) => {
  const { world, token } = await createOpened();
  const { member } = world;
  const operator = await createOperator();
  await must(operator.client.rpc("admin_ban_person", { person: member.id, reason }));
  await assertClosed(world, token, "auth.session_ended");
  await t.step("refresh", async () => {
    assertEquals((await member.client.auth.refreshSession()).error === null, false);
  });
  await t.step("password", async () => {
    const { error } = await anonymous().auth.signInWithPassword(member);
    assertEquals(error?.code, "user_banned");
  });
  await t.step("until they are readmitted", async () => {
    await must(operator.client.rpc("admin_readmit_person", { person: member.id }));
    const again = { ...member, client: await signIn(member.email) };
    assertEquals(await reached(world.tenant, again, await tokenOf(again)), open);
    // The sessions of before the ban ended with it, not for its time.
    await assertClosed(world, token, "auth.session_ended");
  });
});

Deno.test("A5: whoever is deleted can neither go on nor come in again", async () => {
  const { world, token } = await createOpened();
  const { member } = world;
  const { error } = await admin().auth.admin.deleteUser(member.id);
  assertEquals(error, null);
  await assertClosed(world, token, "auth.session_ended");
  assertEquals((await member.client.auth.refreshSession()).error === null, false);
  const refused = await anonymous().auth.signInWithPassword(member);
  assertEquals(refused.error?.code, "invalid_credentials");
});

Deno.test("operators look people up and ban them, among themselves by rank", async (t) => {
  const [operator, chief, person] = await Promise.all([
    createOperator(),
    createOperator("owner"),
    createPerson(),
  ]);
  const ban = (by: Person, whom: { id: string }, args: Record<string, unknown> = {}) =>
    by.client.rpc("admin_ban_person", { person: whom.id, reason, ...args });
  await t.step("by address or id, and on the trail", async () => {
    for (const search of [person.email.toUpperCase(), person.id]) {
      const found = await must<{ id: string; banned_until: null; tenants: unknown[] }>(
        operator.client.rpc("admin_find_person", { search }),
      );
      assertEquals([found.id, found.banned_until, found.tenants], [person.id, null, []]);
    }
    await withDatabase(async (sql) => {
      const [row] = await sql<{ count: number }[]>`
        select count(*)::int as count from private.audit_log
        where action = 'PERSON_LOOKED_UP' and resource = ${`people:${person.id}`} and actor = ${operator.id}`;
      assertEquals(row!.count, 2);
    });
  });
  const nobody = { id: someone };
  const cases: [string, ReturnType<typeof ban>, number, string][] = [
    ["one above", ban(operator, chief), 403, "members.role_above_own"],
    ["oneself", ban(operator, operator), 403, "members.not_yourself"],
    ["nobody", ban(operator, nobody), 404, "people.not_found"],
    ["without a reason", ban(operator, person, { reason: null }), 422, "request.invalid"],
    [
      "until a time that is over",
      ban(operator, person, { until: "2020-01-01" }),
      422,
      "request.invalid",
    ],
    ["for eternity", ban(operator, person, { until: "infinity" }), 422, "request.invalid"],
  ];
  for (const [name, call, status, code] of cases) {
    await t.step(name, () => assertRefused(call, status, code));
  }
  await t.step("an address that nobody has", () =>
    assertRefused(
      operator.client.rpc("admin_find_person", { search: "nobody@nexus.test" }),
      404,
      "people.not_found",
    ));
  await t.step("a ban that runs out by itself", async () => {
    await must(ban(operator, person, { until: soon(3600) }));
    const refused = await anonymous().auth.signInWithPassword(person);
    assertEquals(refused.error?.code, "user_banned");
    await withDatabase((sql) =>
      sql`update auth.users set banned_until = banned_until - interval '1 hour' where id = ${person.id}`
    );
    assertEquals((await anonymous().auth.signInWithPassword(person)).error, null);
  });
});
