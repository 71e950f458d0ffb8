import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { createMember, type Tenant } from "../support/tenants.ts";
import {
  block,
  createGroup,
  createPair,
  createTalkingTenant,
  listen,
  markRead,
  type Progress,
  send,
  unread,
} from "./support.ts";

interface Receipt {
  person_id: string;
  kind: string;
  seq: number;
  at: string;
}

const receipts = async ({ client }: Person, conversation: string) => (await must<Receipt[]>(
  client.from("messaging_receipts").select("person_id, kind, seq, at")
    .eq("conversation_id", conversation).order("seq"),
));

const delivered = ({ client }: Person, tenant: Tenant, conversation_id: string, seq: number) =>
  must<Progress>(
    client.rpc("messaging_mark_delivered", { tenant_id: tenant.id, conversation_id, seq }),
  );

Deno.test("unread messages are counted in each conversation and in all", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const group = await createGroup(tenant, ana, ben);
  for (let n = 0; n < 3; n++) await send(ana, tenant, conversation);
  await send(ana, tenant, group);
  // The group's beginning counts: it is news for Ben.
  assertEquals((await unread(ben, tenant)).unread, 5);
  assertEquals((await unread(ana, tenant)).unread, 0);
  assertEquals(await markRead(ben, tenant, conversation, 2), {
    conversation_id: conversation,
    read_seq: 2,
    delivered_seq: 2,
    unread: 1,
    unread_total: 3,
  });
  // Never back, never beyond the end.
  assertEquals((await markRead(ben, tenant, conversation, 1)).read_seq, 2);
  assertEquals((await markRead(ben, tenant, conversation, 99)).read_seq, 3);
  assertEquals((await unread(ben, tenant)).unread, 2);
});

Deno.test("one's own messages are never unread, whatever was unread before them", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  await send(ana, tenant, conversation);
  await send(ben, tenant, conversation);
  await send(ben, tenant, conversation);
  await send(ana, tenant, conversation);
  assertEquals((await unread(ben, tenant)).unread, 2);
  assertEquals((await markRead(ben, tenant, conversation, 2)).unread, 1);
  assertEquals((await markRead(ben, tenant, conversation, 4)).unread, 0);
  assertEquals((await unread(ana, tenant)).unread, 2);
});

Deno.test("receipts say when a message was there and when it was read, offline too", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const first = await send(ana, tenant, conversation);
  await send(ana, tenant, conversation);
  await delivered(ben, tenant, conversation, 2);
  const read = (seq: number, at: string) =>
    must(ben.client.rpc("messaging_mark_read", {
      tenant_id: tenant.id,
      conversation_id: conversation,
      seq,
      at,
    }));
  // Read in a tunnel a moment after it was written; later reported with a clock that is wrong.
  const inTunnel = new Date(Date.parse(first.created_at) + 5).toISOString();
  await read(1, inTunnel);
  await read(2, new Date(Date.now() + 86_400_000).toISOString());
  const found = await receipts(ana, conversation);
  assertEquals(
    found.map(({ person_id, kind, seq }) => [person_id, kind, seq]).toSorted(),
    [[ben.id, "delivered", 2], [ben.id, "read", 1], [ben.id, "read", 2]].toSorted(),
  );
  const at = (kind: string, seq: number) =>
    Date.parse(found.find((one) => one.kind === kind && one.seq === seq)!.at);
  assertEquals(at("read", 1), Date.parse(inTunnel));
  assertEquals(at("read", 2) <= Date.now(), true);
  const third = await send(ana, tenant, conversation);
  await read(3, "2001-01-01T00:00:00Z");
  const last = (await receipts(ana, conversation)).find((one) => one.seq === 3)!;
  assertEquals(Date.parse(last.at), Date.parse(third.created_at));
});

Deno.test("who switched receipts off leaves none, and still counts what they read", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  await must(
    ben.client.rpc("messaging_set_preferences", { tenant_id: tenant.id, receipts: false }),
  );
  await using heard = await listen(ana, `private-user-${ana.id}`);
  await using own = await listen(ben, `private-user-${ben.id}`);
  await using shared = await listen(ana, `presence-conversation-${conversation}`);
  await send(ana, tenant, conversation);
  await delivered(ben, tenant, conversation, 1);
  assertEquals((await markRead(ben, tenant, conversation, 1)).unread, 0);
  // Their other devices learn it, so what others would have heard has been sent before.
  await own.wait("receipt:read");
  await send(ben, tenant, conversation, { body: "after" });
  await heard.wait("message:new", 2);
  await shared.wait("message:new", 2);
  const told = [...heard.heard, ...shared.heard].filter(({ event }) => event.startsWith("receipt"));
  assertEquals([await receipts(ana, conversation), told], [[], []]);
  await must(ben.client.rpc("messaging_set_preferences", { tenant_id: tenant.id, receipts: true }));
  await send(ana, tenant, conversation);
  await markRead(ben, tenant, conversation, 3);
  assertEquals((await receipts(ana, conversation)).map(({ seq }) => seq), [3]);
});

Deno.test("of two who blocked each other neither learns how far the other has read", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  await using heard = await listen(ana, `private-user-${ana.id}`);
  await using own = await listen(ben, `private-user-${ben.id}`);
  await using shared = await listen(ana, `presence-conversation-${conversation}`);
  await send(ana, tenant, conversation);
  await block(ben, tenant, ana);
  await delivered(ben, tenant, conversation, 1);
  await own.wait("receipt:delivered");
  await block(ben, tenant, ana, false);
  await send(ben, tenant, conversation);
  await heard.wait("message:new", 2);
  await shared.wait("message:new", 2);
  const told = [...heard.heard, ...shared.heard].filter(({ event }) => event.startsWith("receipt"));
  assertEquals([await receipts(ana, conversation), told], [[], []]);
});

Deno.test("a receipt is heard by the other of two, in a group on its channel", async () => {
  const tenant = await createTalkingTenant();
  const [ana, ben, carl] = await Promise.all(
    Array.from({ length: 3 }, () => createMember(tenant)),
  ) as [Person, Person, Person];
  const group = await createGroup(tenant, ana, ben, carl);
  await using channel = await listen(carl, `presence-conversation-${group}`);
  await using own = await listen(carl, `private-user-${carl.id}`);
  await delivered(ben, tenant, group, 1);
  await markRead(ben, tenant, group, 1);
  const [read] = await channel.wait("receipt:read");
  const { id: _, at: __, ...rest } = read!;
  assertEquals(rest, { tenant_id: tenant.id, conversation_id: group, person_id: ben.id, seq: 1 });
  assertEquals(channel.named("receipt:delivered").length, 1);
  assertEquals(own.heard, []);
});
