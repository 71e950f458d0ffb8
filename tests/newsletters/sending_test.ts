import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import { createMember, setStatus } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import { content, createWorld, issuesTo, type Newsletter, reached, step } from "./support.ts";

const world = await createWorld();
const { tenant, head, ask, call, draft, statistics } = world;

const schedule = (newsletter: Newsletter, more = {}) =>
  call<Newsletter>(head, "schedule", { newsletter_id: newsletter.id, ...more });

const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString();

Deno.test("each reader gets it once, in a mail of their own, and those who want none get none", () =>
  withDatabase(async (sql) => {
    const [ana, ben, gone] = await Promise.all([1, 2, 3].map(() => createMember(tenant)));
    const people = [ana!, ben!, gone!];
    await must(ben!.client.rpc("notifications_choose", {
      tenant_id: tenant.id,
      kind: "newsletters.issue",
      channel: "email",
      setting: "off",
    }));
    const newsletter = await draft("first", people);
    await setStatus(head.client, tenant, gone!, "suspended");
    await schedule(newsletter);
    await reached(sql, newsletter, "sent");
    const mail = await mailTo(ana!.email, "newsletters.issue");
    assert.equal(mail.from, "Garden Club via Nexus <mail@nexus.local>");
    assert.ok(mail.text.includes("Dear Member,"));
    assert.equal(mail.headers["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click");
    for (const person of people) {
      assert.equal(await issuesTo(person), person === ana ? 1 : 0);
    }
    const [figures] = await statistics(newsletter);
    assert.deepEqual([figures!.subject, figures!.recipients, figures!.sent], ["News", 2, 1]);
    await assertRefused(
      ask(head, "schedule", { newsletter_id: newsletter.id }),
      409,
      "request.transition_refused",
    );
    const edit = { newsletter_id: newsletter.id, name: "x", content };
    await assertRefused(ask(head, "save", edit), 409, "request.transition_refused");
  }));

/** Members without a login: nothing leaves for them, but all else is as with others. */
async function crowd(sql: Parameters<typeof reached>[0], size: number): Promise<string[]> {
  const rows = await sql`
    with made as (
      insert into people (id, display_name) select gen_random_uuid(), 'Crowd'
      from generate_series(1, ${size}) returning id
    )
    insert into members (tenant_id, person_id, status, display_name)
    select ${tenant.id}, id, 'active', 'Crowd' from made returning person_id`;
  return rows.map(({ person_id }) => person_id);
}

Deno.test("a hundred a batch; workers at the same newsletter hand nobody over twice", () =>
  withDatabase(async (sql) => {
    const ids = await crowd(sql, 230);
    const newsletter = await draft("crowd", ids.map((id) => ({ ...head, id })));
    await schedule(newsletter, { at: tomorrow() });
    assert.equal(await step(world, newsletter), 0, "not due");
    await sql`update newsletters set send_at = now() where id = ${newsletter.id}`;
    assert.equal(await step(world, newsletter), 1, "begun");
    assert.equal(await step(world, newsletter), 230, "its readers found");
    const handed = await Promise.all(Array.from({ length: 5 }, () => step(world, newsletter)));
    assert.deepEqual(handed.toSorted((a, b) => b - a), [100, 100, 30, 0, 0]);
    const [count] = await sql`
      select count(*)::int as events, count(distinct e.person_id)::int as people
      from private.notifications_events e
      join newsletters_variants v on v.tenant_id = e.tenant_id and v.id = e.document_id
      where v.newsletter_id = ${newsletter.id}`;
    assert.deepEqual({ ...count }, { events: 230, people: 230 });
    await until(async () => (await statistics(newsletter))[0]!.skipped === 230, {
      timeout: 20_000,
    });
    await reached(sql, newsletter, "sent");
    await sql`select private.newsletters_queue()`;
    const [figures] = await statistics(newsletter);
    assert.deepEqual([figures!.recipients, figures!.skipped], [230, 230], "added up once");
  }));

Deno.test("nine o'clock is nine o'clock where the reader lives", () =>
  withDatabase(async (sql) => {
    const zones = ["Pacific/Auckland", "Europe/Berlin", "America/Los_Angeles"];
    const people = await Promise.all(zones.map(async (time_zone) => {
      const person = await createMember(tenant);
      await must(person.client.rpc("people_update_me", { changes: { time_zone } }));
      return person;
    }));
    const newsletter = await draft("zones", people);
    const day = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10);
    const { send_at } = await schedule(newsletter, { local_time: `${day}T09:00` });
    const first = new Date(`${day}T09:00+14:00`).toISOString();
    assert.equal(new Date(send_at!).toISOString(), first, "when the first place has that hour");
    await sql`update newsletters set send_at = now() where id = ${newsletter.id}`;
    await step(world, newsletter);
    await step(world, newsletter);
    const rows = await sql`
      select p.time_zone, to_char(r.due_at at time zone p.time_zone, 'YYYY-MM-DD"T"HH24:MI') as local
      from private.newsletters_recipients r join people p on p.id = r.person_id
      where r.newsletter_id = ${newsletter.id}`;
    assert.deepEqual(
      new Map(rows.map((row) => [row.time_zone, row.local])),
      new Map(zones.map((zone) => [zone, `${day}T09:00`])),
    );
    assert.equal(await step(world, newsletter), 0, "nobody's hour has come");
    await sql`update private.newsletters_recipients set due_at = now()
      where newsletter_id = ${newsletter.id} and person_id = ${people[0]!.id}`;
    assert.equal(await step(world, newsletter), 1);
    const [row] = await sql`select status from newsletters where id = ${newsletter.id}`;
    assert.equal(row!.status, "sending", "the others wait for theirs");
    await call(head, "move", { newsletter_id: newsletter.id, act: "cancel" });
  }));

Deno.test("times that cannot be are refused", async () => {
  const newsletter = await draft("times", []);
  const refuse = (more: Record<string, unknown>) =>
    assertRefused(
      ask(head, "schedule", { newsletter_id: newsletter.id, ...more }),
      422,
      "request.invalid",
    );
  await refuse({ at: "2020-01-01T00:00:00Z" });
  await refuse({ at: "2199-01-01T00:00:00Z" });
  await refuse({ local_time: "soon" });
  await refuse({ local_time: "2020-01-01T09:00" });
  await refuse({ at: tomorrow(), local_time: "2020-01-01T09:00" });
  const tried = await draft("times-tried", [], { subjects: ["b"] });
  await assertRefused(
    ask(head, "schedule", { newsletter_id: tried.id, local_time: tomorrow().slice(0, 16) }),
    422,
    "request.invalid",
  );
});

Deno.test("a part of the readers tries the subjects, the rest gets the one opened most", () =>
  withDatabase(async (sql) => {
    const ids = await crowd(sql, 80);
    const newsletter = await draft("tried", ids.map((id) => ({ ...head, id })), {
      subjects: ["Other"],
      test_share: 40,
      test_hours: 2,
    });
    await schedule(newsletter, { at: tomorrow() });
    await sql`update newsletters set send_at = now() where id = ${newsletter.id}`;
    await step(world, newsletter);
    await step(world, newsletter);
    const tried = await step(world, newsletter);
    assert.ok(tried > 10 && tried < 60, `${tried} of 80`);
    assert.equal(await step(world, newsletter), 0, "the rest waits");
    const [own, other] = await statistics(newsletter);
    assert.ok(own!.recipients > 0 && other!.recipients > 0);
    assert.deepEqual([own!.subject, other!.subject], ["News", "Other"]);
    await sql`insert into private.newsletters_marks (tenant_id, variant_id, what)
      values (${tenant.id}, ${own!.id}, 'sent'), (${tenant.id}, ${other!.id}, 'sent'),
        (${tenant.id}, ${other!.id}, 'opened')`;
    await sql`update newsletters set started_at = started_at - interval '119 minutes'
      where id = ${newsletter.id}`;
    assert.equal(await step(world, newsletter), 0, "not yet");
    await sql`update newsletters set started_at = started_at - interval '2 minutes'
      where id = ${newsletter.id}`;
    assert.equal(await step(world, newsletter), 80 - tried);
    const [, winner] = await statistics(newsletter);
    assert.equal(winner!.recipients, other!.recipients + 80 - tried);
    const ended = await reached(sql, newsletter, "sent");
    assert.equal(ended.winner_id, other!.id);
  }));

Deno.test("every state is reached and left by its own act, and by no other", () =>
  withDatabase(async (sql) => {
    const reader = await createMember(tenant);
    const newsletter = await draft("states", [reader]);
    const newsletter_id = newsletter.id;
    const move = async (act: string | null) => {
      const { data, error } = await ask(head, "move", { newsletter_id, act });
      return error?.message ?? data.status;
    };
    const refused = "request.transition_refused";
    assert.equal(await move("fly"), "request.invalid");
    assert.equal(await move(null), "request.invalid");
    for (const act of ["unschedule", "pause", "resume"]) assert.equal(await move(act), refused);
    await schedule(newsletter, { at: tomorrow() });
    for (const act of ["pause", "resume"]) assert.equal(await move(act), refused);
    assert.equal(await move("unschedule"), "draft");
    await schedule(newsletter, { at: tomorrow() });
    await sql`update newsletters set send_at = now() where id = ${newsletter_id}`;
    await step(world, newsletter);
    for (const act of ["unschedule", "resume"]) assert.equal(await move(act), refused);
    assert.equal(await move("pause"), "paused");
    assert.equal(await step(world, newsletter), 0, "nothing leaves");
    assert.equal(await issuesTo(reader), 0);
    for (const act of ["unschedule", "pause"]) assert.equal(await move(act), refused);
    assert.equal(await move("resume"), "sending");
    await reached(sql, newsletter, "sent");
    await mailTo(reader.email, "newsletters.issue");
    for (const act of ["unschedule", "pause", "resume", "cancel"]) {
      assert.equal(await move(act), refused, act);
    }
    const other = await draft("cancelled", [reader]);
    await call(head, "move", { newsletter_id: other.id, act: "cancel" });
    await assertRefused(ask(head, "schedule", { newsletter_id: other.id }), 409, refused);
    assert.equal(await issuesTo(reader), 1);
  }));

Deno.test("a burst of bounces stops it, and whoever may send is told", () =>
  withDatabase(async (sql) => {
    const reader = await createMember(tenant);
    const newsletter = await draft("bounced", [reader], { subjects: ["b"], test_share: 50 });
    await schedule(newsletter);
    const begun = await until(async () => (await statistics(newsletter))[0], { timeout: 10_000 });
    await sql`select private.notify_bulk_stop(${tenant.id}, ${begun.id}, 'bounces')`;
    const paused = await until(async () => {
      const [row] = await sql<Newsletter[]>`select * from newsletters where id = ${newsletter.id}`;
      return row!.status === "paused" ? row : undefined;
    }, { timeout: 10_000 });
    assert.equal(paused.paused_for, "bounces");
    const stopped = await sql`
      select stop_reason from private.notifications_documents d
      join newsletters_variants v on v.tenant_id = d.tenant_id and v.id = d.id
      where v.newsletter_id = ${newsletter.id} and d.stopped_at is not null`;
    assert.equal(stopped.length, 2, "under both subjects");
    const notices = await must<{ payload: { name?: string } }[]>(
      head.client.from("notifications").select("payload").eq("kind", "newsletters.stopped"),
    );
    assert.deepEqual(notices.map(({ payload }) => payload.name), ["bounced"]);
    await call(head, "move", { newsletter_id: newsletter.id, act: "resume" });
    const left = await sql`
      select from private.notifications_documents d
      join newsletters_variants v on v.tenant_id = d.tenant_id and v.id = d.id
      where v.newsletter_id = ${newsletter.id} and d.stopped_at is not null`;
    assert.equal(left.length, 0);
    await call(head, "move", { newsletter_id: newsletter.id, act: "cancel" });
  }));
