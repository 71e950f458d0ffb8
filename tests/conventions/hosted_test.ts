import assert from "node:assert/strict";
import postgres from "postgres";
import { getStack } from "../support/stack.ts";
import * as hosted from "./hosted.ts";

const sql = postgres(getStack().databaseUrl, { max: 1, onnotice() {} });
Deno.test.afterAll(() => sql.end({ timeout: 5 }));

/** Runs the query and makes an object of its columns `key` and `value`. */
async function read<T>(query: postgres.PendingQuery<postgres.Row[]>): Promise<Record<string, T>> {
  return Object.fromEntries((await query).map(({ key, value }) => [key, value]));
}

/** The part of `found` that `expected` speaks about. */
function within<T>(found: Record<string, T>, expected: Record<string, unknown>): Record<string, T> {
  return Object.fromEntries(Object.entries(found).filter(([key]) => key in expected));
}

Deno.test("roles have hosted's attributes", async () => {
  const found = await read<string[]>(sql`
    select rolname as key, array_remove(array[
      case when rolbypassrls then 'bypassrls' end, case when rolcreatedb then 'createdb' end,
      case when rolcreaterole then 'createrole' end, case when rolinherit then 'inherit' end,
      case when rolcanlogin then 'login' end, case when rolreplication then 'replication' end,
      case when rolsuper then 'superuser' end
    ], null) as value
    from pg_roles`);
  assert.deepEqual(within(found, hosted.roles), hosted.roles);
});

Deno.test("Z4: roles have hosted's timeouts and search paths", async () => {
  const found = await read<string[]>(sql`
    select rolname as key, array(
      select replace(setting, '\\$', '$') from unnest(rolconfig) setting
      where setting !~ '(preload_libraries|safeupdate)' order by setting
    ) as value
    from pg_roles where rolconfig is not null`);
  assert.deepEqual(within(found, hosted.settings), hosted.settings);
});

Deno.test("roles belong to the roles they belong to on hosted", async () => {
  const known = Object.keys(hosted.roles);
  const found = await read<string[]>(sql`
    select member::regrole::text as key,
      array_agg(distinct roleid::regrole || case when admin_option then '*' else '' end) as value
    from pg_auth_members
    where (roleid::regrole::text = any (${known}) or roleid::regrole::text like 'pg\\_%')
      and not (
        member = 'postgres'::regrole and not set_option
        and roleid::regrole::text = any (${hosted.inheritedByPostgres})
      )
    group by member`);
  assert.deepEqual(within(found, hosted.memberships), hosted.memberships);
});

const grantsOf = (acl: string, owner: string) =>
  sql.unsafe(`(
    select coalesce(jsonb_object_agg(grantee, privileges), '{}') from (
      select case grantee when 0 then 'public' else grantee::regrole::text end as grantee,
        string_agg(distinct privilege_type || case when is_grantable then '*' else '' end, ' '
          order by privilege_type || case when is_grantable then '*' else '' end) as privileges
      from aclexplode(${acl}) where grantee <> ${owner} group by grantee
    ) grants
  )`);

Deno.test("schemas belong to hosted's owners and are open to whom they are there", async () => {
  const found = await read(sql`
    select nspname as key, jsonb_build_object(
      'owner', nspowner::regrole, 'grants', ${grantsOf("nspacl", "nspowner")}
    ) as value
    from pg_namespace`);
  assert.deepEqual(within(found, hosted.schemas), hosted.schemas);
});

Deno.test("managed tables belong to hosted's owners and are open to whom they are there", async () => {
  const found = await read(sql`
    select relnamespace::regnamespace || '.' || relname as key, jsonb_build_object(
      'owner', relowner::regrole, 'grants', ${grantsOf("relacl", "relowner")}
    ) as value
    from pg_class where relkind in ('r', 'p') and relrowsecurity`);
  assert.deepEqual(within(found, hosted.tables), hosted.tables);
});

Deno.test("managed functions belong to hosted's owners", async () => {
  const found = await read<string>(sql`
    select oid::regprocedure::text as key, proowner::regrole::text as value from pg_proc
    where pronamespace in ('auth'::regnamespace, 'storage'::regnamespace, 'realtime'::regnamespace)`);
  assert.deepEqual(within(found, hosted.functions), hosted.functions);
});

Deno.test("new objects are granted to whom they are on hosted", async () => {
  const found = await read<string[]>(sql`
    select key, array_agg(distinct grantee) as value from (
      select defaclrole::regrole || ' in ' || defaclnamespace::regnamespace as key,
        acl.grantee::regrole::text as grantee
      from pg_default_acl, aclexplode(defaclacl) acl
      where defaclnamespace <> 0 and acl.grantee <> 0
    ) defaults group by key`);
  assert.deepEqual(within(found, hosted.defaultPrivileges), hosted.defaultPrivileges);
});

Deno.test("new objects of migrations in public are closed to the API roles", async () => {
  const open = await sql`
    select acl.grantee::regrole::text as role, acl.privilege_type
    from pg_default_acl, aclexplode(defaclacl) acl
    where defaclrole = 'postgres'::regrole and defaclnamespace = 'public'::regnamespace
      and acl.grantee::regrole::text in ('anon', 'authenticated', 'service_role')`;
  assert.deepEqual([...open], []);
});

Deno.test("extensions live where they live on hosted", async () => {
  const found = await read<string>(sql`
    select extname as key, extnamespace::regnamespace::text as value from pg_extension`);
  assert.deepEqual(within(found, hosted.extensions), hosted.extensions);
});

Deno.test("the database belongs to postgres, speaks UTF-8 and UTC and logs for replication", async () => {
  const [row] = await sql`
    select datdba::regrole::text as owner, pg_encoding_to_char(encoding) as encoding,
      current_setting('timezone') as zone, current_setting('wal_level') as wal_level,
      current_setting('server_version_num')::int / 10000 as major, 'a' < 'B' as by_language
    from pg_database where datname = current_database()`;
  assert.deepEqual({ ...row }, {
    owner: "postgres",
    encoding: "UTF8",
    zone: "UTC",
    wal_level: "logical",
    major: 17,
    by_language: true,
  });
});

Deno.test("broadcasts are published, changes of schema are announced", async () => {
  const published = await sql`
    select pubname from pg_publication
    where pubname in ('supabase_realtime', 'supabase_realtime_messages_publication') order by 1`;
  assert.equal(published.length, 2);
  const watching = await sql`
    select evtname from pg_event_trigger
    where evtname in ('pgrst_ddl_watch', 'pgrst_drop_watch') and evtenabled = 'O'`;
  assert.equal(watching.length, 2);
});

/** What the statement answers in a transaction that is rolled back: an SQLSTATE, or `done`. */
async function attempt(statement: string): Promise<string> {
  const undo = new Error("undo");
  try {
    await sql.begin(async (sql) => {
      await sql.unsafe(statement).simple();
      throw undo;
    });
    return "unreachable";
  } catch (error) {
    if (error === undo) return "done";
    if (error instanceof postgres.PostgresError) return error.code;
    throw error;
  }
}

const attempts: Record<string, string> = {
  "create policy t on realtime.messages for select to authenticated using (true)": "done",
  "create policy t on storage.objects for select to authenticated using (true)": "done",
  "create policy t on storage.objects for select using (true); drop policy t on storage.objects":
    "done",
  "create trigger t after insert on auth.users for each row execute function suppress_redundant_updates_trigger()":
    "done",
  "create trigger t after insert on auth.users for each row execute function suppress_redundant_updates_trigger(); drop trigger t on auth.users":
    "done",
  "select count(*) from auth.sessions; delete from auth.sessions where user_id is null": "done",
  "create table public.t (id uuid references auth.users (id))": "done",
  "create publication t": "done",
  "create extension if not exists citext with schema extensions": "done",
  "create role t; grant usage on schema realtime, storage to t; grant select on auth.users to t":
    "done",
  "set local role service_role": "done",
  "alter table auth.users add column t int": "42501",
  "alter table storage.objects disable row level security": "42501",
  "alter table realtime.messages add column t int": "42501",
  "create table auth.t (n int)": "42501",
  "create table realtime.t (n int)": "42501",
  "create table storage.t (n int)": "42501",
  "create or replace function auth.uid() returns uuid language sql as 'select null::uuid'": "42501",
  "create index t on auth.users (phone)": "42501",
  "drop table storage.objects cascade": "42501",
  "delete from storage.objects": "42501",
  "set local role supabase_admin": "42501",
  "set local role supabase_auth_admin": "42501",
  "set local role supabase_storage_admin": "42501",
  "set local role supabase_realtime_admin": "42501",
  "alter role postgres superuser": "42501",
  "copy (select 1) to program 'cat'": "42501",
};

for (const [statement, answer] of Object.entries(attempts)) {
  const verb = answer === "done" ? "may" : "may not";
  Deno.test(`postgres ${verb} ${statement}`, async () => {
    assert.equal(await attempt(statement), answer);
  });
}
