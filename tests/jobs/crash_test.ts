import assert from "node:assert/strict";
import { until } from "../support/wait.ts";
import { startQueueStack } from "./queue_stack.ts";
import type { Claimed } from "./support.ts";

Deno.test("after a crash nobody gets a job while workers of before may still have it", async () => {
  await using stack = await startQueueStack();
  const { sql } = stack;
  const [before, after] = [crypto.randomUUID(), crypto.randomUUID()];
  const claim = (worker: string) =>
    sql<Claimed[]>`select * from jobs_claim(${worker}, array['jobs.crash'], 2) order by id`;
  const heartbeat = async (worker: string) =>
    (await sql`select jobs_heartbeat(${worker}) as alive`)[0]!.alive;

  await sql`select private.enqueue('jobs.crash') from generate_series(1, 3)`;
  const taken = await claim(before);
  assert.equal(taken.length, 2);
  assert.equal(await heartbeat(before), true);
  // A commit that waits for the disk takes with it what was committed before.
  await sql`select private.enqueue('jobs.crash')`;

  const [victim] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  Deno.kill(victim!.pid, "SIGKILL");
  await until(() => sql`select`.then(() => true, () => false));

  assert.deepEqual([...await claim(after)], []);
  assert.equal(await heartbeat(before), false);
  assert.deepEqual([...await claim(before)], []);
  assert.equal(await heartbeat(before), false);

  await sql`select setval('private.jobs_open_from', 1)`;
  const again = [...await claim(after), ...await claim(after)];
  assert.equal(again.length, 4);
  const ids = new Set(again.map(({ id }) => id));
  assert.ok(taken.every(({ id }) => ids.has(id)));
  assert.equal(await heartbeat(after), true);
});
