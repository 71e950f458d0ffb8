import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import fc from "fast-check";
import { expand } from "../../functions/worker/recurrence.ts";
import { assertRefused, must } from "../support/answers.ts";
import { admin } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { inDays } from "../support/events.ts";
import { until } from "../support/wait.ts";
import {
  act,
  answers,
  create,
  createMeeting,
  does,
  firstOf,
  noticesOf,
  type Occurrence,
  occurrencesOf,
} from "./support.ts";

Deno.test("a rule gives what RFC 5545 says, on the clocks of the event", () => {
  const expanded = (rule: string, start: string) =>
    expand(rule, start, "2027-12-31T00:00:00").starts;
  assertEquals(expanded("FREQ=WEEKLY;COUNT=3;BYDAY=MO", "2026-03-23T18:00:00"), [
    "2026-03-23T18:00:00",
    "2026-03-30T18:00:00",
    "2026-04-06T18:00:00",
  ]);
  assertEquals(expanded("FREQ=MONTHLY;COUNT=3;BYDAY=-1FR", "2026-01-30T09:00:00"), [
    "2026-01-30T09:00:00",
    "2026-02-27T09:00:00",
    "2026-03-27T09:00:00",
  ]);
  // Months without that day are passed over, not bent.
  assertEquals(expanded("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=31", "2026-01-31T09:00:00"), [
    "2026-01-31T09:00:00",
    "2026-03-31T09:00:00",
    "2026-05-31T09:00:00",
  ]);
  // A start that the rule does not give is the first, and counts.
  assertEquals(expanded("FREQ=WEEKLY;COUNT=2;BYDAY=WE", "2026-01-05T09:00:00"), [
    "2026-01-05T09:00:00",
    "2026-01-07T09:00:00",
  ]);
  const { starts, finished } = expand("FREQ=DAILY", "2026-01-01T09:00:00", "2027-01-01T09:00:00");
  assertEquals([starts.length, finished], [366, false]);
  assertEquals(expand("FREQ=DAILY;COUNT=5", "2026-01-01T09:00:00", "2027-01-01").finished, true);
});

Deno.test("a series is made from a day ago on, however long it has run", () => {
  const daily = expand("FREQ=DAILY", "2020-01-01T09:00:00", "2027-02-05", "2026-01-01T12:00:00");
  assertEquals(
    [daily.starts.length, daily.starts[0], daily.upto],
    [399, "2026-01-02T09:00:00", "2027-02-05T00:00:00"],
  );
  // What is counted is counted from the start.
  const counted = (count: number) =>
    expand(`FREQ=DAILY;COUNT=${count}`, "2026-01-01T09:00:00", "2027-12-01", "2026-01-08T09:00:00");
  assertEquals([counted(10).starts.length, counted(10).finished], [3, true]);
  assertEquals([counted(900).finished, counted(900).starts.at(-1)], [false, "2027-11-30T09:00:00"]);
  const { starts, finished } = expand(
    "FREQ=DAILY;UNTIL=20200201T090000",
    "2020-01-01T09:00:00",
    "2027-02-05",
    "2026-01-01",
  );
  assertEquals([starts, finished], [[], true]);
});

Deno.test("windows that follow each other give the same as one, each time once", () => {
  const day = fc.constantFrom("MO", "TU", "WE", "TH", "FR", "SA", "SU");
  const rule = fc.oneof(
    fc.tuple(fc.integer({ min: 1, max: 9 }), fc.uniqueArray(day, { minLength: 1 }))
      .map(([interval, days]) => `FREQ=WEEKLY;INTERVAL=${interval};BYDAY=${days}`),
    fc.integer({ min: 1, max: 31 }).map((n) => `FREQ=MONTHLY;BYMONTHDAY=${n}`),
    fc.tuple(fc.integer({ min: -4, max: 4 }).filter(Boolean), day)
      .map(([n, name]) => `FREQ=MONTHLY;BYDAY=${n}${name}`),
  );
  fc.assert(
    fc.property(rule, fc.integer({ min: 1, max: 600 }), (rule, days) => {
      const start = "2026-01-01T10:00:00";
      const middle = new Date(Date.parse(`${start}Z`) + days * 86_400_000).toISOString()
        .slice(0, 19);
      const whole = expand(rule, start, "2027-12-31T00:00:00").starts;
      const first = expand(rule, start, middle).starts;
      assertEquals(whole.slice(0, first.length), first);
      assertEquals(new Set(whole).size, whole.length);
      const later = expand(rule, start, "2027-12-31T00:00:00", middle).starts;
      assertEquals(later, whole.filter((at) => at >= middle));
    }),
    { numRuns: 40 },
  );
});

Deno.test("the hour stays when the clocks change; a skipped one comes later, a doubled one first", async () => {
  await withDatabase(async (sql) => {
    const at = async (local: string) =>
      (await sql`select private.events_instant(${local}, 'Europe/Berlin') as at`)[0]!.at
        .toISOString();
    assertEquals(await at("2026-03-28T18:00:00"), "2026-03-28T17:00:00.000Z");
    assertEquals(await at("2026-03-29T18:00:00"), "2026-03-29T16:00:00.000Z");
    assertEquals(await at("2026-03-29T02:30:00"), "2026-03-29T01:30:00.000Z");
    assertEquals(await at("2026-10-25T02:30:00"), "2026-10-25T00:30:00.000Z");
    const [row] = await sql`
      select private.events_local_rule('FREQ=DAILY;UNTIL=20260701T220000Z', 'Europe/Berlin') as instant,
        private.events_local_rule('FREQ=DAILY;UNTIL=20260701', 'Europe/Berlin') as day`;
    assertEquals({ ...row }, {
      instant: "FREQ=DAILY;UNTIL=20260702T000000",
      day: "FREQ=DAILY;UNTIL=20260701T235959",
    });
  });
});

Deno.test("rules that nobody meets by, or that never come true, are refused", async () => {
  const { tenant, ana } = await createMeeting();
  for (
    const rule of [
      "FREQ=SECONDLY",
      "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
      "FREQ=WEEKLY;COUNT=0",
      "FREQ=DAILY;UNTIL=20261399",
      "FREQ=DAILY\nDTSTART:20260101",
      "DAILY",
    ]
  ) {
    await assertRefused(
      act(ana, tenant, "create", { title: "x", starts_local: inDays(1), rule }),
      422,
      "request.invalid",
    );
  }
  for (
    const more of [
      { title: " " },
      { starts_local: inDays(-3) },
      { starts_local: null },
      { minutes: 0 },
      { time_zone: "Mars/Base" },
      { capacity: -1 },
    ]
  ) {
    await assertRefused(
      act(ana, tenant, "create", { title: "x", starts_local: inDays(1), ...more }),
      422,
      "request.invalid",
    );
  }
});

/** The occurrences once the worker has made as many as are awaited. */
const awaited = (me: Parameters<typeof firstOf>[0], event_id: string, count: number) =>
  until(async () => {
    const found = await occurrencesOf(me, event_id);
    return found.length === count ? found : null;
  }, { timeout: 20_000, message: `${count} occurrences` });

Deno.test("the worker makes the occurrences; moved and cancelled ones stay so, and who answered is told", async () => {
  const { tenant, ana, ben } = await createMeeting();
  const event = await create(ana, tenant, { rule: "FREQ=WEEKLY;COUNT=4" });
  const four = await awaited(ana, event.id, 4);
  const [first, second, third] = four as [Occurrence, Occurrence, Occurrence];
  for (const { id } of [first, second, third]) await answers(ben, tenant, id);
  const cancel = (me = ana) => act(me, tenant, "cancel_occurrence", { occurrence_id: second.id });
  const move = (more = {}) =>
    act(ana, tenant, "move_occurrence", {
      occurrence_id: third.id,
      starts_local: inDays(30, "10:00:00"),
      place: "The barn",
      ...more,
    });
  await assertRefused(cancel(ben), 403, "events.not_the_organiser");
  await must(cancel());
  await assertRefused(cancel(), 409, "events.cancelled");
  await assertRefused(move({ starts_local: inDays(-1) }), 422, "request.invalid");
  const moved = await must<Occurrence>(move());
  assertEquals([moved.moved, moved.place, moved.sequence], [true, "The barn", 1]);
  await until(async () => (await noticesOf(ben, tenant)).length === 2, { timeout: 20_000 });
  assertEquals((await noticesOf(ben, tenant)).toSorted(), ["events.cancelled", "events.changed"]);

  // Made anew, the rule gives the same, and the exceptions are what they were.
  const [wanted] = await must<Record<"rule" | "starts_local" | "since" | "upto", string>[]>(
    admin().rpc("events_expansion", { tenant_id: tenant.id, event_id: event.id }),
  );
  const { rule, starts_local, since, upto } = wanted!;
  await must(
    admin().rpc("events_keep", {
      tenant_id: tenant.id,
      event_id: event.id,
      rule,
      starts_local,
      ...expand(rule, starts_local, upto, since),
    }),
  );
  const again = await occurrencesOf(ana, event.id);
  assertEquals(
    again.map(({ id, status, moved }) => [id, status, moved]).toSorted(),
    [
      [first.id, "scheduled", false],
      [second.id, "cancelled", false],
      [third.id, "scheduled", true],
      [four[3]!.id, "scheduled", false],
    ].toSorted(),
  );
});

Deno.test("another hour keeps the answers, another rule cancels what it does not give", async () => {
  const { tenant, ana, ben } = await createMeeting();
  const event = await create(ana, tenant, { rule: "FREQ=WEEKLY;COUNT=3", time_zone: "UTC" });
  const [first, second] = await awaited(ana, event.id, 3) as [Occurrence, Occurrence];
  await answers(ben, tenant, second.id);
  const reschedule = (more: Record<string, unknown>) =>
    act(ana, tenant, "reschedule", { event_id: event.id, starts_local: inDays(7), ...more });
  await must(reschedule({ starts_local: inDays(7, "19:30:00") }));
  const later = await occurrencesOf(ana, event.id);
  assertEquals(later.map(({ starts_at }) => starts_at.slice(11, 16)), ["19:30", "19:30", "19:30"]);
  assertEquals([later[0]!.id, later[1]!.id, later[1]!.taken], [first.id, second.id, 1]);
  await must(
    reschedule({ starts_local: inDays(7, "19:30:00"), rule: "FREQ=WEEKLY;INTERVAL=2;COUNT=2" }),
  );
  const left = await until(async () => {
    const found = await occurrencesOf(ana, event.id);
    return found.some(({ status }) => status === "cancelled") ? found : null;
  }, { timeout: 20_000 });
  // Nobody had answered the third; the second's guests see that it is cancelled.
  assertEquals(left.map(({ id, status }) => [id === second.id, status]), [
    [false, "scheduled"],
    [true, "cancelled"],
    [false, "scheduled"],
  ]);
  await assertRefused(reschedule({ rule: "nonsense" }), 422, "request.invalid");
  await assertRefused(reschedule({ starts_local: "1990-01-01T18:00:00" }), 422, "request.invalid");
  const once = await create(ana, tenant);
  await assertRefused(
    act(ana, tenant, "reschedule", {
      event_id: once.id,
      starts_local: inDays(8),
      rule: "FREQ=DAILY",
    }),
    422,
    "request.invalid",
  );
  await does(ana, tenant, "cancel", { event_id: once.id });
  assertEquals((await firstOf(ana, once.id)).status, "cancelled");
  await assertRefused(act(ana, tenant, "cancel", { event_id: once.id }), 409, "events.cancelled");
  ok((await occurrencesOf(ben, event.id)).length > 0);
});
