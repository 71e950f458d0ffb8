import assert from "node:assert/strict";
import type postgres from "postgres";
import { admin, createPerson } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailsTo, mailTo } from "../support/mail.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import { deadJob, delivered, done, jobOf, notify } from "./support.ts";

Deno.test("a mail goes to where the person reads now, on behalf of the community", () =>
  withDatabase(async (sql) => {
    const tenant = await createTenant({ name: "Time, Bank", locale: "de" });
    const person = await createMember(tenant);
    await notify(sql, person, { tenant });
    const mail = await mailTo(person.email, "auth.password_changed");
    assert.equal(mail.from, "Time Bank via Nexus <mail@nexus.local>");
    assert.equal(mail.subject, "Ihr Passwort wurde geändert", "in the community's language");
    assert.ok(mail.text.includes("Time, Bank") && mail.html.includes("Time, Bank"));
  }));

Deno.test("a mail of a transaction that is rolled back is never sent", () =>
  withDatabase(async (sql) => {
    const person = await createPerson();
    const rolledBack = sql.begin(async (transaction) => {
      await notify(transaction as unknown as postgres.Sql, person);
      throw new Error("no");
    });
    await assert.rejects(rolledBack, /^Error: no$/);
    const left = await sql`
      select from private.notifications_events e
      left join private.jobs j on j.aggregate = 'notifications_events:' || e.id
      where e.person_id = ${person.id}`;
    assert.equal(left.length, 0);
    assert.deepEqual(await mailsTo(person.email), []);
  }));

Deno.test("who was erased meanwhile gets no mail, and none of theirs is kept", () =>
  withDatabase(async (sql) => {
    const person = await createPerson();
    const event = await sql.begin(async (transaction) => {
      const id = await notify(transaction as unknown as postgres.Sql, person);
      await transaction`delete from auth.users where id = ${person.id}`;
      return id;
    });
    await done(sql, event);
    assert.deepEqual(await mailsTo(person.email), []);
    const [kept] = await sql`
      select (select count(*) from private.notifications_events where person_id = ${person.id})
        + (select count(*) from public.notifications where person_id = ${person.id})
        + (select count(*) from public.notifications_counters where person_id = ${person.id}) as count`;
    assert.equal(Number(kept!.count), 0);
  }));

Deno.test("a mail that came too late is not sent any more, and the evidence says so", () =>
  withDatabase(async (sql) => {
    const person = await createPerson();
    const event = await notify(sql, person, { expiresIn: "-1 second" });
    assert.equal((await delivered(sql, event, "skipped")).reason, "expired");
    assert.deepEqual(await mailsTo(person.email), []);
  }));

Deno.test("what no further try can send is dead at once, and says why without saying to whom", () =>
  withDatabase(async (sql) => {
    const person = await createPerson();
    const event = await notify(sql, person, { kind: "two_factor.backup_code_used" });
    const dead = await deadJob(sql, event);
    assert.deepEqual([dead!.attempts, dead!.reason], [1, "failed"]);
    assert.match(dead!.last_error, /two_factor\.backup_code_used: left is missing/);
    const refused = await createPerson({ email: `fail-422@${crypto.randomUUID()}.test` });
    const { attempts, last_error } = (await deadJob(sql, await notify(sql, refused)))!;
    assert.equal(attempts, 1);
    assert.match(last_error, /Resend answered 422/);
    assert.ok(!last_error.includes("@"));
  }));

Deno.test("a mail whose job died waits on, and is handed to the worker again after 5, 10, 20 minutes", () =>
  withDatabase(async (sql) => {
    const person = await createPerson();
    const event = await sql.begin(async (transaction) => {
      const id = await notify(transaction as unknown as postgres.Sql, person);
      await transaction`delete from private.jobs where aggregate = ${jobOf(id)}`;
      return id;
    });
    const retry = async (minutes: number) => {
      await sql`update private.notifications_deliveries
        set created_at = now() - ${minutes} * interval '1 minute',
          due_at = now() - ${minutes} * interval '1 minute',
          retry_at = retry_at - ${minutes} * interval '1 minute'
        where event_id = ${event} and channel = 'email'`;
      await sql`select private.notifications_retry()`;
      const [row] = await sql`
        select round(extract(epoch from retry_at - now()) / 60)::int as next
        from private.notifications_deliveries where event_id = ${event} and channel = 'email'`;
      return row!.next;
    };
    assert.equal(await retry(1), 4, "not due");
    assert.deepEqual(await mailsTo(person.email), []);
    assert.equal(await retry(6), 6, "as long again as it has waited");
    assert.ok(await mailTo(person.email, "auth.password_changed"));
    await done(sql, event);
  }));

Deno.test("a mail that was refused is not tried again by itself, and can be replayed", () =>
  withDatabase(async (sql) => {
    const person = await createPerson();
    const event = await notify(sql, person, { kind: "two_factor.backup_code_used" });
    await deadJob(sql, event);
    await sql`update private.notifications_deliveries set retry_at = now() where event_id = ${event}`;
    await sql`select private.notifications_retry()`;
    const jobs = await sql`select from private.jobs where aggregate = ${jobOf(event)}`;
    assert.equal(jobs.length, 0);
    await sql`update private.notifications_events set payload = '{"left": 3}' where id = ${event}`;
    const [dead] = await sql`
      select tenant_id, id from private.jobs_dead where aggregate = ${jobOf(event)}`;
    const { error } = await admin().rpc("jobs_replay", { ids: [dead!.id] });
    assert.equal(error, null);
    await delivered(sql, event, "sent");
    assert.match((await mailTo(person.email, "two_factor.backup_code_used")).text, /left: 3/);
  }));

Deno.test("what a mail said is forgotten when it is sent, that it was sent after ninety days", () =>
  withDatabase(async (sql) => {
    const person = await createPerson();
    const event = await notify(sql, person, { payload: { note: "private" } });
    const { provider, provider_id } = await delivered(sql, event, "sent");
    assert.equal(provider, "resend");
    assert.equal(provider_id, (await mailTo(person.email, "auth.password_changed")).id);
    const kept = () =>
      sql`select payload, address from private.notifications_events where id = ${event}`;
    assert.deepEqual({ ...(await kept())[0] }, { payload: {}, address: null });
    const age = (days: number) =>
      sql`update private.notifications_events
        set created_at = now() - ${days} * interval '1 day' where id = ${event}`;
    await age(89);
    await sql`select private.notifications_forget_old()`;
    assert.equal((await kept()).length, 1);
    await age(91);
    await sql`select private.notifications_forget_old()`;
    assert.equal((await kept()).length, 0);
  }));

Deno.test("nobody but the secret key opens mails, and people not even their own", async () => {
  const { client } = await createPerson();
  const calls: [string, Record<string, unknown>][] = [
    ["notifications_open_emails", { tenants: [], ids: [] }],
    ["notifications_settle", { results: [] }],
    ["push_open", { tenants: [], ids: [] }],
    ["push_settle", { results: [] }],
    ["notifications_linked", { token: "x" }],
    ["notifications_set_linked", { token: "x", setting: "off" }],
    ["notifications_release_address", { address: "x" }],
    ["notifications_mail_events", { call_id: "c", provider: "p", events: [] }],
    [
      "notifications_send_auth_emails",
      { call_id: "c", run_id: "r", person: crypto.randomUUID(), locale: null, emails: [] },
    ],
  ];
  for (const [rpc, args] of calls) {
    assert.equal((await client.rpc(rpc, args)).error?.code, "42501", rpc);
  }
  const { data, error } = await admin().rpc("notifications_open_emails", { tenants: [], ids: [] });
  assert.deepEqual([data, error], [[], null]);
});
