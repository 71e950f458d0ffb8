import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { must } from "../support/answers.ts";
import { admin, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import {
  block,
  catchUp,
  type Conversation,
  createGroup,
  createPair,
  createTalkingTenant,
  markRead,
  page,
  send,
  unread,
} from "./support.ts";

const setRetention = (
  { client }: Person,
  tenant: Tenant,
  conversation_id: string,
  days: number | null,
) =>
  must<Conversation>(
    client.rpc("messaging_set_retention", { tenant_id: tenant.id, conversation_id, days }),
  );

const backdate = (conversation: string, upto: number, days: number) =>
  withDatabase((sql) =>
    sql`
      update messaging_messages set created_at = created_at - make_interval(days => ${days})
      where conversation_id = ${conversation} and seq <= ${upto}`
  );

Deno.test("a conversation forgets what is older than it remembers, and its members see how long that is", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  for (let n = 0; n < 4; n++) await send(ana, tenant, conversation, { body: `old ${n}` });
  await setRetention(ana, tenant, conversation, 7);
  await setRetention(ana, tenant, conversation, 7);
  const [told] = await page(ben, tenant, conversation);
  assertEquals([told!.kind, told!.seq], ["retention_changed", 5]);
  const [seen] = await must<Conversation[]>(ben.client.from("messaging_conversations").select());
  assertEquals(seen!.retention_days, 7);
  await send(ana, tenant, conversation, { body: "new" });
  assertEquals((await unread(ben, tenant)).unread, 6);

  await backdate(conversation, 3, 8);
  await withDatabase((sql) => sql`select private.messaging_forget_old()`);
  const left = await until(async () => {
    const messages = await page(ben, tenant, conversation, { after: 0 });
    return messages.length === 3 ? messages : undefined;
  }, { timeout: 30_000 });
  assertEquals(left.map(({ seq }) => seq), [4, 5, 6]);
  assertEquals((await unread(ben, tenant)).unread, 3);
  assertEquals((await markRead(ben, tenant, conversation, 6)).unread_total, 0);
  await withDatabase(async (sql) => {
    const [row] =
      await sql`select removed_seq from messaging_conversations where id = ${conversation}`;
    assertEquals(Number(row!.removed_seq), 3);
  });
  assertEquals((await setRetention(ben, tenant, conversation, null)).retention_days, null);
});

Deno.test("a tenant's conversations begin with the memory it wants", async () => {
  const tenant = await createTalkingTenant({ retention_days: 30 });
  const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]);
  const opened = await must<Conversation>(
    ana.client.rpc("messaging_open", { tenant_id: tenant.id, person: ben.id }),
  );
  assertEquals(opened.retention_days, 30);
});

Deno.test("whoever leaves the tenant is in no group any more; of two the other keeps what was said", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const group = await createGroup(tenant, ben, ana);
  await send(ben, tenant, conversation);
  await send(ben, tenant, group);
  await must(ana.client.rpc("members_leave", { tenant_id: tenant.id }));
  const there = await must<{ person_id: string }[]>(
    ben.client.from("messaging_members").select("person_id").eq("conversation_id", group)
      .is("left_at", null),
  );
  assertEquals(there.map(({ person_id }) => person_id), [ben.id]);
  assertEquals((await page(ben, tenant, conversation)).length, 1);
  assertEquals(await must(ana.client.from("messaging_messages").select()), []);
  await must(
    ben.client.rpc("messaging_block", { tenant_id: tenant.id, person: ana.id, blocked: true }),
  );
});

Deno.test("erased with their login, a person has said nothing", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  await send(ana, tenant, conversation, { body: "my secret" });
  const mine = await send(ben, tenant, conversation, { body: "my answer" });
  await must(
    ana.client.rpc("messaging_remind", {
      tenant_id: tenant.id,
      message_id: mine.id,
      at: new Date(Date.now() + 3600_000).toISOString(),
    }),
  );
  await block(ana, tenant, ben);
  await must(admin().auth.admin.deleteUser(ana.id));
  assertEquals((await page(ben, tenant, conversation)).map(({ body }) => body), [
    "my answer",
    null,
  ]);
  const changes = await catchUp(ben, tenant);
  assertEquals(changes.map(({ event }) => event), [
    "message:deleted",
    "message:new",
    "messaging:erased",
  ]);
  // A device that had caught up before is told so by one change, whatever there was.
  assertEquals(changes.at(-1)!.message!.sender_id, ana.id);
  assertEquals((await unread(ben, tenant)).position, changes.at(-1)!.position);
  await withDatabase(async (sql) => {
    for (const table of ["schedules", "hidden", "receipts", "blocks", "preferences", "inbox"]) {
      const rows = await sql`select from ${sql(`messaging_${table}`)} where person_id = ${ana.id}`;
      assertEquals(rows.length, 0, table);
    }
    const [row] = await sql`
      select count(*)::int as count from messaging_messages where body like '%secret%' and tenant_id = ${tenant.id}`;
    assertEquals(row!.count, 0);
  });
});
