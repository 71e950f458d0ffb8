import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { Rate } from "../../../local/realtime/limits.ts";

function rateAt(perSecond: number) {
  const clock = { now: 1_000_000_000 };
  return { rate: new Rate(perSecond, () => clock.now), clock };
}

Deno.test("a burst of a minute's worth passes, one more does not", () => {
  const { rate } = rateAt(10);
  rate.add(600);
  assertEquals(rate.exceeded, false);
  rate.add();
  assertEquals(rate.exceeded, true);
});

Deno.test("what happened more than a minute ago is forgotten", () => {
  const { rate, clock } = rateAt(1);
  rate.add(61);
  clock.now += 59_000;
  assertEquals(rate.exceeded, true);
  clock.now += 1_000;
  assertEquals(rate.exceeded, false);
});

Deno.test("a rate that rested for long counts from nothing", () => {
  const { rate, clock } = rateAt(1);
  for (let second = 0; second < 200; second++) {
    rate.add(2);
    clock.now += 1_000;
  }
  assertEquals(rate.exceeded, true);
  clock.now += 3_600_000;
  rate.add(60);
  assertEquals(rate.exceeded, false);
});
