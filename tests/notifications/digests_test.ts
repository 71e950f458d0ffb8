import assert from "node:assert/strict";
import type postgres from "postgres";
import { must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailsTo, mailTo } from "../support/mail.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";
import { declareKinds, delivered, deliveriesOf, notify } from "./support.ts";

async function createWorld() {
  await declareKinds();
  const tenant = await createTenant({ name: "Film Club" });
  return { tenant, person: await createMember(tenant) };
}

const tell = (
  sql: postgres.Sql,
  person: Person,
  tenant: Tenant,
  left: string,
  options: { thread?: string; expiresIn?: string } = {},
) =>
  notify(sql, person, {
    kind: "notifications.test_daily",
    payload: { left, thread: options.thread ?? left },
    tenant,
    ...(options.expiresIn && { expiresIn: options.expiresIn }),
  });

/** Lets the person's digest be due now, and be made. */
async function compose(sql: postgres.Sql, { id }: Person) {
  await sql`update private.notifications_deliveries set due_at = now()
    where person_id = ${id} and status = 'digest'`;
  await sql`select private.notifications_compose_due()`;
}

const digestsOf = async (person: Person) =>
  (await mailsTo(person.email)).filter(({ tags }) => tags[0]?.value === "notifications_digest");

Deno.test("notices of a day come in one mail, each once, those of a group as one line", () =>
  withDatabase(async (sql) => {
    const { tenant, person } = await createWorld();
    const events = [
      await tell(sql, person, tenant, "1", { thread: "a" }),
      await tell(sql, person, tenant, "2", { thread: "a" }),
      await tell(sql, person, tenant, "3", { thread: "b" }),
    ];
    assert.deepEqual(await mailsTo(person.email), [], "nothing before its time");
    await compose(sql, person);
    const mail = await mailTo(person.email, "notifications.digest");
    assert.equal(mail.subject, "What is new at Film Club");
    assert.match(mail.text, /- A backup code was used \(2\)\n- A backup code was used\n/);
    for (const event of events) {
      assert.equal((await deliveriesOf(sql, event)).email!.status, "digested");
    }
    await compose(sql, person);
    await tell(sql, person, tenant, "4");
    await compose(sql, person);
    await mailTo(person.email, "notifications.digest");
    const lines = (await digestsOf(person)).flatMap(({ text }) => text.match(/^- .*$/gm) ?? []);
    assert.deepEqual(lines.filter((line) => !line.startsWith("- A")), []);
    assert.ok(lines.length <= 3, "nothing is told twice");
  }));

Deno.test("workers that compose at the same time make one digest", () =>
  withDatabase(async (sql) => {
    const { tenant, person } = await createWorld();
    await tell(sql, person, tenant, "1");
    await tell(sql, person, tenant, "2");
    await sql`update private.notifications_deliveries set due_at = now()
      where person_id = ${person.id} and status = 'digest'`;
    await Promise.all(
      Array.from({ length: 6 }, () => sql`select private.notifications_compose_due()`),
    );
    const [row] = await sql`
      select count(*)::int as count from private.notifications_events
      where person_id = ${person.id} and kind = 'notifications.digest'`;
    assert.equal(row!.count, 1);
  }));

Deno.test("what is over, was read or switched off meanwhile is in no digest", () =>
  withDatabase(async (sql) => {
    const { tenant, person } = await createWorld();
    const past = await tell(sql, person, tenant, "1", { expiresIn: "1 millisecond" });
    const read = await tell(sql, person, tenant, "2");
    await must(person.client.rpc("notifications_read", { tenant_id: tenant.id }));
    await compose(sql, person);
    assert.equal((await deliveriesOf(sql, past)).email!.reason, "expired");
    assert.equal((await deliveriesOf(sql, read)).email!.reason, "read");
    const off = await tell(sql, person, tenant, "3");
    await must(person.client.rpc("notifications_choose", {
      tenant_id: tenant.id,
      kind: "notifications.test_daily",
      channel: "email",
      setting: "off",
    }));
    await compose(sql, person);
    assert.equal((await deliveriesOf(sql, off)).email!.reason, "switched_off");
    assert.deepEqual(await mailsTo(person.email), [], "and no empty digest comes");
  }));

Deno.test("a digest whose content ran out while it waited tells the rest", () =>
  withDatabase(async (sql) => {
    const { tenant, person } = await createWorld();
    await tell(sql, person, tenant, "1");
    await tell(sql, person, tenant, "2", { expiresIn: "1 hour" });
    await sql.begin(async (transaction) => {
      const own = transaction as unknown as postgres.Sql;
      await compose(own, person);
      await own`update private.notifications_events set expires_at = now() - interval '1 s'
        where person_id = ${person.id} and expires_at is not null`;
    });
    const { text } = await mailTo(person.email, "notifications.digest");
    assert.equal(text.match(/^- /gm)!.length, 1);
  }));

Deno.test("daily and weekly digests are due at the person's hour, on their clocks", () =>
  withDatabase(async (sql) => {
    const { tenant, person } = await createWorld();
    await must(
      person.client.rpc("people_update_me", { changes: { time_zone: "America/New_York" } }),
    );
    await must(
      person.client.rpc("notifications_set_hours", { digest_at: "18:30", digest_day: 5 }),
    );
    const due = async (setting: string) => {
      await must(person.client.rpc("notifications_choose", {
        tenant_id: tenant.id,
        kind: "notifications.test_daily",
        channel: "email",
        setting,
      }));
      return (await deliveriesOf(sql, await tell(sql, person, tenant, setting))).email!.due_at;
    };
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: "America/New_York",
      weekday: "long",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    const [daily, weekly] = [await due("daily"), await due("weekly")];
    assert.match(format.format(daily), /18:30$/);
    assert.ok(daily.getTime() - Date.now() <= 25 * 3_600_000);
    assert.match(format.format(weekly), /^Friday.*18:30$/);
    assert.ok(weekly.getTime() - Date.now() <= (7 * 24 + 1) * 3_600_000);
  }));

Deno.test("a digest can be switched off like any mail, and choosing all mails daily does not delay it", () =>
  withDatabase(async (sql) => {
    const { tenant, person } = await createWorld();
    const choose = (kind: string, setting: string) =>
      must(person.client.rpc("notifications_choose", {
        tenant_id: tenant.id,
        kind,
        channel: "email",
        setting,
      }));
    await choose("*", "daily");
    await tell(sql, person, tenant, "1");
    await compose(sql, person);
    await mailTo(person.email, "notifications.digest");
    await choose("notifications.digest", "off");
    await tell(sql, person, tenant, "2");
    await compose(sql, person);
    assert.equal((await digestsOf(person)).length, 1);
  }));

Deno.test("a digest's own evidence ends with the content of what it told", () =>
  withDatabase(async (sql) => {
    const { tenant, person } = await createWorld();
    const event = await tell(sql, person, tenant, "1");
    await compose(sql, person);
    const [digest] = await sql`
      select digest_id from private.notifications_deliveries
      where event_id = ${event} and channel = 'email'`;
    await delivered(sql, digest!.digest_id, "sent");
    const [row] = await sql`select payload from private.notifications_events where id = ${event}`;
    assert.deepEqual(row!.payload, {});
  }));

Deno.test("a notice keeps what it says until the digest has left, whatever another channel does", () =>
  withDatabase(async (sql) => {
    const { tenant, person } = await createWorld();
    const event = await notify(sql, person, {
      kind: "notifications.test_named",
      payload: { name: "Mia" },
      tenant,
    });
    await sql.begin(async (transaction) => {
      const own = transaction as unknown as postgres.Sql;
      await own`
        insert into private.notifications_deliveries (
          tenant_id, event_id, channel, person_id, kind, status
        )
        values (${tenant.id}, ${event}, 'push', ${person.id}, 'notifications.test_named', 'waiting')`;
      await compose(own, person);
      await own`select public.notifications_settle(${
        own.json([{ tenant_id: tenant.id, event_id: event, channel: "push", status: "sent" }])
      })`;
    });
    const { text } = await mailTo(person.email, "notifications.digest");
    assert.match(text, /^- Mia wrote to you$/m);
  }));
