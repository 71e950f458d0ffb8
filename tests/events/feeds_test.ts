import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import { calendarText } from "../../functions/api/calendar.ts";
import { createCircle, does as inGroup } from "../groups/support.ts";
import { openSession } from "../sessions/support.ts";
import { assertRefused } from "../support/answers.ts";
import { assertProblem, callApi } from "../support/api.ts";
import { withDatabase } from "../support/database.ts";
import { act, answers, create, createMeeting, does, firstOf } from "./support.ts";

interface Feed {
  token: string;
}

const read = (token: string) => callApi(`/v1/events/feeds/${token}.ics`);

/** Its lines, unfolded. */
const linesOf = (text: string) => text.replaceAll("\r\n ", "").split("\r\n");

Deno.test("a calendar is RFC 5545: escaped, folded, without a way to write lines into it", () => {
  const text = calendarText({
    name: "Bienen; Bäume, Blüten",
    events: [{
      uid: "1",
      starts_at: "2026-03-29T16:00:00+00:00",
      ends_at: "2026-03-29T17:00:00+00:00",
      status: "cancelled",
      sequence: 2,
      updated_at: "2026-01-01T00:00:00.123456+00:00",
      title: "A\\B; C, D\r\nATTENDEE:evil",
      description: "ä".repeat(200),
      place: null,
      url: "https://x.test/\r\nX:1",
    }],
  });
  const bytes = new TextEncoder();
  for (const line of text.split("\r\n")) ok(bytes.encode(line).length <= 75, line);
  ok(!/[^\r]\n|\r[^\n]/.test(text));
  const lines = linesOf(text);
  for (
    const line of [
      "X-WR-CALNAME:Bienen\\; Bäume\\, Blüten",
      "SUMMARY:A\\\\B\\; C\\, D\\nATTENDEE:evil",
      `DESCRIPTION:${"ä".repeat(200)}`,
      "DTSTART:20260329T160000Z",
      "DTSTAMP:20260101T000000Z",
      "STATUS:CANCELLED",
      "SEQUENCE:2",
      "URL:https://x.test/X:1",
    ]
  ) ok(lines.includes(line), line);
});

Deno.test("a calendar address shows what its owner goes to, until it is made anew or ended", async () => {
  const { tenant, ana, ben } = await createMeeting();
  const going = await create(ana, tenant, { title: "Harvest", place: "Barn" });
  await create(ana, tenant, { title: "Another" });
  await answers(ben, tenant, (await firstOf(ben, going.id)).id);
  const { token } = await does<Feed>(ben, tenant, "feed_create");
  const answer = await read(token);
  assertEquals(
    [answer.status, answer.headers.get("content-type"), answer.headers.get("cache-control")],
    [200, "text/calendar; charset=utf-8", "private, no-store"],
  );
  const lines = linesOf(await answer.text());
  assertEquals(lines.filter((line) => line.startsWith("SUMMARY:")), ["SUMMARY:Harvest"]);
  ok(lines.includes("LOCATION:Barn"));
  await withDatabase(async (sql) => {
    const [kept] = await sql`
      select f::text like '%' || ${token} || '%' as told from private.events_feeds f
      where person_id = ${ben.id}`;
    assertEquals(kept!.told, false);
  });
  const next = await does<Feed>(ben, tenant, "feed_create");
  await assertProblem(await read(token), 404, "events.feed_not_found");
  assertEquals((await read(next.token)).status, 200);
  assertEquals(await does<unknown>(ben, tenant, "feed_end"), true);
  for (const gone of [next.token, "x", `${tenant.id.replaceAll("-", "")}${"0".repeat(64)}`]) {
    await assertProblem(await read(gone), 404, "events.feed_not_found");
  }
});

Deno.test("a calendar address is made by people in person, and the trail tells of it", async () => {
  const { tenant, ben } = await createMeeting();
  const { client } = await openSession(ben, {
    bounds: { tenant_id: tenant.id, permissions: ["events.read"] },
    factor: "delegated",
  });
  await assertRefused(
    act({ ...ben, client }, tenant, "feed_create"),
    403,
    "auth.session_bounded",
  );
  await does<Feed>(ben, tenant, "feed_create");
  await withDatabase(async (sql) => {
    const found = await sql`
      select actor from private.audit_log
      where tenant_id = ${tenant.id} and action = 'EVENT_FEED_CREATED'`;
    assertEquals(found.map(({ actor }) => actor), [ben.id]);
  });
});

Deno.test("a group's calendar ends with the membership, and a module that is off closes all", async () => {
  const { tenant, ana, ben, group } = await createCircle("private");
  await withDatabase((sql) =>
    sql`update tenants set modules = modules || '{events}' where id = ${tenant.id}`
  );
  await create(ana, tenant, { group_id: group.id, title: "Hush" });
  const of = async (person: typeof ana) =>
    (await does<Feed>(person, tenant, "feed_create", { group_id: group.id })).token;
  const [hers, his] = [await of(ana), await of(ben)];
  ok((await (await read(his)).text()).includes("SUMMARY:Hush"));
  await inGroup(ben, tenant, "leave", { group_id: group.id });
  await assertProblem(await read(his), 404, "events.feed_not_found");
  assertEquals((await read(hers)).status, 200);
  await withDatabase((sql) => sql`update tenants set modules = '{groups}' where id = ${tenant.id}`);
  await assertProblem(await read(hers), 404, "events.feed_not_found");
});
