import { deepStrictEqual as assertEquals } from "node:assert/strict";
import assert from "node:assert/strict";
import { fromFileUrl } from "../../../local/paths.ts";
import { accepts, freePort } from "../../../local/ports.ts";
import { root } from "../../../local/settings.ts";
import { until } from "../../support/wait.ts";
import { startChild } from "./child.ts";
import { makeDatabase, type Scratch, terminated, tokenOf } from "./support.ts";

const fixture = `
  create table public.things (id int primary key);
  grant select on public.things to anon, authenticated;
  create function public.wait(seconds float8) returns void language sql volatile
    as $$ select pg_sleep(seconds) $$;
  create function public.wait_long() returns void language sql set statement_timeout = '30s'
    as $$ select pg_sleep(20) $$;`;

const waiting = "state = 'active' and datname = current_database() and pid <> pg_backend_pid()" +
  " and wait_event = 'PgSleep'";

const areWaiting = (database: Scratch) => async () =>
  (await database.run(`select 1 from pg_stat_activity where ${waiting}`)).length;

Deno.test("lite as it comes does not outlive its backend", async () => {
  await using database = await makeDatabase(fixture);
  const port = freePort();
  const script = fromFileUrl(import.meta.resolve("./plain_process.ts"));
  const lite = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", script, database.url("supabase_admin"), String(port)],
    cwd: root,
    stdout: "null",
    stderr: "null",
  }).spawn();
  await until(() => accepts(port), { timeout: 10_000 });
  const call = fetch(`http://127.0.0.1:${port}/rest/v1/rpc/wait`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"seconds":5}',
  }).then(({ body }) => body?.cancel(), () => {});
  await until(areWaiting(database));

  await database.run(terminated(waiting));

  const { success } = await lite.status;
  assertEquals(success, false);
  await call;
});

Deno.test("no request lasts longer than it may: 504", async () => {
  await using database = await makeDatabase(fixture);
  await using child = await startChild(database, 300);
  const { status, body } = await child.door.call("/rpc/wait_long", { body: {} });
  assertEquals([status, (body as { code: string }).code], [504, "PGRST003"]);
});

Deno.test("what nobody waits for any more is ended by its role's timeout", async () => {
  await using database = await makeDatabase(fixture);
  await using child = await startChild(database);
  const giveUp = new AbortController();
  const gone = child.fetch(
    new Request("http://localhost/rest/v1/rpc/wait", {
      method: "POST",
      headers: {
        authorization: `Bearer ${await tokenOf({ role: "anon" })}`,
        "content-type": "application/json",
      },
      body: '{"seconds":30}',
      signal: giveUp.signal,
    }),
  ).then(() => "answered", () => "aborted");
  await until(areWaiting(database));
  giveUp.abort();
  assertEquals(await gone, "aborted");
  await until(async () => await areWaiting(database)() === 0, { timeout: 5_000 });
});

Deno.test("the process may reach its database and nothing else", async () => {
  await using database = await makeDatabase(fixture);
  await using child = await startChild(database);
  const { args } = (await child.process())!;
  const [net, ...others] = args.filter((arg) => /^(-A|--allow)/.test(arg));
  const { host } = new URL(database.url("authenticator"));
  assertEquals(others, ["--allow-env"]);
  assert.match(net!, new RegExp(`^--allow-net=${host},127\\.0\\.0\\.1:\\d+$`));
});
