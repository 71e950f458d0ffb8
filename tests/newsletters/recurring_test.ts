import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin, createPerson } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailsTo, mailTo } from "../support/mail.ts";
import { addMember, createMember } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import { content, createWorld, type Newsletter } from "./support.ts";

const world = await createWorld();
const { tenant, head, editor, ask, call, draft } = world;

interface Row {
  id: string;
  next_at: string;
}

interface Line {
  at: string;
  kind: string;
  id: string;
  name: string;
  status: string;
}

Deno.test("the schedules run at the times of their contract", () =>
  withDatabase(async (sql) => {
    const rows = await sql`
      select name, cron from private.jobs_schedules
      where name in ('newsletters-queue', 'newsletters-recurring') order by name`;
    assert.deepEqual(rows.map(({ name, cron }) => [name, cron]), [
      ["newsletters-queue", "*/5 * * * *"],
      ["newsletters-recurring", "*/15 * * * *"],
    ]);
    for (const { name } of rows) {
      const [run] = await sql`select outcome, error from private.jobs_run_schedule(${name!})`;
      assert.deepEqual({ ...run }, { outcome: "done", error: null });
    }
  }));

Deno.test("a recurring newsletter is made and sent each time it falls due, once", () =>
  withDatabase(async (sql) => {
    const ana = await createMember(tenant);
    const { segment_id } = await draft("weekly", [ana]) as unknown as { segment_id: string };
    const args = { name: "Weekly", content: { ...content, subject: "Of {date}" }, segment_id };
    const recurring = await call<Row>(head, "save_recurring", { ...args, cron: "0 9 * * mon" });
    assert.ok(new Date(recurring.next_at) > new Date());
    await sql`update newsletters_recurring set next_at = now() - interval '3 weeks'
      where id = ${recurring.id}`;
    await Promise.all(
      Array.from(
        { length: 3 },
        () => withDatabase((one) => one`select private.newsletters_recur()`),
      ),
    );
    const made = await must<Newsletter[]>(
      head.client.from("newsletters").select().eq("recurring_id", recurring.id),
    );
    assert.equal(made.length, 1, "however often it was missed");
    const today = new Intl.DateTimeFormat("sv", { timeZone: "UTC" }).format(new Date());
    const mail = await mailTo(ana.email, "newsletters.issue");
    assert.equal(mail.subject, `Of ${today}`);
    const paused = await call<Row>(head, "save_recurring", {
      ...args,
      cron: "0 9 * * mon",
      recurring_id: recurring.id,
      active: false,
    });
    await sql`update newsletters_recurring set next_at = now() where id = ${paused.id}`;
    await sql`select private.newsletters_recur()`;
    const [count] = await sql`
      select count(*)::int as count from newsletters where recurring_id = ${recurring.id}`;
    assert.equal(count!.count, 1);
    for (const cron of ["", "never", "* * * * *", "0 9,10 * * *", null]) {
      await assertRefused(ask(head, "save_recurring", { ...args, cron }), 422, "request.invalid");
    }
    await assertRefused(
      ask(head, "save_recurring", {
        ...args,
        cron: "0 9 * * mon",
        recurring_id: crypto.randomUUID(),
      }),
      404,
      "newsletters.recurring_not_found",
    );
  }));

Deno.test("the calendar shows what was sent and what is to come", async () => {
  const at = new Date(Date.now() + 5 * 86_400_000);
  const dated = await draft("dated", []);
  await call(head, "schedule", { newsletter_id: dated.id, at: at.toISOString() });
  const daily = await call<Row>(head, "save_recurring", {
    name: "Daily",
    content,
    cron: "30 6 * * *",
  });
  const since = new Date().toISOString();
  const until = new Date(Date.now() + 7 * 86_400_000).toISOString();
  const lines = await call<Line[]>(editor, "calendar", { since, until });
  assert.deepEqual(lines.map(({ at }) => at), lines.map(({ at }) => at).toSorted());
  const [one] = lines.filter(({ id }) => id === dated.id);
  assert.deepEqual([one!.kind, one!.name, one!.status, new Date(one!.at)], [
    "newsletter",
    "dated",
    "scheduled",
    at,
  ]);
  const planned = lines.filter(({ id }) => id === daily.id);
  assert.deepEqual([planned.length, planned[0]!.kind], [7, "recurring"]);
  const refused = [[since, since], [since, "2199-01-01"], [since, null], [
    "2198-12-01",
    "2199-01-01",
  ]];
  for (const [since, until] of refused) {
    await assertRefused(ask(editor, "calendar", { since, until }), 422, "request.invalid");
  }
});

Deno.test("whoever joins gets the mails of a sequence one after the other, once", () =>
  withDatabase(async (sql) => {
    await createMember(tenant);
    const steps = [0, 24].map((after_hours, n) => ({
      after_hours,
      content: { ...content, subject: `Welcome ${n + 1}` },
    }));
    const criteria = [{ field: "role", value: ["member"] }];
    const segment = await call<Row>(head, "save_segment", { name: "Members", criteria });
    const save = (more = {}) =>
      ask(head, "save_sequence", {
        name: "Welcome",
        steps,
        segment_id: segment.id,
        active: true,
        ...more,
      });
    const { id } = await must<Row>(save());
    await assertRefused(save(), 409, "newsletters.name_taken");
    await assertRefused(
      save({ name: "y", sequence_id: crypto.randomUUID() }),
      404,
      "newsletters.sequence_not_found",
    );
    for (const bad of [[], [{ content }], [{ after_hours: -1, content }], [{ after_hours: 1 }]]) {
      await assertRefused(save({ name: "z", steps: bad }), 422, "request.invalid");
    }
    const [ana, guest] = [await createPerson(), await createPerson()];
    await addMember(tenant, ana);
    await addMember(tenant, guest, "guest");
    const rows = () =>
      sql`select person_id, place, due_at from private.newsletters_followers where sequence_id = ${id}`;
    assert.equal((await rows()).length, 2, "not who was there before");
    await sql`select private.newsletters_queue()`;
    assert.equal((await mailTo(ana.email, "newsletters.issue")).subject, "Welcome 1");
    const after = new Map((await rows()).map((row) => [row.person_id, row]));
    assert.equal(after.get(guest.id)!.due_at, null, "who is not in the segment leaves");
    const hours = (after.get(ana.id)!.due_at.getTime() - Date.now()) / 3600_000;
    assert.ok(hours > 23.9 && hours <= 24, `${hours}`);
    await sql`select private.newsletters_queue()`;
    await sql`update private.newsletters_followers set due_at = now() where person_id = ${ana.id}`;
    await sql`select private.newsletters_queue()`;
    const subjects = await until(async () => {
      const mails = await mailsTo(ana.email);
      return mails.length === 2 ? mails.map(({ subject }) => subject).toSorted() : undefined;
    }, { timeout: 10_000 });
    assert.deepEqual(subjects, ["Welcome 1", "Welcome 2"]);
    assert.ok((await rows()).every(({ due_at }) => due_at === null), "through");
  }));

Deno.test("who goes takes their labels, consent and mails to come; who is erased all of it", () =>
  withDatabase(async (sql) => {
    const [ana, ben] = [await createMember(tenant), await createMember(tenant)];
    for (const person of [ana, ben]) await call(person, "consent", { given: true });
    const newsletter = await draft("going", [ana, ben]);
    await call(head, "schedule", { newsletter_id: newsletter.id });
    await mailTo(ben.email, "newsletters.issue");
    await must(ana.client.rpc("members_leave", { tenant_id: tenant.id }));
    const { error } = await admin().auth.admin.deleteUser(ben.id);
    assert.equal(error, null);
    const left = async (id: string) => {
      const [row] = await sql`
        select (select count(*)::int from newsletters_tags where person_id = ${id}) as tags,
          (select count(*)::int from private.newsletters_consents where person_id = ${id}) as consents,
          (select count(*)::int from private.newsletters_recipients where person_id = ${id}) as got`;
      return { ...row };
    };
    assert.deepEqual(await left(ana.id), { tags: 0, consents: 0, got: 1 });
    assert.deepEqual(await left(ben.id), { tags: 0, consents: 0, got: 0 });
    await sql`update newsletters set status = 'sent', ended_at = now() - interval '91 days'
      where id = ${newsletter.id} and status = 'sending'`;
    await sql`update newsletters set ended_at = now() - interval '91 days' where id = ${newsletter.id}`;
    await sql`select private.newsletters_forget()`;
    assert.equal((await left(ana.id)).got, 0);
  }));
