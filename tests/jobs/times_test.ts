import assert from "node:assert/strict";
import { withDatabase } from "../support/database.ts";

type Case = [name: string, cron: string, zone: string, after: string, expected: string];

const next: Case[] = [
  ["the same day", "0 9 * * *", "UTC", "2026-05-04T08:59:59Z", "2026-05-04T09:00:00.000Z"],
  ["strictly later", "0 9 * * *", "UTC", "2026-05-04T09:00:00Z", "2026-05-05T09:00:00.000Z"],
  [
    "Monday 9:00 in Zurich, in winter",
    "0 9 * * mon",
    "Europe/Zurich",
    "2026-03-22T12:00:00Z",
    "2026-03-23T08:00:00.000Z",
  ],
  [
    "Monday 9:00 in Zurich, the night after the clocks went forward",
    "0 9 * * mon",
    "Europe/Zurich",
    "2026-03-28T12:00:00Z",
    "2026-03-30T07:00:00.000Z",
  ],
  [
    "Monday 9:00 in Zurich, the night after they went back",
    "0 9 * * mon",
    "Europe/Zurich",
    "2026-10-24T12:00:00Z",
    "2026-10-26T08:00:00.000Z",
  ],
  [
    "Monday 9:00 in Auckland is still Sunday in UTC",
    "0 9 * * mon",
    "Pacific/Auckland",
    "2026-01-02T00:00:00Z",
    "2026-01-04T20:00:00.000Z",
  ],
  [
    "half an hour off the hour",
    "0 9 * * mon",
    "Asia/Kolkata",
    "2026-01-02T00:00:00Z",
    "2026-01-05T03:30:00.000Z",
  ],
  [
    "a time that the clocks skip comes an hour later on them",
    "30 2 * * *",
    "Europe/Zurich",
    "2026-03-28T12:00:00Z",
    "2026-03-29T01:30:00.000Z",
  ],
  [
    "a time that they repeat comes once",
    "30 2 * * *",
    "Europe/Zurich",
    "2026-10-24T12:00:00Z",
    "2026-10-25T01:30:00.000Z",
  ],
  [
    "and not again before the next day",
    "30 2 * * *",
    "Europe/Zurich",
    "2026-10-25T01:30:00Z",
    "2026-10-26T01:30:00.000Z",
  ],
  ["steps and lists", "*/20 8,17 * * *", "UTC", "2026-05-04T08:40:00Z", "2026-05-04T17:00:00.000Z"],
  ["a leap day", "0 0 29 feb *", "UTC", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00.000Z"],
  ["day or weekday", "0 0 13 * fri", "UTC", "2026-05-09T00:00:00Z", "2026-05-13T00:00:00.000Z"],
  ["Sunday as 7", "0 0 * * 7", "UTC", "2026-05-04T00:00:00Z", "2026-05-10T00:00:00.000Z"],
];

for (const [name, cron, zone, after, expected] of next) {
  Deno.test(`next time: ${name}`, () =>
    withDatabase(async (sql) => {
      const [row] = await sql`select private.next_time(${cron}, ${zone}, ${after}) as at`;
      assert.equal(row!.at.toISOString(), expected);
    }));
}

Deno.test("the last time is the one before the next, on both sides of a change of the clocks", () =>
  withDatabase(async (sql) => {
    for (const after of ["2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z", "2026-10-25T12:00:00Z"]) {
      const [row] = await sql`
        select private.last_time('0 9 * * mon', 'Europe/Zurich', private.next_time('0 9 * * mon', 'Europe/Zurich', ${after}))
          = private.next_time('0 9 * * mon', 'Europe/Zurich', ${after}) as same,
          private.next_time('0 9 * * mon', 'Europe/Zurich', private.last_time('0 9 * * mon', 'Europe/Zurich', ${after}))
          = private.next_time('0 9 * * mon', 'Europe/Zurich', ${after}) as following`;
      assert.deepEqual([row!.same, row!.following], [true, true], after);
    }
  }));

Deno.test("SQL and the stack's clock read expressions alike", () =>
  withDatabase(async (sql) => {
    const { parseSchedule } = await import("../../local/extensions/schedule.ts");
    for (
      const cron of ["*/7 * * * *", "5-59/9 3 * * 1-5", "0 0 1,15 * fri", "10 4 * jan-mar sun"]
    ) {
      let at = new Date("2026-01-01T00:00:00Z");
      const parsed = parseSchedule(cron);
      assert.ok("matches" in parsed);
      for (let times = 0; times < 5; times++) {
        const [row] = await sql`select private.next_time(${cron}, 'UTC', ${at}) as at`;
        at = row!.at;
        assert.ok(parsed.matches(at), `${cron} at ${at.toISOString()}`);
      }
    }
  }));

Deno.test("what is no expression is refused", () =>
  withDatabase(async (sql) => {
    for (const cron of ["", "* * * *", "60 * * * *", "* * * foo *", "* * * * 8", "a b c d e"]) {
      await assert.rejects(async () => await sql`select private.next_time(${cron})`, {
        code: "P0001",
      }, cron);
    }
  }));
