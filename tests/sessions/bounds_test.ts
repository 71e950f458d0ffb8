import assert from "node:assert/strict";
import type { SupabaseClient } from "@supabase/supabase-js";
import { assertRefused, must } from "../support/answers.ts";
import { assertProblem, callApi } from "../support/api.ts";
import { withDatabase } from "../support/database.ts";
import { addMember, createMember, createTenant, issue, type Tenant } from "../support/tenants.ts";
import { sample } from "../conventions/samples.ts";
import { joins, type OpenedSession, openSession } from "./support.ts";

/** An owner of two tenants with something to spend in both, and a fellow member of both. */
async function createOwner() {
  const [tenant, other] = await Promise.all([createTenant(), createTenant()]);
  const [owner, fellow] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant),
  ]);
  await Promise.all([addMember(other, owner, "owner"), addMember(other, fellow)]);
  await Promise.all([issue(tenant, owner, 100), issue(other, owner, 100)]);
  return { tenant, other, owner, fellow };
}

const pay = (client: SupabaseClient, tenant: Tenant, person: { id: string }) =>
  client.rpc("wallet_transfer", {
    tenant_id: tenant.id,
    to_person: person.id,
    amount: 1,
    currency: "hours",
    idempotency_key: crypto.randomUUID(),
  });

const tenantRows = ["members", "roles", "wallet_accounts", "wallet_currencies"];

/** The tenants whose rows the client sees in any table. */
async function tenantsSeen(client: SupabaseClient): Promise<string[]> {
  const rows = await Promise.all(
    tenantRows.map((table) => must<{ tenant_id: string }[]>(client.from(table).select("*"))),
  );
  const tenants = await must<{ id: string }[]>(client.from("tenants").select("id"));
  return [...new Set([...rows.flat().map((row) => row.tenant_id), ...tenants.map(({ id }) => id)])];
}

/** What only a session without bounds may: what is the person's and no tenant's. */
async function assertNotWhole({ client, token }: OpenedSession, code = "auth.session_bounded") {
  const changes = { display_name: "Eve" };
  await assertRefused(client.rpc("people_update_me", { changes }), 403, code);
  await assertRefused(client.rpc("members_join", { tenant: "anywhere" }), 403, code);
  await assertRefused(client.rpc("two_factor_disable"), 403, code);
  await assertProblem(
    await callApi("/v1/2fa/setup", { token, method: "POST" }),
    403,
    "auth.session_bounded",
  );
  assert.deepEqual(await must(client.from("people").select("id")), []);
}

Deno.test("a session of one tenant opens that tenant and no other, through any door", async (t) => {
  const { tenant, other, owner, fellow } = await createOwner();
  const opened = await openSession(owner, { bounds: { tenant_id: tenant.id } });
  const { client, token } = opened;
  await t.step("Data API", async () => {
    assert.deepEqual(await tenantsSeen(client), [tenant.id]);
    await must(client.from("tenants").update({ name: "Mine" }).eq("id", tenant.id).select());
    assert.deepEqual(
      await must(client.from("tenants").update({ name: "Not" }).eq("id", other.id).select()),
      [],
    );
  });
  await t.step("RPC", async () => {
    await must(pay(client, tenant, fellow));
    await assertRefused(pay(client, other, fellow), 404, "tenants.not_found");
    await assertRefused(
      client.rpc("files_delete", { tenant_id: other.id, file: crypto.randomUUID() }),
      404,
      "tenants.not_found",
    );
    assert.equal(
      (await must<{ tenant_id: string }>(client.rpc("people_session", { needs_tenant: true })))
        .tenant_id,
      tenant.id,
    );
    await assertRefused(
      client.rpc("people_session", { tenant: other.slug }),
      404,
      "tenants.not_found",
    );
  });
  await t.step("realtime", async () => {
    assert.equal(await joins(opened, `private-tenant-${tenant.id}`), true);
    assert.equal(await joins(opened, `private-tenant-${other.id}`), false);
    // What is told there comes from all tenants.
    assert.equal(await joins(opened, `private-user-${owner.id}`), false);
  });
  await t.step("routes, and what /users/me tells", async () => {
    assert.equal((await callApi(`/v1/tenants/${tenant.slug}`, { token })).status, 200);
    await assertProblem(
      await callApi(`/v1/tenants/${other.slug}`, { token }),
      404,
      "tenants.not_found",
    );
    const me = await (await callApi("/v1/users/me", { token })).json();
    assert.deepEqual([me.id, me.email, me.tenants.length], [owner.id, null, 1]);
  });
  await t.step("nothing of the person's own", () => assertNotWhole(opened));
});

Deno.test("a session of single permissions permits these and nothing besides", async () => {
  const { tenant, other, owner, fellow } = await createOwner();
  const permissions = ["tenants.read", "wallet.read"];
  const opened = await openSession(owner, { bounds: { permissions, tenant_id: tenant.id } });
  const { client, token } = opened;
  assert.deepEqual(await tenantsSeen(client), [tenant.id]);
  // Their own row, and no fellow's.
  assert.equal((await must<unknown[]>(client.from("members").select("*"))).length, 1);
  await assertRefused(pay(client, tenant, fellow), 403, "members.permission_denied");
  assert.deepEqual(
    await must(client.from("tenants").update({ name: "No" }).eq("id", tenant.id).select()),
    [],
  );
  // What every member may is not among the permissions either.
  await assertRefused(
    client.rpc("files_delete", { tenant_id: tenant.id, file: crypto.randomUUID() }),
    403,
    "auth.session_bounded",
  );
  const me = await (await callApi("/v1/users/me", { token })).json();
  assert.deepEqual(me.tenants[0].permissions, permissions);
  await assertNotWhole(opened);

  const everywhere = await openSession(owner, { bounds: { permissions } });
  assert.deepEqual(
    (await tenantsSeen(everywhere.client)).toSorted(),
    [tenant.id, other.id].toSorted(),
  );
  await assertRefused(pay(everywhere.client, other, fellow), 403, "members.permission_denied");
});

interface Routine {
  name: string;
  names: string[];
  types: string[];
  writes: boolean;
}

/** Every RPC that people may call. */
const readRoutines = () =>
  withDatabase(async (sql) => [
    ...await sql<Routine[]>`
      select p.proname as name, coalesce(p.proargnames, '{}') as names, p.provolatile = 'v' as writes,
        array(
          select format_type(t, null) from unnest(p.proargtypes) with ordinality a(t, o) order by o
        ) as types
      from pg_proc p
      where p.pronamespace = 'public'::regnamespace and p.proowner = 'postgres'::regrole
        and has_function_privilege('authenticated', p.oid, 'execute') order by 1`,
  ]);

const argumentsOf = ({ names, types }: Routine, known: Record<string, unknown>) =>
  Object.fromEntries(names.map((key, at) => [key, known[key] ?? sample[types[at]!] ?? "x"]));

Deno.test("Z1: a session of one tenant reaches no other by any table or RPC there is", async () => {
  const { tenant, other, owner, fellow } = await createOwner();
  const { client } = await openSession(owner, { bounds: { tenant_id: tenant.id } });
  const tables = await withDatabase((sql) =>
    sql<{ name: string }[]>`
      select distinct c.relname as name from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
        and not c.relispartition and has_table_privilege('authenticated', c.oid, 'select')`
  );
  for (const { name } of tables) {
    const rows = await must<unknown[]>(
      client.from(name).select("tenant_id").neq("tenant_id", tenant.id),
    );
    assert.deepEqual(rows, [], name);
  }
  const reached: string[] = [];
  for (const routine of await readRoutines()) {
    if (!routine.names.includes("tenant_id")) continue;
    const args = argumentsOf(routine, { tenant_id: other.id, person: fellow.id });
    const { error } = await client.rpc(routine.name, args);
    if (!["tenants.not_found", "auth.session_bounded"].includes(error?.message ?? "")) {
      reached.push(`${routine.name}: ${error?.message}`);
    }
  }
  assert.deepEqual(reached, []);
});

Deno.test("permissions of a session add nothing to those of the role", async () => {
  const tenant = await createTenant();
  const member = await createMember(tenant);
  const permissions = ["tenants.read", "tenants.update", "members.manage"];
  const { client } = await openSession(member, { bounds: { permissions } });
  await assertRefused(
    client.rpc("members_set_status", { tenant_id: tenant.id, person: member.id, status: "banned" }),
    403,
    "members.permission_denied",
  );
  const none = await openSession(member, { bounds: { permissions: [] } });
  assert.deepEqual(await tenantsSeen(none.client), []);
});

Deno.test("a session that only reads reads, and writes through no door", async (t) => {
  const { tenant, owner, fellow } = await createOwner();
  const opened = await openSession(owner, { bounds: { read_only: true } });
  const { client, token } = opened;
  await t.step("it reads rows, by RPC and by route", async () => {
    assert.equal((await tenantsSeen(client)).length, 2);
    await must(client.rpc("people_session"));
    assert.equal((await callApi(`/v1/tenants/${tenant.slug}`, { token })).status, 200);
  });
  await t.step("no row of a table is written", async () => {
    const changed = client.from("tenants").update({ name: "No" }).eq("id", tenant.id).select();
    assert.deepEqual(await must(changed), []);
  });
  await t.step("no act", async () => {
    await assertRefused(pay(client, tenant, fellow), 403, "auth.read_only");
    await assertRefused(
      client.rpc("members_set_role", { tenant_id: tenant.id, person: fellow.id, role: "staff" }),
      403,
      "auth.read_only",
    );
    await assertNotWhole(opened, "auth.read_only");
  });
  await t.step("no channel: it would be asked for in a transaction that writes", async () => {
    assert.equal(await joins(opened, `private-tenant-${tenant.id}`), false);
  });
});

Deno.test("a session that only reads is refused by every RPC that may write", async () => {
  const { tenant, owner, fellow } = await createOwner();
  const { client } = await openSession(owner, { bounds: { read_only: true } });
  const writing = (await readRoutines()).filter(({ writes }) => writes);
  assert.ok(writing.length > 20);
  const passed: string[] = [];
  for (const routine of writing) {
    const args = argumentsOf(routine, { tenant_id: tenant.id, person: fellow.id });
    const { status, error } = await client.rpc(routine.name, args);
    if (status !== 403 || error?.message !== "auth.read_only") {
      passed.push(`${routine.name}: ${status} ${error?.message}`);
    }
  }
  assert.deepEqual(passed, []);
});

Deno.test("A6: a session past its time is over at once, and so is one whose tenant is left", async () => {
  const { tenant, owner, fellow } = await createOwner();
  const expires_at = new Date(Date.now() + 3_600_000).toISOString();
  const { client, id } = await openSession(owner, { bounds: { expires_at } });
  await must(pay(client, tenant, fellow));
  await withDatabase((sql) =>
    sql`update private.trust_bounds set expires_at = now() - interval '1 s' where session_id = ${id}`
  );
  await assertRefused(pay(client, tenant, fellow), 401, "auth.session_ended");
  assert.deepEqual(await tenantsSeen(client), []);

  const member = await createMember(tenant);
  const bounded = await openSession(member, { bounds: { tenant_id: tenant.id } });
  assert.deepEqual(await tenantsSeen(bounded.client), [tenant.id]);
  await must(member.client.rpc("members_leave", { tenant_id: tenant.id }));
  assert.deepEqual(await tenantsSeen(bounded.client), []);
});

Deno.test("an impersonation is known by who sits behind it, in SQL and in the trail", async () => {
  const { tenant, owner, fellow } = await createOwner();
  const { client, id } = await openSession(fellow, {
    bounds: { tenant_id: tenant.id, actor_id: owner.id },
  });
  await withDatabase((sql) =>
    sql.begin(async (tx) => {
      const claims = JSON.stringify({ sub: fellow.id, session_id: id, role: "authenticated" });
      await tx`select set_config('request.jwt.claims', ${claims}, true)`;
      const [row] = await tx`select private.impersonator() as actor`;
      assert.equal(row!.actor, owner.id);
      await assert.rejects(
        tx.savepoint((point) => point`select private.require_no_impersonation()`),
        { message: "auth.impersonated" },
      );
    })
  );
  await must(client.from("tenants").select("id"));
});

Deno.test("A1: a session whose refresh tokens were all revoked is over at once", async () => {
  const { tenant, owner, fellow } = await createOwner();
  const { client, id } = await openSession(owner);
  await must(pay(client, tenant, fellow));
  await withDatabase((sql) =>
    sql`update auth.refresh_tokens set revoked = true where session_id = ${id}`
  );
  await assertRefused(pay(client, tenant, fellow), 401, "auth.session_ended");
  assert.deepEqual(await tenantsSeen(client), []);
});
