import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import {
  act,
  answers,
  type Attendance,
  bring,
  create,
  createMeeting,
  does,
  firstOf,
  respond,
} from "./support.ts";

Deno.test("who comes is checked in by name or by code, once; a device says the same act again", async () => {
  const { tenant, ana, ben, carl } = await createMeeting();
  const event = await create(ana, tenant);
  const occurrence_id = (await firstOf(ana, event.id)).id;
  const check = (me: typeof ana, more: Record<string, unknown>) =>
    act(me, tenant, "check_in", { occurrence_id, ...more });
  await answers(ben, tenant, occurrence_id);
  await answers(carl, tenant, occurrence_id);
  await assertRefused(check(ana, { person: ben.id }), 409, "events.door_closed");
  await bring(occurrence_id, -5);
  const { code } = await does<{ code: string }>(ben, tenant, "code", { occurrence_id });
  assertEquals((await does<{ code: string }>(ben, tenant, "code", { occurrence_id })).code, code);
  await assertRefused(
    act(ana, tenant, "code", { occurrence_id }),
    404,
    "events.attendance_not_found",
  );

  await assertRefused(check(ben, { code }), 403, "events.not_the_organiser");
  await assertRefused(check(ana, {}), 422, "request.invalid");
  await assertRefused(check(ana, { code, person: ben.id }), 422, "request.invalid");
  await assertRefused(check(ana, { code, client_id: "" }), 422, "request.invalid");
  await assertRefused(check(ana, { code: "ABC" }), 404, "events.attendance_not_found");
  await assertRefused(check(ana, { person: ana.id }), 404, "events.attendance_not_found");

  // Seen offline three minutes ago, said now, and again when the answer got lost.
  const at = new Date(Date.now() - 180_000).toISOString();
  const scan = { code: code.toLowerCase(), at, client_id: "scan-1" };
  const first = await must<Attendance>(check(ana, scan));
  assertEquals([Date.parse(first.checked_in_at!), first.checked_in_by], [Date.parse(at), ana.id]);
  assertEquals((await must<Attendance>(check(ana, scan))).checked_in_at, first.checked_in_at);
  for (const again of [{ code }, { code, client_id: "scan-2" }, { person: ben.id }]) {
    await assertRefused(check(ana, again), 409, "events.already_checked_in");
  }
  await assertRefused(
    respond(ben, tenant, occurrence_id, "declined"),
    409,
    "events.already_checked_in",
  );
  ok((await must<Attendance>(check(ana, { person: carl.id }))).checked_in_at);
  for (const days of [-3, 1]) {
    const late = new Date(Date.now() + days * 86_400_000).toISOString();
    await assertRefused(check(ana, { person: carl.id, at: late }), 409, "events.door_closed");
  }
});

Deno.test("of two doors that scan one code at once, one lets in", async () => {
  const { tenant, ana, ben } = await createMeeting();
  const event = await create(ana, tenant);
  const occurrence_id = (await firstOf(ana, event.id)).id;
  await answers(ben, tenant, occurrence_id);
  await bring(occurrence_id, 30);
  const { code } = await does<{ code: string }>(ben, tenant, "code", { occurrence_id });
  const outcomes = await Promise.all(
    Array.from(
      { length: 10 },
      (_, door) => act(ana, tenant, "check_in", { occurrence_id, code, client_id: `door-${door}` }),
    ),
  );
  assertEquals(outcomes.filter(({ error }) => !error).length, 1);
  assertEquals(
    outcomes.filter(({ error }) => error?.message === "events.already_checked_in").length,
    9,
  );
});
