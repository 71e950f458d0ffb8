import assert from "node:assert/strict";
import { Batch } from "shared/batch.ts";

Deno.test("what is asked for at nearly the same time is one call, and each gets their own answer", async () => {
  const calls: number[][] = [];
  const batch = new Batch<number, number>((items) => {
    calls.push(items);
    return Promise.resolve(items.map((item) => item * 2));
  });
  assert.deepEqual(await Promise.all([1, 2, 3].map((item) => batch.ask(item))), [2, 4, 6]);
  assert.equal(await batch.ask(4), 8);
  assert.deepEqual(calls, [[1, 2, 3], [4]]);
});

Deno.test("a call that fails fails for all who asked for it, and for nobody after them", async () => {
  let away = true;
  const batch = new Batch<number, number>((items) =>
    away ? Promise.reject(new Error("away")) : Promise.resolve(items)
  );
  const outcomes = await Promise.allSettled([batch.ask(1), batch.ask(2)]);
  assert.deepEqual(outcomes.map(({ status }) => status), ["rejected", "rejected"]);
  away = false;
  assert.equal(await batch.ask(3), 3);
});
