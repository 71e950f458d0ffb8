import assert from "node:assert/strict";
import { noSooner, refuseNoSooner } from "shared/http/steady.ts";

const fail = () => Promise.reject(new Error("no"));

async function timed(work: () => Promise<unknown>): Promise<[number, unknown]> {
  const started = performance.now();
  const outcome = await work().catch((error) => error.message);
  return [performance.now() - started, outcome];
}

Deno.test("noSooner: answers and failures alike wait for the time", async () => {
  const [answered, answer] = await timed(() => noSooner(60, () => Promise.resolve("yes")));
  const [failed, failure] = await timed(() => noSooner(60, fail));
  assert.deepEqual([answer, failure], ["yes", "no"]);
  assert.ok(answered >= 59 && failed >= 59, `${answered} ${failed}`);
});

Deno.test("refuseNoSooner: an answer leaves at once, a failure waits", async () => {
  const [answered, answer] = await timed(() => refuseNoSooner(500, () => Promise.resolve("yes")));
  const [failed, failure] = await timed(() => refuseNoSooner(60, fail));
  assert.deepEqual([answer, failure], ["yes", "no"]);
  assert.ok(answered < 400, `${answered}`);
  assert.ok(failed >= 59, `${failed}`);
});

Deno.test("work that takes longer is not held up", async () => {
  const slow = () => new Promise((resolve) => setTimeout(resolve, 80));
  const [took] = await timed(() => noSooner(10, slow));
  assert.ok(took >= 79 && took < 500, `${took}`);
});
