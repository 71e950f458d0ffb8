import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { createCircle, does as inGroup } from "../groups/support.ts";
import { listen } from "../messaging/support.ts";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { inDays } from "../support/events.ts";
import { createMember, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import {
  act,
  answers,
  create,
  createMeeting,
  firstOf,
  noticesOf,
  occurrencesOf,
  respond,
} from "./support.ts";

const withEvents = ({ id }: Tenant) =>
  withDatabase((sql) => sql`update tenants set modules = modules || '{events}' where id = ${id}`);

const seen = ({ client }: Person, id: string) =>
  must<unknown[]>(client.from("events").select().eq("id", id));

Deno.test("an event of a secret group is to outsiders one that does not exist, on every path", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("secret");
  await withEvents(tenant);
  const event = await create(ana, tenant, { group_id: group.id });
  const occurrence = await firstOf(ben, event.id);
  await answers(ben, tenant, occurrence.id);
  const owner = await createMember(tenant, "owner");
  const doors = (event_id: string, occurrence_id: string): [string, Record<string, unknown>][] => [
    ["update", { event_id, title: "x" }],
    ["reschedule", { event_id, starts_local: inDays(9) }],
    ["cancel", { event_id }],
    ["cancel_occurrence", { occurrence_id }],
    ["move_occurrence", { occurrence_id, starts_local: inDays(9) }],
    ["respond", { occurrence_id, response: "going" }],
    ["remind", { occurrence_id, minutes: 30 }],
    ["code", { occurrence_id }],
    ["check_in", { occurrence_id, person: ben.id }],
  ];
  for (const outsider of [carl, owner]) {
    for (const ids of [[event.id, occurrence.id], [crypto.randomUUID(), crypto.randomUUID()]]) {
      for (const [name, args] of doors(ids[0]!, ids[1]!)) {
        await assertRefused(act(outsider, tenant, name, args), 404, "events.not_found");
      }
    }
    for (const group_id of [group.id, crypto.randomUUID()]) {
      await assertRefused(
        act(outsider, tenant, "create", { title: "x", starts_local: inDays(1), group_id }),
        404,
        "groups.not_found",
      );
      await assertRefused(
        act(outsider, tenant, "feed_create", { group_id }),
        404,
        "groups.not_found",
      );
    }
    const attendances = await must<unknown[]>(outsider.client.from("events_attendances").select());
    assertEquals(
      [await seen(outsider, event.id), await occurrencesOf(outsider, event.id), attendances],
      [[], [], []],
    );
  }
});

Deno.test("who leaves a group frees their seat at its events, and the next is offered it", async () => {
  const { tenant, ana, ben, group } = await createCircle("private");
  await withEvents(tenant);
  const event = await create(ana, tenant, { group_id: group.id, capacity: 1 });
  const occurrence = await firstOf(ben, event.id);
  await answers(ben, tenant, occurrence.id);
  await answers(ana, tenant, occurrence.id);
  await inGroup(ben, tenant, "leave", { group_id: group.id });
  assertEquals((await answers(ana, tenant, occurrence.id)).status, "going");
  assertEquals(await seen(ben, event.id), []);
  await assertRefused(respond(ben, tenant, occurrence.id), 404, "events.not_found");
});

Deno.test("of a change of many occurrences each is told once", async () => {
  const { tenant, ana, ben } = await createMeeting();
  const event = await create(ana, tenant, { rule: "FREQ=WEEKLY;COUNT=3" });
  const three = await until(async () => {
    const found = await occurrencesOf(ben, event.id);
    return found.length === 3 ? found : null;
  }, { timeout: 20_000 });
  for (const { id } of three) await answers(ben, tenant, id);
  const done = () =>
    until(() =>
      withDatabase(async (sql) => {
        const [left] = await sql`
          select count(*)::int as count from private.jobs
          where tenant_id = ${tenant.id} and kind = 'events.changed'`;
        return left!.count === 0;
      }), { timeout: 20_000 });
  await must(act(ana, tenant, "update", { event_id: event.id, title: "Threshing" }));
  await done();
  assertEquals(await noticesOf(ben, tenant), ["events.changed"]);
  await must(act(ana, tenant, "update", { event_id: event.id, title: "Milling" }));
  await done();
  assertEquals(await noticesOf(ben, tenant), ["events.changed", "events.changed"]);
});

Deno.test("strangers give up their seats at the events of a group that becomes private", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("public");
  await withEvents(tenant);
  const event = await create(ana, tenant, { group_id: group.id, capacity: 1 });
  const { id } = await firstOf(carl, event.id);
  await answers(carl, tenant, id);
  const stranger = await createMember(tenant);
  for (const me of [stranger, ben]) await answers(me, tenant, id);
  await inGroup(ana, tenant, "update", { group_id: group.id, visibility: "private" });
  const standing = () =>
    withDatabase(async (sql) => {
      const found = await sql`
        select person_id, status from events_attendances where occurrence_id = ${id}`;
      const of = Object.fromEntries(found.map(({ person_id, status }) => [person_id, status]));
      return [of[carl.id], of[stranger.id], of[ben.id]];
    });
  await until(async () => (await standing())[0] === "declined", { timeout: 20_000 });
  assertEquals(await standing(), ["declined", "declined", "offered"]);
});

Deno.test("who comes is seen by all, who waits or declined by themselves and the organiser", async () => {
  const { tenant, ana, ben, carl } = await createMeeting();
  const event = await create(ana, tenant, { capacity: 1 });
  const occurrence = await firstOf(ana, event.id);
  await answers(ben, tenant, occurrence.id);
  await answers(carl, tenant, occurrence.id);
  const of = async ({ client }: Person) =>
    (await must<{ person_id: string }[]>(client.from("events_attendances").select("person_id")))
      .map(({ person_id }) => person_id).toSorted();
  assertEquals(await of(ben), [ben.id]);
  assertEquals(await of(carl), [ben.id, carl.id].toSorted());
  assertEquals(await of(ana), [ben.id, carl.id].toSorted());
  const stranger = await createMeeting();
  assertEquals([await of(stranger.ana), await seen(stranger.ana, event.id)], [[], []]);
});

Deno.test("only who organises, moderates or manages changes an event", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("public");
  await withEvents(tenant);
  const event = await create(ben, tenant, { group_id: group.id });
  const rename = (me: Person) =>
    act(me, tenant, "update", { event_id: event.id, title: `By ${me.id}` });
  await assertRefused(rename(carl), 403, "events.not_the_organiser");
  const staff = await createMember(tenant, "staff");
  for (const me of [ana, ben, staff]) await must(rename(me));
  await assertRefused(
    act(carl, tenant, "create", { title: "x", starts_local: inDays(1), group_id: group.id }),
    403,
    "groups.role_missing",
  );
});

Deno.test("changes are heard where the event is seen, by ids; one's own answer on one's own channel", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("private");
  await withEvents(tenant);
  await using inside = await listen(ben, `private-group-${group.id}`);
  await using outside = await listen(carl, `private-tenant-${tenant.id}`);
  await using own = await listen(ben, `private-user-${ben.id}`);
  const event = await create(ana, tenant, { group_id: group.id, title: "needle" });
  const [heard] = await inside.wait("events:changed");
  assertEquals([heard!.event_id, heard!.group_id], [event.id, group.id]);
  await answers(ben, tenant, (await firstOf(ben, event.id)).id);
  const [answer] = await own.wait("events:attendance");
  assertEquals(answer!.status, "going");
  const open = await create(ana, tenant, { title: "needle" });
  const [told] = await outside.wait("events:changed");
  assertEquals(told!.event_id, open.id);
  assertEquals(JSON.stringify([inside.heard, outside.heard]).includes("needle"), false);
});

Deno.test("a reported event is judged by its group's moderators, and shown again if they were wrong", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("public");
  await withEvents(tenant);
  const event = await create(ben, tenant, { group_id: group.id });
  const moderate = ({ client }: Person, name: string, more: Record<string, unknown>) =>
    must<{ case_id: string; status: string }>(
      client.rpc(`moderation_${name}`, { tenant_id: tenant.id, ...more }),
    );
  const report = { kind: "events.event", subject: event.id, reason: "spam" };
  const { case_id } = await moderate(carl, "report", report);
  await moderate(ana, "decide", { case_id, action: "remove" });
  assertEquals([await seen(carl, event.id), await seen(ben, event.id)], [[], []]);
  await moderate(ben, "appeal", { case_id, statement: "No." });
  const staff = await createMember(tenant, "staff");
  await moderate(staff, "decide_appeal", { case_id, uphold: false });
  assertEquals((await seen(carl, event.id)).length, 1);
});

Deno.test("an erased person's events lose their words and do not take place", async () => {
  const { tenant, ana, ben } = await createMeeting();
  const event = await create(ana, tenant, {
    title: "needle",
    description: "needle",
    place: "needle",
  });
  await answers(ben, tenant, (await firstOf(ben, event.id)).id);
  await withDatabase(async (sql) => {
    await sql`update people set erased_at = now() where id = ${ana.id}`;
    const [found] = await sql`
      select e.status, e::text || o::text like '%needle%' as words
      from events e join events_occurrences o on o.event_id = e.id where e.id = ${event.id}`;
    assertEquals({ ...found }, { status: "cancelled", words: false });
  });
  await until(async () => (await noticesOf(ben, tenant)).includes("events.cancelled"), {
    timeout: 20_000,
  });
});
