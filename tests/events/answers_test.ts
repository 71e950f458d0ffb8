import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { connect, withDatabase } from "../support/database.ts";
import { until } from "../support/wait.ts";
import {
  act,
  answers,
  type Attendance,
  bring,
  create,
  createMeeting,
  does,
  firstOf,
  noticesOf,
  respond,
} from "./support.ts";

/** What the clock does each minute. */
const passOn = () => withDatabase((sql) => sql`select private.events_pass_on_due()`);

/** Has all offers of an occurrence run out a moment ago. */
const runOut = (occurrence_id: string) =>
  withDatabase((sql) =>
    sql`update events_attendances set offer_expires_at = now() - interval '1 second'
      where occurrence_id = ${occurrence_id} and status = 'offered'`
  );

Deno.test("people say whether they come, and may change their mind until it is over", async () => {
  const { tenant, ana, ben } = await createMeeting();
  const { id } = await create(ana, tenant);
  const occurrence = (await firstOf(ben, id)).id;
  for (const response of ["maybe", "going", "declined", "going"]) {
    assertEquals((await answers(ben, tenant, occurrence, response)).status, response);
  }
  assertEquals((await firstOf(ana, id)).taken, 1);
  await assertRefused(respond(ben, tenant, occurrence, "perhaps"), 422, "request.invalid");
  await assertRefused(respond(ben, tenant, crypto.randomUUID()), 404, "events.not_found");
  await bring(occurrence, -61);
  await assertRefused(respond(ben, tenant, occurrence, "declined"), 409, "events.over");
});

Deno.test("a seat that comes free is offered to the first who waits, for a time, and taken once", async () => {
  const { tenant, ana, ben, carl } = await createMeeting();
  const { id } = await create(ana, tenant, { capacity: 1, offer_minutes: 60 });
  const occurrence = (await firstOf(ana, id)).id;
  await answers(ana, tenant, occurrence);
  await assertRefused(
    respond(ben, tenant, occurrence, "going", { wait: false }),
    409,
    "events.full",
  );
  assertEquals((await answers(ben, tenant, occurrence)).status, "waiting");
  assertEquals((await answers(carl, tenant, occurrence)).status, "waiting");
  assertEquals((await answers(ben, tenant, occurrence)).status, "waiting");
  await answers(ana, tenant, occurrence, "declined");
  // Nobody overtakes: the seat is kept for who waited longest.
  assertEquals((await answers(ana, tenant, occurrence)).status, "waiting");
  assertEquals(await noticesOf(ben, tenant), ["events.offered"]);
  assertEquals((await answers(carl, tenant, occurrence)).status, "waiting");
  const taken = await answers(ben, tenant, occurrence);
  assertEquals([taken.status, taken.offer_expires_at], ["going", null]);
  const now = await firstOf(ana, id);
  assertEquals([now.taken, now.waiting], [1, 2]);
});

Deno.test("an offer that runs out goes to the next, by the clock and at the next act", async () => {
  const { tenant, ana, ben, carl } = await createMeeting();
  const { id } = await create(ana, tenant, { capacity: 1 });
  const occurrence = (await firstOf(ana, id)).id;
  for (const me of [ana, ben, carl]) await answers(me, tenant, occurrence);
  await answers(ana, tenant, occurrence, "declined");
  await runOut(occurrence);
  // Too late: it is Carl's now, and Ben waits again.
  assertEquals((await answers(ben, tenant, occurrence)).status, "waiting");
  assertEquals(await noticesOf(carl, tenant), ["events.offered"]);
  await runOut(occurrence);
  await passOn();
  const statuses = await must<Attendance[]>(
    ana.client.from("events_attendances").select("person_id, status").eq(
      "occurrence_id",
      occurrence,
    ),
  );
  assertEquals(
    Object.fromEntries(statuses.map(({ person_id, status }) => [person_id, status])),
    { [ana.id]: "declined", [ben.id]: "offered", [carl.id]: "lapsed" },
  );
  const { offer_expires_at } = await withDatabase(async (sql) =>
    (await sql`select a.offer_expires_at, o.starts_at from events_attendances a
      join events_occurrences o on o.id = a.occurrence_id
      where a.occurrence_id = ${occurrence} and a.status = 'offered'`)[0]!
  );
  ok(offer_expires_at > new Date());
});

Deno.test("of fifty who want the last seat at once one gets it", async () => {
  const { tenant, ana } = await createMeeting();
  const { id } = await create(ana, tenant, { capacity: 1, waitlist: false });
  const occurrence = (await firstOf(ana, id)).id;
  const sql = connect({ max: 25 });
  try {
    const crowd = await sql<{ id: string; session: string }[]>`
      with people as (
        insert into auth.users (id, email, instance_id, aud, role, created_at, updated_at, email_confirmed_at)
        select private.uuid_v7(), gen_random_uuid() || '@nexus.test', '00000000-0000-0000-0000-000000000000',
          'authenticated', 'authenticated', now(), now(), now()
        from generate_series(1, 50) returning id
      )
      insert into auth.sessions (id, user_id, created_at, updated_at, aal)
      select gen_random_uuid(), p.id, now(), now(), 'aal1' from people p
      returning user_id as id, id as session`;
    await sql`
      insert into members (tenant_id, person_id, status, display_name)
      select ${tenant.id}, c, 'active', 'One of many' from unnest(${
      crowd.map((one) => one.id)
    }::uuid[]) c`;
    const answering = () =>
      Promise.all(crowd.map(({ id: sub, session }) =>
        sql.begin(async (tx) => {
          const claims = JSON.stringify({ sub, session_id: session, role: "authenticated" });
          await tx`select set_config('request.jwt.claims', ${claims}, true)`;
          await tx`set local role authenticated`;
          await tx`select events_respond(${tenant.id}, ${occurrence}, 'going')`;
          return "going";
        }).catch((error) => error.message as string)
      ));
    // Held until they all stand before the last seat: none comes first by chance.
    const outcomes = await withDatabase((door) =>
      door.begin(async (tx) => {
        await tx`select from events_occurrences where id = ${occurrence} for update`;
        const answers = answering();
        await until(async () => {
          // Asked outside of the transaction, which would see the same at each time.
          const [row] = await door`
            select count(*)::int as count from pg_stat_activity
            where wait_event_type = 'Lock' and query like '%events_respond%'`;
          return row!.count >= 20;
        }, { timeout: 20_000, message: "a crowd before the door" });
        return { answers };
      })
    ).then(({ answers }) => answers);
    assertEquals(outcomes.filter((outcome) => outcome === "going").length, 1);
    assertEquals(outcomes.filter((outcome) => outcome === "events.full").length, 49);
    const [row] = await sql`
      select o.taken, (
        select count(*)::int from events_attendances a where a.occurrence_id = o.id and a.status = 'going'
      ) as going from events_occurrences o where o.id = ${occurrence}`;
    assertEquals({ ...row }, { taken: 1, going: 1 });
  } finally {
    await sql.end({ timeout: 5 });
  }
});

Deno.test("more room goes down the waiting list, and less than is taken there is not", async () => {
  const { tenant, ana, ben, carl } = await createMeeting();
  const event = await create(ana, tenant, { capacity: 1 });
  const occurrence = (await firstOf(ana, event.id)).id;
  for (const me of [ana, ben, carl]) await answers(me, tenant, occurrence);
  await does(ana, tenant, "update", { event_id: event.id, capacity: 2 });
  assertEquals([await noticesOf(ben, tenant), await noticesOf(carl, tenant)], [
    ["events.offered"],
    [],
  ]);
  await assertRefused(
    act(ana, tenant, "update", { event_id: event.id, capacity: 1 }),
    409,
    "events.capacity_taken",
  );
  const open = await does(ana, tenant, "update", { event_id: event.id, capacity: 0 });
  assertEquals([open.capacity, await noticesOf(carl, tenant)], [null, ["events.offered"]]);
  await assertRefused(
    act(ana, tenant, "update", { event_id: event.id, title: "x", version: event.version }),
    412,
    "request.precondition_failed",
  );
});

Deno.test("each is reminded as long before it as they chose, once, and not of what they declined", async () => {
  const { tenant, ana, ben, carl } = await createMeeting();
  const { id } = await create(ana, tenant);
  const occurrence = (await firstOf(ana, id)).id;
  const remind = (minutes: number | null) =>
    act(ben, tenant, "remind", { occurrence_id: occurrence, minutes });
  await assertRefused(remind(30), 404, "events.attendance_not_found");
  for (const me of [ana, ben, carl]) await answers(me, tenant, occurrence);
  await assertRefused(remind(1), 422, "request.invalid");
  const chosen = await must<Attendance>(remind(120));
  const { starts_at } = await firstOf(ana, id);
  assertEquals(Date.parse(starts_at) - Date.parse(chosen.remind_at!), 120 * 60_000);
  await answers(carl, tenant, occurrence, "declined");
  const due = () =>
    withDatabase(async (sql) => {
      await sql`update events_attendances set remind_at = now() - interval '1 minute'
        where occurrence_id = ${occurrence} and remind_at is not null`;
      await sql`select private.events_remind_due()`;
      await sql`select private.events_remind_due()`;
    });
  await due();
  assertEquals(
    [await noticesOf(ana, tenant), await noticesOf(ben, tenant), await noticesOf(carl, tenant)],
    [["events.reminder"], ["events.reminder"], []],
  );
  assertEquals((await must<Attendance>(remind(null))).remind_at, null);
});

Deno.test("every state of an answer can be reached and left", async () => {
  await withDatabase(async (sql) => {
    for (
      const [machine, states] of Object.entries({
        events: ["scheduled", "cancelled"],
        events_occurrences: ["scheduled", "cancelled"],
        events_attendances: ["going", "maybe", "declined", "waiting", "offered", "lapsed"],
      })
    ) {
      const steps = await sql<{ from_state: string; to_state: string }[]>`
        select from_state, to_state from private.transitions where machine = ${machine}`;
      for (const state of states) {
        ok(steps.some(({ from_state }) => from_state === state), `${machine}: ${state} is left`);
        ok(steps.some(({ to_state }) => to_state === state), `${machine}: ${state} is reached`);
      }
    }
  });
});
