import assert from "node:assert/strict";
import { withDatabase } from "../support/database.ts";
import { claim, complete, enqueue, fail, hurry, someKind, undone } from "./support.ts";

const worker = () => crypto.randomUUID();

Deno.test("a job is taken once, with what it was given, and is gone when it is done", () =>
  undone(async (sql) => {
    const kind = someKind();
    const id = await enqueue(sql, kind, { payload: { a: 1 } });
    const me = worker();
    const jobs = await claim(sql, me, [kind]);
    assert.deepEqual(jobs.map((job) => [job.id, job.kind, job.payload, job.attempts]), [
      [id, kind, { a: 1 }, 1],
    ]);
    assert.deepEqual(await claim(sql, worker(), [kind]), []);
    assert.equal(await complete(sql, me, jobs), 1);
    const [left] = await sql`select count(*)::int as count from private.jobs where kind = ${kind}`;
    assert.equal(left!.count, 0);
  }));

Deno.test("a job lives and dies with the transaction that wants it", async () => {
  const kind = someKind();
  await undone(async (sql) => {
    await enqueue(sql, kind);
  });
  await withDatabase(async (sql) => {
    const [row] = await sql`select count(*)::int as count from private.jobs where kind = ${kind}`;
    assert.equal(row!.count, 0);
  });
});

Deno.test("higher priority first, then the older; not before its time", () =>
  undone(async (sql) => {
    const kind = someKind();
    const names = new Map<string | null, string>();
    const add = async (name: string, options: Record<string, unknown>) =>
      names.set(await enqueue(sql, kind, options), name);
    await add("later", { runAt: new Date(Date.now() + 3_600_000), priority: 1 });
    await add("low", { priority: -1 });
    await add("first", {});
    await add("second", {});
    await add("high", { priority: 1 });
    const order: string[] = [];
    for (;;) {
      const [job] = await claim(sql, worker(), [kind], 1);
      if (!job) break;
      order.push(names.get(job.id)!);
    }
    assert.deepEqual(order, ["high", "first", "second", "low"]);
  }));

Deno.test("one waiting job a key; a running one makes room for the next", () =>
  undone(async (sql) => {
    const kind = someKind();
    assert.ok(await enqueue(sql, kind, { key: "k" }));
    assert.equal(await enqueue(sql, kind, { key: "k" }), null);
    assert.ok(await enqueue(sql, kind, { key: "other" }));
    assert.equal((await claim(sql, worker(), [kind])).length, 2);
    // What happens from now on, the running job may not have seen.
    assert.ok(await enqueue(sql, kind, { key: "k" }));
  }));

Deno.test("one try and three retries after 1, 2 and 4 seconds, then the dead letter", () =>
  undone(async (sql) => {
    const kind = someKind();
    await enqueue(sql, kind, { payload: { a: 1 } });
    const me = worker();
    for (const [attempt, seconds] of [[1, 1], [2, 2], [3, 4]] as const) {
      const [job] = await claim(sql, me, [kind]);
      assert.equal(job!.attempts, attempt);
      const again = await fail(sql, me, job!);
      assert.ok(again! > seconds * 0.9 && again! <= seconds * 1.25, `${attempt}: ${again}`);
      assert.deepEqual(await claim(sql, me, [kind]), []);
      await hurry(sql, kind);
    }
    const [job] = await claim(sql, me, [kind]);
    assert.equal(await fail(sql, me, job!), null);
    const [dead] = await sql`select * from private.jobs_dead where kind = ${kind}`;
    assert.deepEqual([dead!.id, dead!.payload, dead!.attempts, dead!.reason, dead!.last_error], [
      job!.id,
      { a: 1 },
      4,
      "failed",
      "broken",
    ]);
    const [left] = await sql`select count(*)::int as count from private.jobs where kind = ${kind}`;
    assert.equal(left!.count, 0);
  }));

Deno.test("a permanent failure is dead at once; replayed, it has its id and four tries again", () =>
  undone(async (sql) => {
    const kind = someKind();
    const id = await enqueue(sql, kind);
    const me = worker();
    const [job] = await claim(sql, me, [kind]);
    assert.equal(await fail(sql, me, job!, true), null);
    const [replayed] = await sql`select jobs_replay(${kind}) as count`;
    assert.equal(replayed!.count, 1);
    const [again] = await claim(sql, me, [kind]);
    assert.deepEqual([again!.id, again!.attempts], [id, 1]);
    const [left] =
      await sql`select count(*)::int as count from private.jobs_dead where kind = ${kind}`;
    assert.equal(left!.count, 0);
  }));

Deno.test("a waiting job can be cancelled, a running one goes on", () =>
  undone(async (sql) => {
    const kind = someKind();
    const running = await enqueue(sql, kind);
    await claim(sql, worker(), [kind]);
    const waiting = await enqueue(sql, kind);
    const [row] = await sql`
      select jobs_cancel(private.platform(), ${[running, waiting] as string[]}::uuid[]) as count`;
    assert.equal(row!.count, 1);
    const letters = await sql`select id, reason from jobs_dead_letters(${kind})`;
    assert.deepEqual(letters.map(({ id, reason }) => [id, reason]), [[waiting, "cancelled"]]);
  }));

Deno.test("a kind that nobody knows stays, is reported, and runs once somebody does", () =>
  undone(async (sql) => {
    const [known, unknown] = [someKind(), `${someKind()}_new`];
    await enqueue(sql, unknown);
    await enqueue(sql, known);
    assert.deepEqual((await claim(sql, worker(), [known], 1)).map((job) => job.kind), [known]);
    const [row] = await sql`
      select kind from jsonb_to_recordset(jobs_statistics() -> 'kinds') as k (kind text, parked int)
      where kind = ${unknown} and parked = 1`;
    assert.ok(row);
    const [job] = await claim(sql, worker(), [known, unknown]);
    assert.deepEqual([job!.kind, job!.attempts], [unknown, 1]);
  }));

Deno.test("jobs of a module that the tenant switched off wait until it is on again", () =>
  undone(async (sql) => {
    const kind = `wallet.${someKind().slice(5)}`;
    const [tenant] = await sql<{ id: string }[]>`
      insert into tenants (slug, name) values (${`t-${
      crypto.randomUUID().slice(0, 18)
    }`}, 'Off') returning id`;
    const id = await enqueue(sql, kind, { tenant: tenant!.id });
    assert.deepEqual(await claim(sql, worker(), [kind]), []);
    assert.deepEqual(await claim(sql, worker(), [kind]), []);
    await sql`update tenants set modules = '{wallet}' where id = ${tenant!.id}`;
    assert.deepEqual((await claim(sql, worker(), [kind])).map((job) => job.id), [id]);
  }));

Deno.test("a dead worker's jobs are taken up after its lease, and it has no say any more", () =>
  undone(async (sql) => {
    const kind = someKind();
    await enqueue(sql, kind);
    const [dead, alive] = [worker(), worker()];
    const jobs = await claim(sql, dead, [kind]);
    assert.deepEqual(await claim(sql, alive, [kind]), []);
    await sql`update private.jobs_workers set expires_at = clock_timestamp() where id = ${dead}`;
    const [again] = await claim(sql, alive, [kind]);
    assert.deepEqual([again!.id, again!.attempts], [jobs[0]!.id, 2]);
    assert.equal(await complete(sql, dead, jobs), 0);
    assert.equal(await fail(sql, dead, jobs[0]!), null);
    const [beat] = await sql`select jobs_heartbeat(${dead}) as alive`;
    assert.equal(beat!.alive, false);
    assert.equal(await complete(sql, alive, jobs), 1);
  }));

Deno.test("a heartbeat renews the lease of all that the worker holds", () =>
  undone(async (sql) => {
    const kind = someKind();
    await enqueue(sql, kind);
    const me = worker();
    await claim(sql, me, [kind]);
    await sql`
      update private.jobs_workers set expires_at = clock_timestamp() + interval '1 second' where id = ${me}`;
    const [beat] = await sql`
      select jobs_heartbeat(${me}, ${
      sql.json([{ kind, done: 2, failed: 1, milliseconds: 30 }])
    }) as alive`;
    assert.equal(beat!.alive, true);
    const [lease] = await sql`
      select extract(epoch from expires_at - clock_timestamp())::float as seconds
      from private.jobs_workers where id = ${me}`;
    assert.ok(lease!.seconds > 25);
    const [figures] =
      await sql`select done, failed, milliseconds::int from private.jobs_figures where kind = ${kind}`;
    assert.deepEqual({ ...figures }, { done: 2, failed: 1, milliseconds: 30 });
  }));

Deno.test("a job that ended four workers is dead", () =>
  undone(async (sql) => {
    const kind = someKind();
    await enqueue(sql, kind);
    for (let death = 1; death <= 4; death++) {
      const victim = worker();
      assert.equal((await claim(sql, victim, [kind]))[0]!.attempts, death);
      await sql`update private.jobs_workers set expires_at = clock_timestamp() where id = ${victim}`;
    }
    assert.deepEqual(await claim(sql, worker(), [kind]), []);
    const [dead] = await sql`select last_error from private.jobs_dead where kind = ${kind}`;
    assert.equal(dead!.last_error, "the worker died");
  }));

Deno.test("a worker that leaves gives back at once what it held", () =>
  undone(async (sql) => {
    const kind = someKind();
    const id = await enqueue(sql, kind);
    const me = worker();
    await claim(sql, me, [kind]);
    const [row] = await sql`select jobs_leave(${me}) as count`;
    assert.equal(row!.count, 1);
    assert.deepEqual((await claim(sql, worker(), [kind])).map((job) => job.id), [id]);
  }));

Deno.test("taking a job changes its row within the page and no index", () =>
  undone(async (sql) => {
    const blocking = await sql`
      select distinct a.attname from pg_index i
      join pg_attribute a on a.attrelid = i.indrelid
      where i.indrelid = 'private.jobs'::regclass and a.attname in ('worker', 'attempts')
        and (a.attnum = any (i.indkey) or coalesce(pg_get_expr(i.indpred, i.indrelid), '') ~ a.attname)`;
    assert.deepEqual([...blocking], []);
  }));

Deno.test("what does not fit the outbox is refused", () =>
  undone(async (sql) => {
    const refused = async (kind: string, options: Record<string, unknown>) => {
      await assert.rejects(
        sql.savepoint((inner) => enqueue(inner, kind, options)),
        { code: "P0001", message: /^not a job: / },
      );
    };
    await refused("nokind", {});
    await refused(someKind(), { priority: 2 });
    await refused(someKind(), { payload: { text: "x".repeat(5_000) } });
    await refused(someKind(), { payload: [1] });
  }));
