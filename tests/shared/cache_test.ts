import assert from "node:assert/strict";
import { Cache } from "shared/cache.ts";

Deno.test("a value is made once, however many ask at the same time", async () => {
  const cache = new Cache<number>({ ttl: 1000 });
  let made = 0;
  const make = () => Promise.resolve(++made);
  const values = await Promise.all(Array.from({ length: 20 }, () => cache.get("a", make)));
  assert.deepEqual([...new Set(values)], [1]);
  assert.equal(await cache.get("b", make), 2);
});

Deno.test("a value is made anew when its time is over", async () => {
  let now = 0;
  const cache = new Cache<number>({ ttl: 1000, now: () => now });
  let made = 0;
  const make = () => Promise.resolve(++made);
  await cache.get("a", make);
  now = 999;
  assert.equal(await cache.get("a", make), 1);
  now = 1000;
  assert.equal(await cache.get("a", make), 2);
});

Deno.test("a failure is for those who asked meanwhile, and is not kept", async () => {
  const cache = new Cache<number>({ ttl: 1000 });
  const fail = () => Promise.reject(new Error("no"));
  await Promise.all([assert.rejects(cache.get("a", fail)), assert.rejects(cache.get("a", fail))]);
  assert.equal(await cache.get("a", () => Promise.resolve(1)), 1);
});

Deno.test("a tag takes all that carry it, and nothing else", async () => {
  const cache = new Cache<number>({ ttl: 1000 });
  let made = 0;
  const make = () => Promise.resolve(++made);
  await cache.get("a", make, ["tenant:1"]);
  await cache.get("b", make, ["tenant:1", "tenant:2"]);
  await cache.get("c", make, ["tenant:2"]);
  cache.invalidate("tenant:1");
  assert.deepEqual(
    [await cache.get("a", make), await cache.get("b", make), await cache.get("c", make)],
    [4, 5, 3],
  );
});

Deno.test("what was made before a tag was taken back does not come in afterwards", async () => {
  const cache = new Cache<string>({ ttl: 1000 });
  const { promise, resolve } = Promise.withResolvers<string>();
  const old = cache.get("a", () => promise, ["t"]);
  cache.invalidate("t");
  resolve("old");
  assert.equal(await old, "old");
  assert.equal(await cache.get("a", () => Promise.resolve("new"), ["t"]), "new");
});

Deno.test("the cache stays within its size", async () => {
  const cache = new Cache<number>({ ttl: 1000, limit: 2 });
  let made = 0;
  const make = () => Promise.resolve(++made);
  for (const key of ["a", "b", "c"]) await cache.get(key, make, ["t"]);
  assert.equal(await cache.get("a", make), 4);
});
