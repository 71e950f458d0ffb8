import assert from "node:assert/strict";
import type postgres from "postgres";
import { must } from "../support/answers.ts";
import { createPerson, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailsTo, mailTo } from "../support/mail.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import { declareKinds, delivered, deliveriesOf, notify } from "./support.ts";

/** Hours of quiet that have begun an hour ago, or that are over for an hour, on the person's clocks. */
function hoursAround(zone: string, quiet: boolean): { quiet_from: string; quiet_until: string } {
  const at = (hours: number) =>
    new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" })
      .format(Date.now() + hours * 3_600_000);
  return quiet
    ? { quiet_from: at(-1), quiet_until: at(2) }
    : { quiet_from: at(-3), quiet_until: at(-1) };
}

const setHours = (person: Person, hours: Record<string, unknown>) =>
  must(person.client.rpc("notifications_set_hours", hours));

const quietUntil = async (
  sql: postgres.Sql,
  { id }: Pick<Person, "id">,
  at: string,
): Promise<string | null> => {
  const [row] = await sql`
    select private.notifications_quiet_until(${id}, private.platform(), ${at}) as until`;
  return (row!.until as Date | null)?.toISOString() ?? null;
};

Deno.test("quiet hours are the person's own clocks', over midnight and through changes of the clock", async () => {
  const person = await createPerson();
  await must(person.client.rpc("people_update_me", { changes: { time_zone: "Europe/Zurich" } }));
  await setHours(person, { quiet_from: "22:00", quiet_until: "07:00" });
  await withDatabase(async (sql) => {
    const cases: [string, string | null][] = [
      ["2026-01-10T20:59:00Z", null],
      ["2026-01-10T21:00:00Z", "2026-01-11T06:00:00.000Z"],
      ["2026-01-11T05:59:00Z", "2026-01-11T06:00:00.000Z"],
      ["2026-01-11T06:00:00Z", null],
      // Summer time begins in the night: the same wall clock, an hour earlier.
      ["2026-03-28T22:00:00Z", "2026-03-29T05:00:00.000Z"],
      ["2026-10-24T21:00:00Z", "2026-10-25T06:00:00.000Z"],
    ];
    for (const [at, until] of cases) assert.equal(await quietUntil(sql, person, at), until, at);
  });
  await setHours(person, { quiet_from: "12:00", quiet_until: "13:00" });
  await withDatabase(async (sql) => {
    assert.equal(await quietUntil(sql, person, "2026-01-10T11:30:00Z"), "2026-01-10T12:00:00.000Z");
    assert.equal(await quietUntil(sql, person, "2026-01-10T12:00:00Z"), null);
  });
  await setHours(person, {});
  await withDatabase(async (sql) => {
    assert.equal(await quietUntil(sql, person, "2026-01-10T11:30:00Z"), null);
  });
});

Deno.test("what comes in quiet hours is held, not dropped, and sent when they are over", async () => {
  await declareKinds();
  const tenant = await createTenant({ time_zone: "Pacific/Auckland" });
  const person = await createMember(tenant);
  await setHours(person, hoursAround("Pacific/Auckland", true));
  await withDatabase(async (sql) => {
    const event = await notify(sql, person, { kind: "notifications.test_mail", tenant });
    const { email, inbox } = await deliveriesOf(sql, event);
    assert.equal(email!.status, "held");
    const hours = (email!.due_at.getTime() - Date.now()) / 3_600_000;
    assert.ok(hours > 1.9 && hours <= 2, `${hours} hours`);
    assert.equal(inbox!.status, "sent", "the inbox wakes nobody");
    await sql`select private.notifications_release()`;
    assert.deepEqual(await mailsTo(person.email), []);
    await setHours(person, hoursAround("Pacific/Auckland", false));
    await sql`select private.notifications_release()`;
    await delivered(sql, event, "sent");
    assert.ok(await mailTo(person.email, "notifications.digest"));
  });
});

Deno.test("security mail is exempt from quiet hours", async () => {
  const person = await createPerson();
  await setHours(person, hoursAround("UTC", true));
  await withDatabase(async (sql) => {
    await delivered(sql, await notify(sql, person), "sent");
  });
});

Deno.test("what waited for a provider is held again where it would come in quiet hours", async () => {
  await declareKinds();
  const tenant = await createTenant();
  const person = await createMember(tenant);
  await withDatabase(async (sql) => {
    const event = await sql.begin(async (transaction) => {
      const id = await notify(transaction as unknown as postgres.Sql, person, {
        kind: "notifications.test_mail",
        tenant,
      });
      const { quiet_from, quiet_until } = hoursAround("UTC", true);
      await transaction`
        insert into private.notifications_hours (person_id, quiet_from, quiet_until)
        values (${person.id}, ${quiet_from}, ${quiet_until})`;
      return id;
    });
    await delivered(sql, event, "held");
    assert.deepEqual(await mailsTo(person.email), []);
  });
});

Deno.test("what waits follows its reader into another time zone, and to other hours", async () => {
  await declareKinds();
  const tenant = await createTenant();
  const person = await createMember(tenant);
  const moveTo = (time_zone: string) =>
    must(person.client.rpc("people_update_me", { changes: { time_zone } }));
  await moveTo("Asia/Tokyo");
  await setHours(person, { ...hoursAround("Asia/Tokyo", true), digest_at: "06:00" });
  await withDatabase(async (sql) => {
    const held = await notify(sql, person, { kind: "notifications.test_mail", tenant });
    const daily = await notify(sql, person, { kind: "notifications.test_named", tenant });
    const localTime = async (zone: string) => {
      const { email } = await deliveriesOf(sql, daily);
      return email!.due_at.toLocaleTimeString("en-GB", { timeZone: zone });
    };
    assert.equal((await deliveriesOf(sql, held)).email!.status, "held");
    assert.equal(await localTime("Asia/Tokyo"), "06:00:00");
    await moveTo("America/Los_Angeles");
    await sql`select private.notifications_release()`;
    await delivered(sql, held, "sent");
    assert.equal(await localTime("America/Los_Angeles"), "06:00:00");
    await setHours(person, { digest_at: "19:30" });
    assert.equal(await localTime("America/Los_Angeles"), "19:30:00");
  });
});
