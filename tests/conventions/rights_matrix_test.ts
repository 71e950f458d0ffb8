import type { SupabaseClient } from "@supabase/supabase-js";
import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { must } from "../support/answers.ts";
import { admin, anonymous, type Person } from "../support/clients.ts";
import { connect } from "../support/database.ts";
import { fillGoals } from "../support/goals.ts";
import { fillListings } from "../support/listings.ts";
import { fillEvents } from "../support/events.ts";
import { fillGroups } from "../support/groups.ts";
import { fillExchanges } from "../support/exchanges.ts";
import { fillGamification } from "../support/gamification.ts";
import { fillAbuse } from "../support/abuse.ts";
import { fillSafeguarding } from "../support/safeguarding.ts";
import { fillMembers } from "../support/members.ts";
import { fillFeed } from "../support/feed.ts";
import { fillNewsletters } from "../support/newsletters.ts";
import { fillMessaging } from "../support/messaging.ts";
import { fillVolunteering } from "../support/volunteering.ts";
import { fillWallet } from "../support/wallet.ts";
import { createMember, createTenant, issue, setStatus, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import { modules } from "./allowed.ts";
import {
  forOperators,
  forSuspended,
  personal,
  rights,
  shared,
  type Sight,
  withoutTenant,
} from "./rights.ts";
import { sample } from "./samples.ts";

type Row = Record<string, unknown>;
type Sql = ReturnType<typeof connect>;

interface World {
  sql: Sql;
  tenant: Tenant;
  owner: Person;
  member: Person;
  outsider: Person;
}

/** A tenant with rows in every table: two members who paid each other, and a stranger to them. */
async function createWorld(): Promise<World> {
  const tenant = await createTenant({ modules });
  const [owner, member, outsider] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant),
    createTenant().then((other) => createMember(other, "owner")),
  ]);
  await issue(tenant, owner, 100);
  await must(owner.client.rpc("wallet_transfer", {
    tenant_id: tenant.id,
    to_person: member.id,
    amount: 10,
    currency: "hours",
    idempotency_key: "matrix",
    memo: "Matrix",
  }));
  await fillWallet(tenant, owner, member);
  await fillMembers(tenant, owner, member);
  await fillMessaging(tenant, owner, member);
  await fillFeed(tenant, owner, member);
  await fillNewsletters(tenant, owner, member);
  await fillListings(tenant, owner, member);
  await fillGoals(tenant, owner, member);
  await fillVolunteering(tenant, owner, member);
  await fillGroups(tenant, owner, member);
  await fillExchanges(tenant, owner, member);
  await fillGamification(tenant, owner, member);
  await fillEvents(tenant, owner, member);
  await fillAbuse(tenant, owner, member);
  await fillSafeguarding(tenant, owner, member);
  await Promise.all([owner, member].map((person) => shareFile(tenant, person)));
  await warn(tenant, owner, member);
  await showDocuments(tenant, owner, member);
  const sql = connect();
  for (const { id } of [owner, member]) {
    await sql`select private.notify(${id}, 'two_factor.enabled', '{}', ${tenant.id})`;
    await sql`insert into api_keys
      (tenant_id, person_id, name, hint, permissions, read_only, expires_at)
      values (${tenant.id}, ${id}, 'Matrix', 'abcd', '{tenants.read}', true, now() + interval '1 h')`;
  }
  // Scans are nobody's to see but their person's and reviewers': the matrix has files of its own.
  await sql`delete from files where tenant_id = ${tenant.id} and bucket = 'documents'`;
  // The worker tells people of what was done here: notices that come later would be changes.
  await until(async () => {
    const [due] = await sql`
      select from private.jobs where tenant_id = ${tenant.id} and run_at < 'infinity'
        and run_at <= now() limit 1`;
    return !due;
  }, { timeout: 30_000 });
  // What is still to be folded would be, on the clock, in the middle of the matrix.
  await sql`select private.wallet_fold_all()`;
  return { sql, tenant, owner, member, outsider };
}

/** A warning, and the member's objection to it. */
async function warn(tenant: Tenant, owner: Person, member: Person): Promise<void> {
  const { id } = await must<{ id: string }>(
    owner.client.rpc("admin_warn", { tenant_id: tenant.id, person: member.id, reason: "Matrix" }),
  );
  await must(member.client.rpc("admin_appeal", { decision: id, statement: "Matrix" }));
}

/** A released picture with a variant, as rows: the matrix asks for no bytes. */
async function shareFile(tenant: Tenant, { client }: Person): Promise<void> {
  const picture = { content_type: "image/gif", size: 1, width: 1, height: 1 };
  const { id, path } = await must<{ id: string; path: string }>(
    client.rpc("files_begin", {
      tenant_id: tenant.id,
      bucket: "images",
      name: "x.gif",
      ...picture,
    }),
  );
  const file = { tenant_id: tenant.id, file: id };
  await must(
    admin().rpc("files_add_variant", { ...file, kind: "webp", path: `${path}.webp`, ...picture }),
  );
  await must(admin().rpc("files_finish", file));
}

/** A document of each, as rows, of which the owner checks one. */
async function showDocuments(tenant: Tenant, owner: Person, member: Person): Promise<void> {
  const [, document] = await Promise.all([owner, member].map(async ({ client }) => {
    const scan = { name: "x.pdf", content_type: "application/pdf", size: 1 };
    const { id } = await must<{ id: string }>(
      client.rpc("documents_begin", { tenant: tenant.slug, type: "degree", ...scan }),
    );
    const sha256 = "0".repeat(64);
    const kept = { tenant_id: tenant.id, file: id, sha256 };
    return await must<{ id: string }>(admin().rpc("documents_keep", kept));
  }));
  await must(
    owner.client.rpc("documents_approve", { tenant_id: tenant.id, document: document!.id }),
  );
}

const tenantColumn = (table: string) => table === "tenants" ? "id" : "tenant_id";

async function stored({ sql, tenant }: World, table: string): Promise<Row[]> {
  // The view shows each reader their own accounts: what there is to see is in the table beneath.
  const source = table === "wallet_accounts" ? "wallet_ledger_accounts" : table;
  return [
    ...await sql<Row[]>`
    select * from ${sql(source)} where ${sql(tenantColumn(table))} = ${tenant.id}`,
  ];
}

/** How many of a tenant's rows belong to a person, by the ledger's own joins. */
async function owned({ sql, tenant }: World, table: string, { id }: Person): Promise<number> {
  const mine = sql`
    select a.id from wallet_ledger_accounts a
    left join wallet_agents g
      on g.tenant_id = a.tenant_id and g.organisation_id = a.organisation_id and g.person_id = ${id}
    where a.tenant_id = ${tenant.id} and (a.person_id = ${id} or g.person_id is not null)`;
  const transfers = sql`
    select e.transfer_id from wallet_entries e
    where e.tenant_id = ${tenant.id} and e.account_id in (${mine})`;
  const messages = sql`
    select m.id from messaging_messages m
    where m.tenant_id = ${tenant.id} and not exists (
      select from messaging_hidden h where h.message_id = m.id and h.person_id = ${id}
    )`;
  const accounts = ["wallet_accounts", "wallet_ledger_accounts"].includes(table);
  const among: Record<string, typeof mine> = {
    id: table === "messaging_messages" ? messages : accounts ? mine : transfers,
    account_id: mine,
    from_account: mine,
    to_account: mine,
    transfer_id: transfers,
  };
  const source = table === "wallet_accounts" ? "wallet_ledger_accounts" : table;
  const conditions = rights[table]!.owner!.split(",").map((column) =>
    sql`or ${sql(column)} in (${among[column] ?? sql`${id}`})`
  );
  const [row] = await sql`
    select count(*)::int as count from ${sql(source)}
    where tenant_id = ${tenant.id} and (false ${conditions})`;
  return row!.count;
}

const count = async (client: SupabaseClient, { tenant }: World, table: string) =>
  (await must<Row[]>(client.from(table).select("*").eq(tenantColumn(table), tenant.id))).length;

async function expected(world: World, table: string, person: Person, sight: Sight) {
  if (sight === "none") return 0;
  const wanted = sight === "all"
    ? (await stored(world, table)).length
    : await owned(world, table, person);
  assertEquals(wanted > 0, true, `${table}: the matrix needs a row to look at`);
  return wanted;
}

async function testSelect(world: World, table: string) {
  const { owner, member, outsider } = world;
  const { select } = rights[table]!;
  assertEquals(
    await count(owner.client, world, table),
    await expected(world, table, owner, select.owner),
    `${table} select owner`,
  );
  assertEquals(
    await count(member.client, world, table),
    await expected(world, table, member, select.member),
    `${table} select member`,
  );
  assertEquals(await count(outsider.client, world, table), 0, `${table} select outsider`);
  assertEquals((await anonymous().from(table).select("*")).status, 401, `${table} select anon`);
}

/** Every write by everybody is refused or hits no row, but for the update that the rights allow. */
async function testWrites(world: World, table: string) {
  const { owner, member, outsider, tenant } = world;
  const actors: [string, SupabaseClient][] = [
    ["owner", owner.client],
    ["member", member.client],
    ["outsider", outsider.client],
    ["anon", anonymous()],
    ["service", admin()],
  ];
  const before = await stored(world, table);
  const row: Row = { [tenantColumn(table)]: tenant.id };
  const { change } = rights[table]!.update ?? { change: row };
  for (const [name, client] of actors) {
    const refusedCode = "42501";
    const insert = await client.from(table).insert(row);
    assertEquals(insert.error?.code, refusedCode, `${table} insert ${name}`);
    const removal = await client.from(table).delete().eq(tenantColumn(table), tenant.id);
    assertEquals(removal.error?.code, refusedCode, `${table} delete ${name}`);
    if (rights[table]!.update) continue;
    const update = await client.from(table).update(change).eq(tenantColumn(table), tenant.id);
    assertEquals(update.error?.code, refusedCode, `${table} update ${name}`);
  }
  assertEquals(await stored(world, table), before, `${table} is as it was`);
}

async function testAllowedUpdate(world: World, table: string) {
  const { owner, member, outsider, tenant } = world;
  const { change } = rights[table]!.update!;
  const hits = async ({ client }: Person) =>
    (await must<Row[]>(
      client.from(table).update(change).eq(tenantColumn(table), tenant.id).select("*"),
    )).length;
  assertEquals(await hits(member), 0, `${table} update member`);
  assertEquals(await hits(outsider), 0, `${table} update outsider`);
  assertEquals((await anonymous().from(table).update(change).eq("id", tenant.id)).status, 401);
  assertEquals(await hits(owner) > 0, true, `${table} update owner`);
}

interface Rpc {
  name: string;
  arguments: string[];
  types: string[];
}

async function readRpcs(sql: Sql): Promise<Rpc[]> {
  return [
    ...await sql<Rpc[]>`
    select p.proname as name, coalesce(p.proargnames, '{}') as arguments,
      array(select format_type(t, null) from unnest(p.proargtypes) with ordinality a(t, o) order by o) as types
    from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proowner = 'postgres'::regrole
      and has_function_privilege('authenticated', p.oid, 'execute') order by 1`,
  ];
}

const argumentsOf = (rpc: Rpc, tenant: Tenant) =>
  Object.fromEntries(rpc.arguments.map((name, index) => {
    const type = rpc.types[index]!;
    assertEquals(type in sample, true, `${rpc.name}: the matrix has no sample of ${type}`);
    return [name, name === "tenant_id" ? tenant.id : sample[type]];
  }));

async function testRpc(world: World, rpc: Rpc, revoked: Person, suspended: Person) {
  const args = argumentsOf(rpc, world.tenant);
  const call = async (client: SupabaseClient) => (await client.rpc(rpc.name, args)).error?.message;
  if (!rpc.arguments.includes("tenant_id")) {
    assertEquals(rpc.name in withoutTenant, true, `${rpc.name}: missing in the rights`);
    assertEquals(await call(world.outsider.client) ?? null, withoutTenant[rpc.name]);
  } else {
    assertEquals(await call(world.outsider.client), "tenants.not_found", `${rpc.name} outsider`);
    if (forOperators.includes(rpc.name)) return;
    assertEquals(
      await call(suspended.client),
      forSuspended[rpc.name] ?? "members.not_active",
      `${rpc.name} suspended`,
    );
  }
  if (rpc.name === "tenants_card") return;
  assertEquals(await call(revoked.client), "auth.session_ended", `${rpc.name} revoked session`);
  const { error, status } = await anonymous().rpc(rpc.name, args);
  assertEquals([status, error?.code], [401, "42501"], `${rpc.name} anon`);
}

Deno.test("Z1: the rights matrix: every table and RPC, by everybody", async (t) => {
  const world = await createWorld();
  const { sql, tenant, owner } = world;
  try {
    const tables = await sql<{ name: string }[]>`
      select relname as name from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm') and not relispartition`;
    await t.step("no table is forgotten", () => {
      const known = [...Object.keys(rights), ...shared, ...personal].sort();
      assertEquals(tables.map(({ name }) => name).sort(), known);
    });
    for (const table of Object.keys(rights)) {
      await t.step(`${table}: select`, () => testSelect(world, table));
      await t.step(`${table}: insert, update, delete`, () => testWrites(world, table));
      if (rights[table]!.update) {
        await t.step(`${table}: the update that is allowed`, () => testAllowedUpdate(world, table));
      }
    }
    for (const table of [...shared, ...personal]) {
      await t.step(`${table}: read by people, written by nobody`, async () => {
        assertEquals((await must<Row[]>(owner.client.from(table).select("*"))).length > 0, true);
        for (const client of [owner.client, anonymous()]) {
          assertEquals((await client.from(table).insert({})).error?.code, "42501");
        }
        assertEquals((await anonymous().from(table).select("*")).status, 401);
      });
    }
    const [revoked, suspended] = await Promise.all([createMember(tenant), createMember(tenant)]);
    await setStatus(owner.client, tenant, suspended, "suspended");
    await sql`delete from auth.sessions where user_id = ${revoked.id}`;
    for (const rpc of await readRpcs(sql)) {
      await t.step(`rpc ${rpc.name}`, () => testRpc(world, rpc, revoked, suspended));
    }
    await t.step("a revoked session reads nothing at all", async () => {
      for (const table of [...Object.keys(rights), ...personal]) {
        assertEquals(await must<Row[]>(revoked.client.from(table).select("*")), [], table);
      }
    });
  } finally {
    await sql.end({ timeout: 5 });
  }
});
