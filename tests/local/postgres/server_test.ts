import assert from "node:assert/strict";
import { chooseAccount } from "../../../local/postgres/account.ts";
import { findBinaries } from "../../../local/postgres/binaries.ts";
import { sharedFolder } from "../../../local/postgres/cluster.ts";
import { join } from "../../../local/paths.ts";
import { until } from "../../support/wait.ts";
import { connect, makePlace, query } from "./support.ts";

const postmasterOf = async (home: string) =>
  Number(
    (await Deno.readTextFile(join(home, "postgres", "data", "postmaster.pid"))).split("\n")[0],
  );

Deno.test("the embedded server", async (t) => {
  await using place = await makePlace();
  const { settings, lines } = place;
  const database = await place.start();
  const url = database.url("postgres");
  const answers = () =>
    query(url, async (sql) => (await sql`select count(*)::int as n from kept`)[0]);

  await t.step("runs as hosted does: version, time zone, log level, loopback only", async () => {
    const [row] = await query(
      url,
      (sql) =>
        sql`select current_setting('server_version_num')::int / 10000 as major,
        current_setting('timezone') as zone, current_setting('wal_level') as wal_level,
        current_setting('listen_addresses') as addresses`,
    );
    assert.deepEqual({ ...row }, {
      major: 17,
      zone: "UTC",
      wal_level: "logical",
      addresses: "127.0.0.1",
    });
  });

  await t.step("asks for the password", async () => {
    await assert.rejects(query(url.replace(":postgres@", ":wrong@"), (sql) => sql`select 1`), {
      code: "28P01",
    });
  });

  await t.step("loses one connection when one backend is terminated", async () => {
    await using victim = connect(url);
    await victim`create table kept (n int)`;
    await victim`insert into kept values (1)`;
    const [{ pid }] = await victim`select pg_backend_pid() as pid` as unknown as [{ pid: number }];
    await query(url, (sql) => sql`select pg_terminate_backend(${pid})`);
    assert.deepEqual({ ...await answers() }, { n: 1 });
  });

  await t.step("is back by itself, data and all, when the postmaster is killed", async () => {
    const killed = await postmasterOf(settings.home);
    Deno.kill(killed, "SIGKILL");
    await until(async () => await answers().catch(() => undefined), { timeout: 15_000 });
    assert.notEqual(await postmasterOf(settings.home), killed);
    assert.ok(lines.some((line) => line.includes("ended (SIGKILL)")), lines.join("\n"));
  });

  await t.step("is not kept out by a busy backend of the killed postmaster", async () => {
    const busy = connect(url);
    const endless = busy`do $$ begin loop null; end loop; end $$`.then(() => {}, () => {});
    await until(() =>
      query(url, async (sql) =>
        (await sql`
      select from pg_stat_activity where query like 'do $$%' and state = 'active'`).length > 0)
    );
    Deno.kill(await postmasterOf(settings.home), "SIGKILL");
    await until(async () => await answers().catch(() => undefined), { timeout: 15_000 });
    await endless;
    await busy.end({ timeout: 1 });
  });

  await t.step("refuses a port that is taken, in one sentence", async () => {
    await using other = await makePlace();
    await assert.rejects(other.start({ ports: settings.ports }), {
      name: "StackError",
      message: `Port ${settings.ports.db}, where the database should listen, is taken: ` +
        "end what uses it, or start with --port-offset 100.",
    });
  });

  await t.step("leaves nothing behind when stopped, and its data is there again", async () => {
    await using _client = connect(url);
    await database.stop();
    await assert.rejects(postmasterOf(settings.home), Deno.errors.NotFound);
    const again = await place.start();
    assert.deepEqual({ ...await answers() }, { n: 1 });
    await again.stop();
  });

  await t.step("replaces a postmaster that a killed stack left behind", async () => {
    const account = await chooseAccount();
    const { folder } = await findBinaries(account, sharedFolder);
    const data = join(settings.home, "postgres", "data");
    const orphan = new Deno.Command(join(folder, "bin", "postgres"), {
      args: ["-D", data, "-p", String(settings.ports.db), "-k", ""],
      ...account.ids,
      cwd: data,
      stdout: "null",
      stderr: "null",
    }).spawn();
    await until(async () => await answers().catch(() => undefined));
    const replacing = await place.start();
    assert.deepEqual({ ...await answers() }, { n: 1 });
    assert.equal((await orphan.status).code, 0, "it was shut down, not killed");
    assert.ok(lines.some((line) => line.startsWith("An earlier Postgres")), lines.join("\n"));
    await replacing.stop();
  });
});
