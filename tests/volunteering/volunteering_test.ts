import assert from "node:assert/strict";
import { create as createGroup, does as inGroup } from "../groups/support.ts";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { addMember, createMember, createTenant } from "../support/tenants.ts";
import {
  daysAgo,
  type Hours,
  log,
  openCall,
  type Opportunity,
  volunteering,
} from "../support/volunteering.ts";

const tenant = await createTenant({ modules: ["volunteering", "groups"], currencies: [] });
const [owner, staff, ana, ben, carl] = await Promise.all([
  createMember(tenant, "owner"),
  createMember(tenant, "staff"),
  createMember(tenant),
  createMember(tenant),
  createMember(tenant),
]);

const act = (me: Person, name: string, { id }: Pick<Opportunity, "id">, more = {}) =>
  volunteering(me, tenant, name, { opportunity: id, ...more });

const sees = async ({ client }: Person, { id }: Pick<Opportunity, "id">) =>
  (await must<unknown[]>(client.from("volunteering_opportunities").select("id").eq("id", id)))
    .length === 1;

const told = async ({ client }: Person, kind: string, { id }: Pick<Opportunity, "id">) =>
  (await must<{ payload: Record<string, string> }[]>(
    client.from("notifications").select("payload").eq("kind", `volunteering.${kind}`),
  )).filter(({ payload }) => payload.opportunity_id === id).length;

/** How often somebody was told, which one line of the inbox adds up. */
const times = async ({ client }: Person, kind: string, { id }: Pick<Opportunity, "id">) =>
  (await must<{ payload: Record<string, string>; count: number }[]>(
    client.from("notifications").select("payload, count").eq("kind", `volunteering.${kind}`),
  )).filter(({ payload }) => payload.opportunity_id === id)
    .reduce((sum, { count }) => sum + count, 0);

const minutesOf = async ({ client }: Person) =>
  (await must<{ minutes: number }[]>(client.from("volunteering_totals").select("minutes")))[0]
    ?.minutes ?? 0;

const decide = (me: Person, { id: hours }: Pick<Hours, "id">, approve: unknown, reason?: string) =>
  volunteering(me, tenant, "decide", { hours, approve, reason });

Deno.test("calls are made for the community by managers, for a group by its moderators", async () => {
  const title = "Paint the hall";
  await assertRefused(
    volunteering(ana, tenant, "save", { changes: { title } }),
    403,
    "volunteering.not_yours",
  );
  const draft = await must<Opportunity>(
    volunteering(staff, tenant, "save", { changes: { title } }),
  );
  assert.deepEqual([draft.status, await sees(ana, draft), await sees(owner, draft)], [
    "draft",
    false,
    true,
  ]);
  await assertRefused(act(ana, "sign_up", draft), 404, "volunteering.not_found");
  await assertRefused(
    act(ana, "set_status", draft, { status: "open" }),
    404,
    "volunteering.not_found",
  );
  await must(act(owner, "set_status", draft, { status: "open" }));
  assert.equal(await sees(ana, draft), true);
  await assertRefused(
    act(ana, "set_status", draft, { status: "closed" }),
    403,
    "volunteering.not_yours",
  );
  await assertRefused(
    act(ana, "save", draft, { changes: { title } }),
    403,
    "volunteering.not_yours",
  );

  const secret = await createGroup(ana, tenant, { visibility: "secret" });
  const group_id = (secret as unknown as { id: string }).id;
  await assertRefused(
    volunteering(ben, tenant, "save", { changes: { title, group_id } }),
    403,
    "volunteering.not_yours",
  );
  const inside = await openCall(ana, tenant, { group_id });
  assert.deepEqual([await sees(ana, inside), await sees(ben, inside)], [true, false]);
  await assertRefused(act(ben, "sign_up", inside), 404, "volunteering.not_found");

  const open = await createGroup(ana, tenant, { visibility: "public" });
  const shown = await openCall(ana, tenant, { group_id: open.id });
  assert.deepEqual([await sees(ben, shown), await sees(carl, shown)], [true, true]);
  await inGroup(ben, tenant, "join", { group_id: open.id });
  await inGroup(ana, tenant, "remove", { group_id: open.id, person: ben.id, ban: true });
  assert.deepEqual([await sees(ben, shown), await sees(carl, shown)], [false, true]);
});

Deno.test("what no call can be is refused", async () => {
  const bad = [
    [],
    { title: "no" },
    { title: "Clean", starts_at: "soon" },
    { title: "Clean", starts_at: "infinity" },
    { title: "Clean", starts_at: "2026-02-02T10:00:00Z", ends_at: "2026-02-02T09:00:00Z" },
    { title: "Clean", capacity: 0 },
    { title: "Clean", capacity: "many" },
    { title: "Clean", organiser_id: ben.id },
    { title: "Clean", accepted: 3 },
    { title: "Clean", group_id: "x" },
    { title: "Clean", organisation_id: crypto.randomUUID() },
    { title: "Clean", paid_from: "community_fund" },
    { title: "Clean", paid_from: "organisation", currency: "hours", budget_minutes: 60 },
  ];
  for (const changes of bad) {
    await assertRefused(volunteering(staff, tenant, "save", { changes }), 422, "request.invalid");
  }
  const call = await openCall(staff, tenant, { description: "Bring gloves", place: "Bank" });
  for (const status of ["draft", "over", null]) {
    await assertRefused(act(staff, "set_status", call, { status }), 422, "request.invalid");
  }
  await assertRefused(
    act(staff, "set_status", call, { status: "open" }),
    409,
    "request.transition_refused",
  );
});

Deno.test("places go as they come, and never more than there are", async () => {
  const call = await openCall(staff, tenant, { capacity: 2 });
  const people = await Promise.all(Array.from({ length: 5 }, () => createMember(tenant)));
  const answers = await Promise.all(people.map((me) => act(me, "sign_up", call)));
  assert.deepEqual(answers.map(({ error }) => error?.message ?? "in").toSorted(), [
    "in",
    "in",
    ...Array(3).fill("volunteering.full"),
  ]);
  const inside = people[answers.findIndex(({ error }) => !error)]!;
  const outside = people[answers.findIndex(({ error }) => error)]!;
  assert.equal((await must<{ status: string }>(act(inside, "sign_up", call))).status, "accepted");
  await assertRefused(act(outside, "withdraw", call), 404, "volunteering.signup_not_found");
  await must(act(inside, "withdraw", call));
  await assertRefused(act(inside, "withdraw", call), 409, "request.transition_refused");
  await must(act(outside, "sign_up", call));
  await assertRefused(act(inside, "sign_up", call), 409, "volunteering.full");
  await assertRefused(
    act(staff, "save", call, { changes: { capacity: 1 } }),
    422,
    "request.invalid",
  );
  // Who leaves gives their place free.
  await must(outside.client.rpc("members_leave", { tenant_id: tenant.id }));
  await must(act(inside, "sign_up", call));
  await addMember(tenant, outside);
  await assertRefused(act(outside, "sign_up", call), 409, "volunteering.full");
});

Deno.test("where it is by hand, whoever runs it says who helps", async () => {
  const call = await openCall(staff, tenant, { by_hand: true, capacity: 1 });
  assert.equal(
    (await must<{ status: string }>(act(ana, "sign_up", call, { note: "I can" }))).status,
    "applied",
  );
  await must(act(ana, "sign_up", call, { note: "I can come at eight" }));
  assert.equal(await times(staff, "signed_up", call), 1);
  await assertRefused(act(ana, "sign_up", call, { note: "x".repeat(501) }), 422, "request.invalid");
  const answer = (me: Person, person: Person, accept: unknown) =>
    act(me, "answer", call, { person: person.id, accept });
  await assertRefused(answer(ana, ana, true), 403, "volunteering.not_yours");
  await assertRefused(answer(staff, ben, true), 404, "volunteering.signup_not_found");
  await assertRefused(answer(staff, ana, null), 422, "request.invalid");
  await must(answer(staff, ana, true));
  await assertRefused(answer(staff, ana, true), 409, "request.transition_refused");
  await must(act(ben, "sign_up", call));
  await assertRefused(answer(owner, ben, true), 409, "volunteering.full");
  await must(answer(owner, ben, false));
  assert.deepEqual([await told(ana, "accepted", call), await told(ben, "declined", call)], [1, 1]);
  const mine = async ({ client }: Person) =>
    (await must<unknown[]>(
      client.from("volunteering_signups").select().eq("opportunity_id", call.id),
    )).length;
  assert.deepEqual([await mine(ana), await mine(carl), await mine(staff)], [1, 0, 2]);
  await must(act(staff, "set_status", call, { status: "cancelled" }));
  assert.deepEqual([await told(ana, "cancelled", call), await told(ben, "cancelled", call)], [
    1,
    0,
  ]);
  await assertRefused(act(carl, "sign_up", call), 409, "volunteering.closed");
  await assertRefused(log(ana, tenant, call), 409, "volunteering.closed");
});

Deno.test("hours count once somebody else approved them, and no longer once that is taken back", async () => {
  const call = await openCall(staff, tenant);
  await assertRefused(log(ana, tenant, call), 403, "volunteering.not_a_helper");
  for (const me of [ana, staff]) await must(act(me, "sign_up", call));
  const before = await minutesOf(ana);
  const given = await must<Hours>(log(ana, tenant, call, 90));
  assert.deepEqual([given.status, await minutesOf(ana)], ["submitted", before]);
  await must(log(ana, tenant, call, 75, { hours: given.id }));
  assert.equal(await times(staff, "hours_submitted", call), 1);
  const own = await must<Hours>(log(staff, tenant, call));
  await assertRefused(decide(staff, own, true), 403, "members.not_yourself");
  await assertRefused(decide(ana, given, true), 403, "members.not_yourself");
  await assertRefused(decide(ben, given, true), 404, "volunteering.hours_not_found");
  await assertRefused(decide(staff, given, false), 422, "request.invalid");
  await assertRefused(decide(staff, given, null), 422, "request.invalid");
  await must(decide(staff, given, false, "Which day?"));
  await must(log(ana, tenant, call, 60, { hours: given.id, day: daysAgo(3) }));
  const answers = await Promise.all([1, 2, 3].map(() => decide(staff, given, true)));
  assert.equal(answers.filter(({ error }) => !error).length, 1);
  assert.equal(await minutesOf(ana), before + 60);
  assert.equal(
    (await must<{ people: number }>(volunteering(ben, tenant, "summary"))).people >= 1,
    true,
  );
  await assertRefused(
    volunteering(ana, tenant, "unlog", { hours: given.id }),
    404,
    "volunteering.hours_not_found",
  );
  const revoke = (me: Person, reason: unknown) =>
    volunteering(me, tenant, "revoke", { hours: given.id, reason });
  await assertRefused(revoke(ben, "No"), 404, "volunteering.hours_not_found");
  await assertRefused(revoke(staff, null), 422, "request.invalid");
  await must(revoke(staff, "It was somebody else"));
  await assertRefused(revoke(staff, "Again"), 409, "request.transition_refused");
  assert.equal(await minutesOf(ana), before);
  // The inbox shows the last about a call.
  assert.equal(await told(ana, "hours_revoked", call), 1);
});

Deno.test("a day has 24 hours, also for many calls at once, and lies in the last 90", async () => {
  const dora = await createMember(tenant);
  const call = await openCall(staff, tenant);
  await must(act(dora, "sign_up", call));
  for (
    const bad of [{ minutes: 5 }, { minutes: 1441 }, { day: daysAgo(-2) }, { day: daysAgo(95) }, {
      day: null,
    }]
  ) {
    const { minutes = 60, ...more } = bad as { minutes?: number };
    await assertRefused(log(dora, tenant, call, minutes, more), 422, "request.invalid");
  }
  const answers = await Promise.all(
    [600, 600, 600].map((minutes) => log(dora, tenant, call, minutes)),
  );
  assert.deepEqual(answers.map(({ error }) => error?.message ?? "logged").toSorted(), [
    "logged",
    "logged",
    "volunteering.day_full",
  ]);
  const [first] = answers.filter(({ error }) => !error).map(({ data }) => data as Hours);
  await assertRefused(
    log(ana, tenant, call, 60, { hours: first!.id }),
    403,
    "volunteering.not_a_helper",
  );
  await must(volunteering(dora, tenant, "unlog", { hours: first!.id }));
  await must(log(dora, tenant, call, 600));
  await assertRefused(
    log(dora, tenant, call, 60, { hours: first!.id, day: daysAgo(9) }),
    404,
    "volunteering.hours_not_found",
  );
});

Deno.test("calls that are over close by themselves; hours can still be logged", async () => {
  const call = await openCall(staff, tenant);
  await must(act(carl, "sign_up", call));
  await withDatabase(async (sql) => {
    await sql`update volunteering_opportunities set ends_at = now() where id = ${call.id}`;
    await sql`select private.volunteering_close()`;
  });
  await assertRefused(act(ben, "sign_up", call), 409, "volunteering.closed");
  await must(log(carl, tenant, call));
});

Deno.test("a reported call is out of sight and back after the appeal; of somebody erased no word stays", async () => {
  const moderate = ({ client }: Person, name: string, args: Record<string, unknown>) =>
    client.rpc(`moderation_${name}`, { tenant_id: tenant.id, ...args });
  const call = await openCall(staff, tenant, { title: "Zyxw a rival" });
  const report = { kind: "volunteering.opportunity", subject: call.id, reason: "other" };
  const { case_id } = await must<{ case_id: string }>(moderate(ben, "report", report));
  await must(moderate(owner, "decide", { case_id, action: "remove" }));
  assert.deepEqual([await sees(ben, call), await sees(staff, call)], [false, true]);
  const admin = await createMember(tenant, "admin");
  await must(moderate(staff, "appeal", { case_id, statement: "A joke" }));
  await must(moderate(admin, "decide_appeal", { case_id, uphold: false }));
  assert.equal(await sees(ben, call), true);

  await must(act(ben, "sign_up", call, { note: "zyxw" }));
  const given = await must<Hours>(log(ben, tenant, call, 60, { note: "zyxw" }));
  await must(decide(owner, given, true));
  await withDatabase(async (sql) => {
    await sql`update people set erased_at = now() where id in (${staff.id}, ${ben.id})`;
    for (const table of ["opportunities", "signups", "hours"]) {
      const rows = await sql.unsafe(
        `select from volunteering_${table} t where t::text ilike '%zyxw%'`,
      );
      assert.equal(rows.length, 0, table);
    }
    const [row] = await sql`
      select minutes::int from volunteering_totals where tenant_id = ${tenant.id} and person_id = ${ben.id}`;
    assert.equal(row!.minutes >= 60, true);
  });
});
