import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import { must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import { block, createGroup, createPair, createTalkingTenant, markRead, send } from "./support.ts";

/** Tells everybody who waits in this tenant, as the clock does a few seconds later. */
async function tellWaiting(tenant: Tenant): Promise<void> {
  await withDatabase(async (sql) => {
    await sql`
      update private.messaging_waiting set due_at = now() - interval '1 second' where tenant_id = ${tenant.id}`;
    await until(async () => {
      await sql`select private.messaging_notify_waiting()`;
      const [row] = await sql`
        select count(*)::int as count from private.messaging_waiting
        where tenant_id = ${tenant.id} and due_at < now()`;
      return row!.count === 0;
    });
  });
}

const told = (tenant: Tenant, { id }: Person) =>
  withDatabase(async (sql) => {
    const rows = await sql<{ kind: string; payload: Record<string, unknown> }[]>`
      select kind, payload from private.notifications_events
      where tenant_id = ${tenant.id} and person_id = ${id} order by id`;
    return rows.map(({ kind, payload }) => ({ kind, payload }));
  });

Deno.test("who has no device at hand is told once, and never what was said", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const first = await send(ana, tenant, conversation, { body: "a secret" });
  await send(ana, tenant, conversation, { body: "another secret" });
  await tellWaiting(tenant);
  const events = await told(tenant, ben);
  assertEquals(events.map(({ kind, payload }) => [kind, payload.message_id]), [
    ["messaging.message", first.id],
  ]);
  ok(!JSON.stringify(events).includes("secret"));
  assertEquals(await told(tenant, ana), []);
});

Deno.test("nobody is told of what arrived, was deleted, muted or blocked; a mention breaks a mute", async () => {
  const tenant = await createTalkingTenant();
  const [ana, arrived, muted, blocker, called] = await Promise.all(
    Array.from({ length: 5 }, () => createMember(tenant)),
  ) as [Person, Person, Person, Person, Person];
  const group = await createGroup(tenant, ana, arrived, muted, blocker, called);
  await withDatabase((sql) =>
    sql`delete from private.messaging_waiting where tenant_id = ${tenant.id}`
  );
  const inGroup = { tenant_id: tenant.id, conversation_id: group };
  const until = new Date(Date.now() + 3600_000).toISOString();
  for (const { client } of [muted, called]) {
    await must(client.rpc("messaging_mute", { ...inGroup, until }));
  }
  await block(blocker, tenant, ana);
  const { id, seq } = await send(ana, tenant, group, { mentions: [called.id] });
  await must(arrived.client.rpc("messaging_mark_delivered", { ...inGroup, seq }));
  await tellWaiting(tenant);
  const kinds = async (person: Person) =>
    (await told(tenant, person)).map(({ kind, payload }) => [kind, payload.message_id]);
  assertEquals(await Promise.all([arrived, muted, blocker, called].map(kinds)), [
    [],
    [],
    [],
    [["messaging.mention", id]],
  ]);
  const gone = await send(ana, tenant, group);
  await must(
    ana.client.rpc("messaging_delete", {
      tenant_id: tenant.id,
      message_id: gone.id,
      for_all: true,
    }),
  );
  await tellWaiting(tenant);
  assertEquals(await kinds(arrived), []);
});

Deno.test("who deletes at once and says it better is told of by what they said then", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const typo = await send(ana, tenant, conversation, { body: "Hlelo" });
  const better = await send(ana, tenant, conversation, { body: "Hello" });
  await must(
    ana.client.rpc("messaging_delete", {
      tenant_id: tenant.id,
      message_id: typo.id,
      for_all: true,
    }),
  );
  await tellWaiting(tenant);
  assertEquals((await told(tenant, ben)).map(({ payload }) => payload.message_id), [better.id]);
});

Deno.test("a device that had the first of two messages says nothing of the second", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const first = await send(ana, tenant, conversation);
  const second = await send(ana, tenant, conversation);
  const upTo = { tenant_id: tenant.id, conversation_id: conversation };
  await must(ben.client.rpc("messaging_mark_delivered", { ...upTo, seq: first.seq }));
  await tellWaiting(tenant);
  assertEquals((await told(tenant, ben)).map(({ payload }) => payload.message_id), [second.id]);
});

Deno.test("a weekly digest still tells of Monday's message, unless it was read since", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const group = await createGroup(tenant, ana, ben);
  await must(ben.client.rpc("notifications_choose", {
    tenant_id: tenant.id,
    kind: "messaging.message",
    channel: "email",
    setting: "weekly",
  }));
  await tellWaiting(tenant);
  const read = await send(ana, tenant, conversation);
  const unread = await send(ana, tenant, group);
  await tellWaiting(tenant);
  await markRead(ben, tenant, conversation, read.seq);
  await withDatabase(async (sql) => {
    const [late] = await sql`
      select count(*)::int as count
      from private.notifications_events e
      join private.notifications_deliveries d on d.tenant_id = e.tenant_id and d.event_id = e.id
      where e.tenant_id = ${tenant.id} and e.person_id = ${ben.id} and e.expires_at <= d.due_at`;
    assertEquals(late!.count, 0, "none runs out before its digest");
    await sql`
      update private.notifications_deliveries set due_at = now()
      where tenant_id = ${tenant.id} and person_id = ${ben.id} and status = 'digest'`;
    await sql`select private.notifications_compose(${tenant.id}, ${ben.id})`;
    const rows = await sql`
      select e.payload ->> 'about' as about, d.status, d.reason
      from private.notifications_events e
      join private.notifications_deliveries d
        on d.tenant_id = e.tenant_id and d.event_id = e.id and d.channel = 'email'
      where e.tenant_id = ${tenant.id} and e.person_id = ${ben.id}
        and e.about = any (${[read, unread].map(({ id }) => `messaging_messages:${id}`)})
      order by e.id`;
    assertEquals(rows.map(({ status, reason }) => [status, reason]), [
      ["skipped", "outdated"],
      ["digested", null],
    ]);
  });
});
