import { deepStrictEqual as assertEquals } from "node:assert/strict";
import assert from "node:assert/strict";
import { until } from "../../support/wait.ts";
import { startChild } from "./child.ts";
import { makeDatabase, type Scratch, terminated } from "./support.ts";

const fixture = `
  create table public.things (id int primary key);
  grant select on public.things to authenticated;
  create function public.wait(seconds float8) returns void language sql volatile
    as $$ select pg_sleep(seconds) $$;`;

const waiting = "wait_event = 'PgSleep' and datname = current_database()";

const countWaiting = async (database: Scratch) =>
  (await database.run(`select 1 from pg_stat_activity where ${waiting}`)).length;

Deno.test("a killed busy backend fails its own request alone", async () => {
  await using database = await makeDatabase(fixture);
  await using child = await startChild(database);
  const before = await child.process();
  const calls = [1, 2, 3].map(() => child.door.call("/rpc/wait", { body: { seconds: 5 } }));
  await until(async () => await countWaiting(database) === 3);

  await database.run(terminated(waiting));
  const killed = performance.now();
  const answers = await Promise.all(calls);

  assertEquals(answers.map(({ status }) => status), [503, 503, 503]);
  assertEquals((await child.door.call("/things")).status, 200);
  assert(performance.now() - killed < 1_000);
  assertEquals((await child.process())?.pid, before?.pid);
});

Deno.test("a dead process is answered for, and back within a second", async () => {
  await using database = await makeDatabase(fixture);
  const began = performance.now();
  await using child = await startChild(database);
  const usual = performance.now() - began;
  const { pid } = (await child.process())!;
  const busy = child.door.call("/rpc/wait", { body: { seconds: 5 } });
  await until(() => countWaiting(database));

  Deno.kill(pid, "SIGKILL");
  const killed = performance.now();
  assertEquals((await busy).status, 503);
  const { status, headers, body } = await child.door.call("/things");
  assertEquals([status, headers.get("retry-after")], [503, "1"]);
  assertEquals((body as { code: string }).code, "PGRST000");

  await until(async () => (await child.door.call("/things")).status === 200, { timeout: 20_000 });
  // A second, on a machine that has it to spare: other tests slow every start down.
  const took = performance.now() - killed;
  assert(took < Math.max(1_000, 3 * usual), `${took} ms, where a start takes ${usual} ms`);
});
