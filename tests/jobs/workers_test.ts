import assert from "node:assert/strict";
import postgres from "postgres";
import { drain, type Limits, standardLimits } from "../../functions/worker/drain.ts";
import { PermanentFailure } from "../../functions/worker/failure.ts";
import type { Handler, Job } from "../../functions/worker/handlers.ts";
import { until } from "../support/wait.ts";
import { startQueueStack } from "./queue_stack.ts";

const quick: Limits = { ...standardLimits, linger: 300, lookEvery: 20 };

Deno.test("workers", async (t) => {
  await using stack = await startQueueStack();
  const { sql } = stack;
  const never = new AbortController().signal;
  const left = async () =>
    (await sql`select count(*)::int as count from private.jobs`)[0]!.count as number;

  await t.step("run each job by its kind's handler, with several at a time", async () => {
    const seen: Job[] = [];
    let most = 0;
    let running = 0;
    const handler: Handler = async (job) => {
      seen.push(job);
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
    };
    await sql`select private.enqueue('test.a', jsonb_build_object('n', n)) from generate_series(1, 50) n`;
    assert.equal(await drain(stack.services(), { "test.a": handler }, never, quick), 50);
    assert.equal(new Set(seen.map((job) => job.id)).size, 50);
    assert.ok(most > 1 && most <= quick.batch, `${most}`);
    assert.equal(await left(), 0);
    const workers = await sql`select from private.jobs_workers`;
    assert.equal(workers.length, 0);
  });

  await t.step(
    "stay for the retries: a job that fails twice is done by the same worker",
    async () => {
      const attempts: number[] = [];
      const handler: Handler = (job) => {
        attempts.push(job.attempts);
        return job.attempts < 3 ? Promise.reject(new Error("not yet")) : Promise.resolve();
      };
      await sql`select private.enqueue('test.b')`;
      const began = Date.now();
      assert.equal(await drain(stack.services(), { "test.b": handler }, never, quick), 3);
      assert.deepEqual(attempts, [1, 2, 3]);
      assert.ok(Date.now() - began >= 3_000);
      const [figures] = await sql`
      select sum(done)::int as done, sum(failed)::int as failed from private.jobs_figures where kind = 'test.b'`;
      assert.deepEqual({ ...figures }, { done: 1, failed: 2 });
    },
  );

  await t.step("bury at once what can never succeed", async () => {
    const handler: Handler = () => Promise.reject(new PermanentFailure("no such mailbox"));
    await sql`select private.enqueue('test.c')`;
    await drain(stack.services(), { "test.c": handler }, never, quick);
    const [dead] =
      await sql`select attempts, last_error from private.jobs_dead where kind = 'test.c'`;
    assert.deepEqual({ ...dead }, { attempts: 1, last_error: "PermanentFailure: no such mailbox" });
  });

  await t.step("end a handler that takes too long, whether it listens or not", async () => {
    const handler: Handler = () => new Promise(() => {});
    await sql`select private.enqueue('test.d')`;
    const stop = new AbortController();
    const drained = drain(stack.services(), { "test.d": handler }, stop.signal, {
      ...quick,
      job: 100,
    });
    await until(async () => {
      const [job] =
        await sql`select last_error from private.jobs where kind = 'test.d' and worker is null`;
      return job?.last_error?.startsWith("TimeoutError");
    });
    stop.abort();
    await drained;
    await sql`delete from private.jobs`;
  });

  await t.step("leave the rest to another one after so many jobs, and call it", async () => {
    await sql`select vault.create_secret('http://127.0.0.1:9', 'functions_url'), vault.create_secret('s', 'worker_secret')`;
    await sql`select private.enqueue('test.e') from generate_series(1, 30)`;
    await sql`delete from net.http_request_queue`;
    const limits = { ...quick, batch: 10, jobs: 20 };
    assert.equal(
      await drain(stack.services(), { "test.e": () => Promise.resolve() }, never, limits),
      20,
    );
    assert.equal(await left(), 10);
    const calls = await sql`select url from net.http_request_queue`;
    assert.deepEqual(calls.map(({ url }) => url), ["http://127.0.0.1:9/worker"]);
    await sql`delete from private.jobs`;
  });

  await t.step("call one worker a second, however many jobs are enqueued", async () => {
    await sql`delete from net.http_request_queue`;
    await sql`select setval('private.jobs_woken', 1)`;
    const began = Date.now();
    await Promise.all(
      Array.from({ length: 200 }, () => sql`select private.enqueue('test.f')`),
    );
    const seconds = Math.ceil((Date.now() - began) / 1_000) + 1;
    const [calls] = await sql`select count(*)::int as count from net.http_request_queue`;
    assert.ok(calls!.count >= 1 && calls!.count <= seconds, `${calls!.count} in ${seconds} s`);
    await sql`delete from private.jobs`;
  });

  await t.step(
    "eight of them with random kills: every effect once, nothing lost, nothing at the same time",
    async () => {
      await sql`create table effects (job uuid primary key)`;
      await sql`create table running (job uuid primary key)`;
      const jobs = 2_000;
      await sql`select private.enqueue('test.g') from generate_series(1, ${jobs})`;
      let kills = 0;
      const work = async () => {
        // Each life of a worker has a connection, a name, and an end that may come at any moment.
        for (let empty = 0; empty < 5;) {
          const own = postgres(stack.url, { max: 1, onnotice() {} });
          const worker = crypto.randomUUID();
          let lives = kills < 60 ? Math.ceil(Math.random() * 6) : Infinity;
          try {
            for (; lives > 0 && empty < 5; lives--) {
              const taken = await own<Job[]>`select * from jobs_claim(${worker}, ${[
                "test.g",
              ]}, 10)`;
              empty = taken.length === 0 ? empty + 1 : 0;
              if (taken.length === 0) await new Promise((resolve) => setTimeout(resolve, 300));
              for (const { id } of taken) {
                await own`insert into running values (${id})`;
                // Idempotent by the job's id, as every handler has to be.
                await own`insert into effects values (${id}) on conflict do nothing`;
                await own`delete from running where job = ${id}`;
              }
              // The next kill falls between the effects and telling of them, or after it.
              if (lives === 1 && Math.random() < 0.5) break;
              await own`
              select jobs_complete(${worker}, ${taken.map((job) => job.tenant_id)}::uuid[], ${
                taken.map((job) => job.id)
              }::uuid[])`;
            }
          } finally {
            await own.end({ timeout: 0 });
          }
          if (empty < 5) {
            kills++;
            // As when the lease has run out.
            await sql`update private.jobs_workers set expires_at = clock_timestamp() where id = ${worker}`;
          }
        }
      };
      await Promise.all(Array.from({ length: 8 }, work));
      assert.ok(kills >= 20, `${kills} kills`);
      // A job that was with four workers when they ended is buried as the likely cause; its effect is there.
      const [effects] = await sql`select count(*)::int as count from effects`;
      assert.deepEqual([effects!.count, await left()], [jobs, 0]);
    },
  );
});
