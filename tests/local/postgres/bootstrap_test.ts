import assert from "node:assert/strict";
import { chooseAccount } from "../../../local/postgres/account.ts";
import { findBinaries } from "../../../local/postgres/binaries.ts";
import { sharedFolder } from "../../../local/postgres/cluster.ts";
import { startDatabase } from "../../../local/postgres/mod.ts";
import { join } from "../../../local/paths.ts";
import { freePort } from "../../../local/ports.ts";
import { until } from "../../support/wait.ts";
import { codeOf, makePlace, query } from "./support.ts";

/** A server as anybody might run one: its superuser is postgres, its log level the default. */
async function startOutsideServer(folder: string) {
  const account = await chooseAccount();
  const binaries = await findBinaries(account, sharedFolder);
  const data = join(folder, "outside");
  await Deno.mkdir(data);
  if (account.ids.uid) await Deno.chown(data, account.ids.uid, account.ids.gid!);
  const run = (program: string, args: string[]) =>
    new Deno.Command(join(binaries.folder, "bin", program), {
      args,
      ...account.ids,
      cwd: data,
      stdout: "null",
      stderr: "null",
    }).spawn();
  await run("initdb", ["-D", data, "-U", "postgres", "--auth=trust"]).status;
  const port = freePort();
  const server = run("postgres", ["-D", data, "-p", String(port), "-k", ""]);
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`;
  await until(() => query(url, (sql) => sql`select 1`));
  return {
    url,
    async stop() {
      server.kill("SIGINT");
      await server.status;
    },
  };
}

Deno.test("a server of one's own", async (t) => {
  await using place = await makePlace();
  const { settings } = place;
  const told: string[] = [];
  const outside = await startOutsideServer(join(settings.home, ".."));
  const start = (dbUrl: string) =>
    startDatabase({ ...settings, dbUrl }, () => {}, (line) => told.push(line));

  await t.step("gets the roles and schemas, and what it cannot have is told", async () => {
    const database = await start(outside.url);
    assert.equal(database.embedded, false);
    for (const role of ["supabase_admin", "postgres", "authenticator"] as const) {
      const [row] = await query(database.url(role), (sql) => sql`select current_user as name`);
      assert.equal(row?.name, role);
    }
    assert.equal(told.length, 2, told.join("\n"));
    assert.match(told[0]!, /wal_level=replica, not logical: live messages are not delivered/);
    assert.match(told[1]!, /postgres is the superuser of this database/);
    await database.stop();
  });

  await t.step("is left as it is when it is given again", async () => {
    const database = await start(outside.url);
    await query(outside.url, (sql) => sql`alter role anon set statement_timeout = '1s'`);
    await start(outside.url);
    const [row] = await query(
      outside.url,
      (sql) => sql`select rolconfig from pg_roles where rolname = 'anon'`,
    );
    assert.deepEqual(row?.rolconfig, ["statement_timeout=1s"]);
    await database.stop();
  });

  await t.step("takes the chapters a second time without complaint", async () => {
    await query(outside.url, (sql) => sql`alter database postgres reset nexus.bootstrap`);
    await start(outside.url);
    const [row] = await query(
      outside.url,
      (sql) => sql`select rolconfig from pg_roles where rolname = 'anon'`,
    );
    assert.deepEqual(row?.rolconfig, ["statement_timeout=3s"]);
  });

  await t.step("of Supabase itself is not touched", async () => {
    await query(outside.url, async (sql) => {
      await sql`create database own`;
      await sql`alter database own set supautils.privileged_role = 'supabase_privileged_role'`;
    });
    const own = outside.url.replace(/postgres$/, "own");
    await start(own);
    const schemas = await query(
      own,
      (sql) => sql`select from pg_namespace where nspname in ('auth', 'realtime', 'storage')`,
    );
    assert.equal(schemas.length, 0);
  });

  await t.step("is refused without a superuser and without an answer", async () => {
    await assert.rejects(start(outside.url.replace("postgres@", "authenticator@")), {
      name: "StackError",
      message: "--db-url needs a superuser, and authenticator is none.",
    });
    await assert.rejects(start("postgresql://postgres@127.0.0.1:9/postgres"), {
      name: "StackError",
      message: /^The database at 127\.0\.0\.1:9 does not answer: /,
    });
    await assert.rejects(start("127.0.0.1"), {
      message: "--db-url needs postgresql://superuser:password@host:port/database.",
    });
  });

  await outside.stop();
});

for (const autoExpose of [true, false]) {
  const name = autoExpose ? "open to the API roles" : "closed to the API roles";
  Deno.test(`a new table in public is ${name} with auto_expose_new_tables = ${autoExpose}`, async () => {
    await using place = await makePlace();
    const { config } = place.settings;
    const api = { ...config.api, autoExposeNewTables: autoExpose };
    const database = await place.start({ config: { ...config, api } });
    const refused = await query(database.url("postgres"), async (sql) => {
      await sql`create table fresh (n int)`;
      await sql`create function fresh_answer() returns int language sql return 42`;
      await sql`set role anon`;
      return [
        await codeOf(sql`select * from fresh`),
        await codeOf(sql`insert into fresh values (1)`),
      ];
    });
    await database.stop();
    assert.deepEqual(refused, autoExpose ? [undefined, undefined] : ["42501", "42501"]);
  });
}
