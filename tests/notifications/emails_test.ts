import assert from "node:assert/strict";
import type postgres from "postgres";
import { admin, createPerson, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailsTo, mailTo } from "../support/mail.ts";
import { createTenant, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";

interface Sending {
  template?: string;
  data?: postgres.JSONValue;
  tenant?: Tenant;
  expiresIn?: string;
}

/** Sends a mail as a capability does, from SQL. */
async function sendEmail(
  sql: postgres.Sql,
  { id }: Pick<Person, "id">,
  { template = "auth.password_changed", data = {}, tenant, expiresIn }: Sending = {},
): Promise<string> {
  const [row] = await sql`
    select private.send_email(
      ${id}, ${template}, ${sql.json(data)}, ${tenant?.id ?? null},
      now() + ${expiresIn ?? null}::interval
    ) as id`;
  return row!.id;
}

const jobOf = (email: string) => `notifications_emails:${email}`;

/** The job of a mail, once it is dead. */
const deadJob = (sql: postgres.Sql, email: string) =>
  until(async () => {
    const [job] = await sql`
      select attempts, reason, last_error from private.jobs_dead
      where aggregate = ${jobOf(email)}`;
    return job;
  }, { timeout: 15_000 });

/** Waits until the job of a mail is done. */
const done = (sql: postgres.Sql, email: string) =>
  until(async () => {
    const [job] = await sql`select from private.jobs where aggregate = ${jobOf(email)}`;
    return !job;
  }, { timeout: 10_000 });

Deno.test("a mail goes to where the person reads now, on behalf of the community", () =>
  withDatabase(async (sql) => {
    const tenant = await createTenant({ name: "Time, Bank", locale: "de" });
    const person = await createPerson();
    await sendEmail(sql, person, { tenant });
    const mail = await mailTo(person.email, "auth.password_changed");
    assert.equal(mail.from, "Time Bank via Nexus <mail@nexus.local>");
    assert.equal(mail.subject, "Ihr Passwort wurde geändert", "in the community's language");
    assert.ok(mail.text.includes("Time, Bank") && mail.html.includes("Time, Bank"));
  }));

Deno.test("a mail of a transaction that is rolled back is never sent", () =>
  withDatabase(async (sql) => {
    const person = await createPerson();
    const rolledBack = sql.begin(async (transaction) => {
      await sendEmail(transaction as unknown as postgres.Sql, person);
      throw new Error("no");
    });
    await assert.rejects(rolledBack, /^Error: no$/);
    const left = await sql`
      select from private.notifications_emails e
      left join private.jobs j on j.aggregate = 'notifications_emails:' || e.id
      where e.person_id = ${person.id}`;
    assert.equal(left.length, 0);
    assert.deepEqual(await mailsTo(person.email), []);
  }));

Deno.test("who was erased meanwhile gets no mail, and none of theirs is kept", () =>
  withDatabase(async (sql) => {
    const person = await createPerson();
    const email = await sql.begin(async (transaction) => {
      const id = await sendEmail(transaction as unknown as postgres.Sql, person);
      await transaction`delete from auth.users where id = ${person.id}`;
      return id;
    });
    await done(sql, email);
    assert.deepEqual(await mailsTo(person.email), []);
    const kept = await sql`select from private.notifications_emails where person_id = ${person.id}`;
    assert.equal(kept.length, 0);
  }));

Deno.test("a mail that came too late is not sent any more", () =>
  withDatabase(async (sql) => {
    const person = await createPerson();
    await done(sql, await sendEmail(sql, person, { expiresIn: "-1 second" }));
    assert.deepEqual(await mailsTo(person.email), []);
  }));

Deno.test("what no further try can send is dead at once, and says why without saying to whom", () =>
  withDatabase(async (sql) => {
    const person = await createPerson();
    const unknown = await deadJob(sql, await sendEmail(sql, person, { template: "auth.nonsense" }));
    assert.deepEqual([unknown!.attempts, unknown!.reason], [1, "failed"]);
    assert.match(unknown!.last_error, /no template auth\.nonsense/);
    const refused = await createPerson({ email: `fail-422@${crypto.randomUUID()}.test` });
    const { attempts, last_error } = (await deadJob(sql, await sendEmail(sql, refused)))!;
    assert.equal(attempts, 1);
    assert.match(last_error, /Resend answered 422/);
    assert.ok(!last_error.includes("@"));
  }));

Deno.test("a mail whose job died waits on, and is handed to the worker again after 5, 10, 20 minutes", () =>
  withDatabase(async (sql) => {
    const person = await createPerson();
    const email = await sql.begin(async (transaction) => {
      const id = await sendEmail(transaction as unknown as postgres.Sql, person);
      await transaction`delete from private.jobs where aggregate = ${jobOf(id)}`;
      return id;
    });
    const retry = async (minutes: number) => {
      await sql`update private.notifications_emails
        set created_at = now() - ${minutes} * interval '1 minute',
          retry_at = retry_at - ${minutes} * interval '1 minute' where id = ${email}`;
      await sql`select private.notifications_retry_emails()`;
      const [row] = await sql`
        select round(extract(epoch from retry_at - now()) / 60)::int as next
        from private.notifications_emails where id = ${email}`;
      return row!.next;
    };
    assert.equal(await retry(1), 4, "not due");
    assert.deepEqual(await mailsTo(person.email), []);
    assert.equal(await retry(6), 6, "as long again as it has waited");
    assert.ok(await mailTo(person.email, "auth.password_changed"));
    await done(sql, email);
    const [{ count }] = await sql`
      select count(*)::int from private.jobs where aggregate = ${jobOf(email)}` as [
      { count: number },
    ];
    assert.equal(count, 0);
  }));

Deno.test("a mail that was refused is not tried again by itself", () =>
  withDatabase(async (sql) => {
    const person = await createPerson();
    const email = await sendEmail(sql, person, { template: "auth.nonsense" });
    await deadJob(sql, email);
    await sql`update private.notifications_emails set retry_at = now() where id = ${email}`;
    await sql`select private.notifications_retry_emails()`;
    const jobs = await sql`select from private.jobs where aggregate = ${jobOf(email)}`;
    assert.equal(jobs.length, 0);
  }));

Deno.test("a mail is forgotten after thirty days, the waiting and the sent", () =>
  withDatabase(async (sql) => {
    const person = await createPerson();
    const email = await sendEmail(sql, person);
    await mailTo(person.email, "auth.password_changed");
    const age = (days: number) =>
      sql`update private.notifications_emails
        set created_at = now() - ${days} * interval '1 day' where id = ${email}`;
    const kept = () => sql`select from private.notifications_emails where id = ${email}`;
    await age(29);
    await sql`select private.notifications_forget_old()`;
    assert.equal((await kept()).length, 1);
    await age(31);
    await sql`select private.notifications_forget_old()`;
    assert.equal((await kept()).length, 0);
  }));

Deno.test("nobody but the secret key asks for mails, and people not even for their own", async () => {
  const { client } = await createPerson();
  const row = { tenant_id: crypto.randomUUID(), email_id: crypto.randomUUID() };
  const calls: [string, Record<string, unknown>][] = [
    ["notifications_email", row],
    ["notifications_email_sent", { ...row, provider_id: "p" }],
    ["notifications_email_refused", row],
    [
      "notifications_send_auth_emails",
      { call_id: "c", run_id: "r", person: row.email_id, locale: null, emails: [] },
    ],
  ];
  for (const [rpc, args] of calls) {
    assert.equal((await client.rpc(rpc, args)).error?.code, "42501", rpc);
  }
  const { data, error } = await admin().rpc("notifications_email", row);
  assert.deepEqual([data, error], [null, null]);
});
