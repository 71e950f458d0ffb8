import assert from "node:assert/strict";
import { parseSchedule } from "../../../local/extensions/schedule.ts";
import { withDatabase } from "../../support/database.ts";

function matches(schedule: string, time: string): boolean {
  const parsed = parseSchedule(schedule);
  assert.ok("matches" in parsed, schedule);
  return parsed.matches(new Date(time));
}

const cases: [schedule: string, yes: string, no: string][] = [
  ["* * * * *", "2026-05-04T07:08:00Z", ""],
  ["5 4 * * *", "2026-05-04T04:05:00Z", "2026-05-04T05:04:00Z"],
  ["*/15 * * * *", "2026-05-04T07:45:00Z", "2026-05-04T07:46:00Z"],
  ["10-20/5 * * * *", "2026-05-04T07:20:00Z", "2026-05-04T07:25:00Z"],
  ["50/5 * * * *", "2026-05-04T07:55:00Z", "2026-05-04T07:45:00Z"],
  ["0 9 * * mon", "2026-05-04T09:00:00Z", "2026-05-05T09:00:00Z"],
  ["0 9 * * 7", "2026-05-03T09:00:00Z", "2026-05-04T09:00:00Z"],
  ["0 9 * * 1-5", "2026-05-08T09:00:00Z", "2026-05-09T09:00:00Z"],
  ["0 0 1 jan,JUL *", "2026-07-01T00:00:00Z", "2026-06-01T00:00:00Z"],
  ["0 0 $ * *", "2028-02-29T00:00:00Z", "2028-02-28T00:00:00Z"],
  // Where both days are restricted, either is enough.
  ["0 0 13 * fri", "2026-05-13T00:00:00Z", "2026-05-14T00:00:00Z"],
  ["0 0 13 * fri", "2026-05-15T00:00:00Z", "2026-05-14T00:00:00Z"],
];

for (const [schedule, yes, no] of cases) {
  Deno.test(`${schedule} is due at ${yes}${no && `, not at ${no}`}`, () => {
    assert.equal(matches(schedule, yes), true);
    if (no) assert.equal(matches(schedule, no), false);
  });
}

Deno.test("an interval counts seconds", () => {
  assert.deepEqual(parseSchedule("30 seconds"), { everySeconds: 30 });
});

Deno.test("what is no schedule is refused with the extension's words", async () => {
  const wrong = [
    "",
    "hello",
    "* * * *",
    "* * * * * *",
    "60 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "* * * 13 *",
    "* * * foo *",
    "*/0 * * * *",
    "0 seconds",
    "60 seconds",
  ];
  await withDatabase(async (sql) => {
    for (const schedule of wrong) {
      await assert.rejects(
        async () => await sql`select cron.schedule('jobs-wrong', ${schedule}, 'select 1')`,
        { code: "22023", message: `invalid schedule: ${schedule}` },
      );
    }
  });
});
