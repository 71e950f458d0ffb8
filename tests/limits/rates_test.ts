import assert from "node:assert/strict";
import fc from "fast-check";
import { tokenOf } from "../support/api.ts";
import { must } from "../support/answers.ts";
import { admin, anonymous, createPerson } from "../support/clients.ts";
import { connect, withDatabase } from "../support/database.ts";
import { getStack } from "../support/stack.ts";

interface Verdict {
  allowed: boolean;
  limit: number;
  remaining: number;
  reset_at: string;
  retry_after: number;
}

const newKey = () => `test:${crypto.randomUUID()}`;

const take = (key: string, limit: number, seconds = 60) =>
  must<Verdict>(admin().rpc("limits_take", { takes: [{ key, limit, seconds }] }));

Deno.test("a limit lets its count through and then refuses, saying when to come back", async () => {
  const key = newKey();
  for (const remaining of [2, 1, 0]) {
    const verdict = await take(key, 3);
    assert.deepEqual([verdict.allowed, verdict.remaining, verdict.limit], [true, remaining, 3]);
    assert.equal(verdict.retry_after, 0);
  }
  const refused = await take(key, 3);
  assert.deepEqual([refused.allowed, refused.remaining], [false, 0]);
  assert.ok(refused.retry_after > 60 && refused.retry_after <= 80, `${refused.retry_after}`);
});

Deno.test("fifty at once share one count: exactly the limit gets through", async () => {
  const key = newKey();
  const sql = connect({ max: 10 });
  try {
    const verdicts = await Promise.all(Array.from({ length: 50 }, async () => {
      const [row] = await sql`select (private.rate_limit(${key}, 20, '1 minute')).allowed`;
      return row!.allowed as boolean;
    }));
    assert.equal(verdicts.filter(Boolean).length, 20);
    const [row] = await sql`select refused::int from private.limits_requests where key = ${key}`;
    assert.equal(row!.refused, 30);
  } finally {
    await sql.end({ timeout: 5 });
  }
});

Deno.test("several keys are one call: the tightest answers, and one that refuses ends it", async () => {
  const [person, address] = [`b${newKey()}`, `a${newKey()}`];
  const takes = [
    { key: person, limit: 300, seconds: 60 },
    { key: address, limit: 1, seconds: 60 },
  ];
  const first = await must<Verdict>(admin().rpc("limits_take", { takes }));
  assert.deepEqual([first.allowed, first.limit, first.remaining], [true, 1, 0]);
  const second = await must<Verdict>(admin().rpc("limits_take", { takes, refused_before: 5 }));
  assert.equal(second.allowed, false);
  const rows = await withDatabase((sql) =>
    sql`select used, refused::int from private.limits_requests where key = any (${[
      address,
      person,
    ]}) order by key`
  );
  // The person's was not asked the second time; what the caller refused from memory counts as well.
  assert.deepEqual([...rows].map(({ used, refused }) => [used, refused]), [[1, 6], [1, 0]]);
});

/** Plays the arithmetic on a clock of its own, without waiting. */
function play(limit: number, seconds: number, times: number[]): Promise<boolean[]> {
  return withDatabase(async (sql) => {
    const start = Date.parse("2026-01-01T00:00:00Z");
    const window = `${seconds} seconds`;
    const at = (second: number) => new Date(start + Math.round(second * 1000));
    let state = JSON.stringify({
      key: "x",
      started_at: at(times[0] ?? 0),
      ends_at: at(0),
      used: 0,
      used_before: 0,
      allowed: true,
      refused: 0,
    });
    const allowed: boolean[] = [];
    for (const time of times) {
      const [row] = await sql`
        select to_jsonb(n)::text as state, n.allowed,
          (private.limits_judge(n, ${limit}, ${window}::interval, ${at(time)})).*
        from jsonb_populate_record(null::private.limits_requests, ${state}::text::jsonb) s,
          private.limits_step(s, ${limit}, ${window}::interval, ${at(time)}) n`;
      state = row!.state;
      allowed.push(row!.allowed);
    }
    return allowed;
  });
}

Deno.test("a boundary between windows is no way to twice the limit", async () => {
  const burst = [...Array(10).fill(59), ...Array(10).fill(61)];
  const allowed = await play(10, 60, [0, ...burst]);
  // One of ten was spent at the beginning; a second after the boundary nearly all still count.
  assert.equal(allowed.slice(0, 11).filter(Boolean).length, 10);
  assert.equal(allowed.slice(11).filter(Boolean).length, 0);
});

Deno.test("a pause of two windows forgets everything, one of half a window half of it", async () => {
  const full = Array<number>(10).fill(0);
  assert.equal((await play(10, 60, [...full, ...Array(10).fill(121)])).filter(Boolean).length, 20);
  assert.equal((await play(10, 60, [...full, ...Array(10).fill(90)])).filter(Boolean).length, 15);
});

Deno.test("whatever the rhythm, no window sees twice the limit", async () => {
  const rhythm = fc.array(fc.double({ min: 0, max: 30, noNaN: true }), {
    minLength: 5,
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(rhythm, async (gaps) => {
      let clock = 0;
      const times = gaps.map((gap) => clock += gap);
      const allowed = await play(5, 60, times);
      const passed = times.filter((_, index) => allowed[index]);
      for (const from of passed) {
        const within = passed.filter((time) => time >= from && time < from + 60).length;
        assert.ok(within < 10, `${within} within a window`);
      }
    }),
    { numRuns: 15 },
  );
});

Deno.test("the time to come back is the time at which one is free", async () => {
  await withDatabase(async (sql) => {
    for (const [used, before, elapsed] of [[10, 0, 30], [4, 9, 10], [0, 10, 1]] as const) {
      const [row] = await sql`
        with at as (select timestamptz '2026-01-01 00:00:00Z' as t)
        select n.allowed, (private.limits_judge(n, 10, '1 minute', t + ${elapsed} * interval '1 second')).retry_after as wait,
          later.allowed as later
        from at, private.limits_step(
          row('x', t, t, ${used}::int, ${before}::int, true, 0)::private.limits_requests, 10, '1 minute',
          t + ${elapsed} * interval '1 second'
        ) n, private.limits_step(
          n, 10, '1 minute', t + (${elapsed} + (private.limits_judge(n, 10, '1 minute', t + ${elapsed} * interval '1 second')).retry_after) * interval '1 second'
        ) later`;
      assert.deepEqual([row!.allowed, row!.later], [false, true], `${used} ${before} ${elapsed}`);
    }
  });
});

Deno.test("attempts are counted in a table that survives a crash, and begin anew after success", async () => {
  const key = newKey();
  const attempt = () =>
    must<Verdict>(admin().rpc("limits_attempt", { key, quota: 2, seconds: 900 }));
  assert.deepEqual([(await attempt()).allowed, (await attempt()).allowed], [true, true]);
  assert.equal((await attempt()).allowed, false);
  await must(admin().rpc("limits_forget", { key }));
  assert.equal((await attempt()).allowed, true);
  const kinds = await withDatabase((sql) =>
    sql`select relpersistence as kind from pg_class
        where oid in ('private.limits_attempts'::regclass, 'private.limits_requests'::regclass)
        order by relname`
  );
  assert.deepEqual([...kinds].map(({ kind }) => kind), ["p", "u"]);
});

Deno.test("a refusal in SQL is 429 limits.exceeded with Retry-After through the Data API", async () => {
  const name = `limits_probe_${crypto.randomUUID().slice(0, 8)}`;
  await withDatabase(async (sql) => {
    await sql.unsafe(`
      create function public.${name}() returns boolean language plpgsql security definer
      set search_path = '' as $$
      begin
        perform private.require_rate('probe:${name}', 1, '1 minute');
        return true;
      end; $$;
      grant execute on function public.${name}() to authenticated;
      notify pgrst, 'reload schema'`);
    try {
      const { client } = await createPerson();
      assert.equal(await must(client.rpc(name)), true);
      const { url, publishableKey } = getStack();
      const answer = await fetch(`${url}/rest/v1/rpc/${name}`, {
        method: "POST",
        headers: { apikey: publishableKey, authorization: `Bearer ${await tokenOf({ client })}` },
      });
      assert.equal(answer.status, 429);
      assert.ok(Number(answer.headers.get("retry-after")) > 0);
      const { code, message, hint } = await answer.json();
      assert.deepEqual([code, message], ["PT429", "limits.exceeded"]);
      assert.equal(hint, answer.headers.get("retry-after"));
    } finally {
      await sql.unsafe(`drop function public.${name}()`);
    }
  });
});

Deno.test("what is over is cleaned away, and what it refused stays in the total", async () => {
  const key = newKey();
  await withDatabase(async (sql) => {
    await sql`select private.rate_limit(${key}, 0, '1 minute')`;
    await sql`update private.limits_requests set ends_at = now() - interval '1 second' where key = ${key}`;
    const total = async () => {
      const [row] =
        await sql`select refused::int from private.limits_totals where name = 'requests'`;
      return row!.refused as number;
    };
    const before = await total();
    const [row] = await sql`select private.limits_clean() as cleaned`;
    assert.ok(row!.cleaned >= 1);
    assert.ok(await total() > before);
    const left = await sql`select from private.limits_requests where key = ${key}`;
    assert.equal(left.length, 0);
  });
});

Deno.test("only the secret key may count", async () => {
  const { client } = await createPerson();
  const takes = [{ key: newKey(), limit: 1, seconds: 1 }];
  for (const caller of [client, anonymous()]) {
    const { error } = await caller.rpc("limits_take", { takes });
    assert.equal(error?.code, "42501");
  }
});
