import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import { must } from "../support/answers.ts";
import { admin, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { inDays } from "../support/events.ts";
import { mailsTo, mailTo } from "../support/mail.ts";
import type { Tenant } from "../support/tenants.ts";
import { createCircle, does, type Post } from "./support.ts";

/** What the worker does for a tenant when the digests are due. */
const send = ({ id: tenant_id }: Tenant, due_at = new Date().toISOString()) =>
  must(admin().rpc("groups_send_digests", { tenant_id, due_at }));

const digests = (tenant: Tenant, { id }: Person) =>
  withDatabase(async (sql) => {
    const rows = await sql<{ count: number }[]>`
      select count(*)::int from private.notifications_events
      where tenant_id = ${tenant.id} and person_id = ${id} and kind = 'groups.digest'`;
    return rows[0]!.count;
  });

Deno.test("a digest tells what is new in one mail, once, and not what its reader wrote", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("private");
  const post = (title: string) =>
    does<Post>(ana, tenant, "post", { group_id: group.id, title, body: "x" });
  await post("Seeds");
  await post("Spades");
  const gone = await post("Gone");
  await does(ana, tenant, "delete", { post_id: gone.id });
  const due = new Date().toISOString();
  // Two workers with the same job tell it once.
  await Promise.all([send(tenant, due), send(tenant, due)]);
  await send(tenant);
  const mail = await mailTo(ben.email, "groups.digest");
  ok(mail.text.includes("Gardeners: Spades (2)"), mail.text);
  ok(!mail.text.includes("Gone"));
  assertEquals(
    [await digests(tenant, ana), await digests(tenant, ben), await digests(tenant, carl)],
    [0, 1, 0],
  );
  await post("Later");
  await send(tenant);
  assertEquals(await digests(tenant, ben), 2);
});

Deno.test("who wants no digests of a group, or blocked its author, gets none", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("public");
  await does(carl, tenant, "join", { group_id: group.id });
  await must(
    ben.client.rpc("notifications_choose", {
      tenant_id: tenant.id,
      kind: "groups.digest",
      channel: "email",
      setting: "off",
      scope: group.id,
    }),
  );
  await must(
    carl.client.rpc("messaging_block", { tenant_id: tenant.id, person: ana.id, blocked: true }),
  );
  await does(ana, tenant, "post", { group_id: group.id, title: "Seeds", body: "x" });
  await send(tenant);
  assertEquals([await digests(tenant, ben), await digests(tenant, carl)], [0, 0]);
  assertEquals((await mailsTo(ben.email)).length, 0);
});

Deno.test("the digests are due on Monday at nine where the tenant lives", async () => {
  const { tenant } = await createCircle("public");
  await withDatabase(async (sql) => {
    const [schedule] = await sql<{ command: string }[]>`
      select command from private.jobs_schedules where name = 'groups-digests'`;
    const [, cron = ""] = /'groups-digests', '([^']+)', 'groups.digest'/.exec(schedule!.command)!;
    const [time] = await sql<{ local: string }[]>`
      select to_char(private.next_time(${cron}, 'Asia/Kolkata') at time zone 'Asia/Kolkata', 'D HH24:MI') as local`;
    assertEquals(time!.local, "2 09:00");
    // A switched-off module has no digests.
    const closed = () => sql`select private.jobs_closed(${tenant.id}, 'groups.digest') as closed`;
    assertEquals((await closed())[0]!.closed, false);
    await sql`update tenants set modules = '{}' where id = ${tenant.id}`;
    assertEquals((await closed())[0]!.closed, true);
  });
});

Deno.test("a digest names what takes place in the week after it, and nothing that is over", async () => {
  const { tenant, ana, ben, group } = await createCircle("private");
  await withDatabase((sql) =>
    sql`update tenants set modules = modules || '{events}' where id = ${tenant.id}`
  );
  for (const [title, days] of [["Soon", 3], ["Later", 20], ["Over", 5]] as const) {
    await must(
      ana.client.rpc("events_create", {
        tenant_id: tenant.id,
        title,
        group_id: group.id,
        starts_local: inDays(days),
      }),
    );
  }
  await withDatabase((sql) =>
    sql`update events_occurrences o set starts_at = now() - interval '2 hours', ends_at = now()
      from events e where e.id = o.event_id and e.title = 'Over' and e.tenant_id = ${tenant.id}`
  );
  await send(tenant);
  const { text } = await mailTo(ben.email, "groups.digest");
  assertEquals(["Soon", "Later", "Over"].map((title) => text.includes(title)), [
    true,
    false,
    false,
  ]);
});
