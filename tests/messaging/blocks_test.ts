import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember } from "../support/tenants.ts";
import {
  block,
  catchUp,
  createGroup,
  createPair,
  createTalkingTenant,
  draft,
  listen,
  type Message,
  page,
  send,
  unread,
} from "./support.ts";

Deno.test("of two who blocked each other neither reaches the other, and what was said stays", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const said = await send(ana, tenant, conversation);
  await block(ben, tenant, ana);
  for (const me of [ana, ben]) {
    await assertRefused(
      me.client.rpc("messaging_send", draft(tenant, conversation)),
      403,
      "messaging.blocked",
    );
  }
  await assertRefused(
    ana.client.rpc("messaging_edit", { tenant_id: tenant.id, message_id: said.id, body: "x" }),
    403,
    "messaging.blocked",
  );
  assertEquals((await page(ana, tenant, conversation)).length, 1);
  assertEquals(await page(ben, tenant, conversation), []);
  await block(ben, tenant, ana, false);
  assertEquals((await page(ben, tenant, conversation)).length, 1);
  await send(ana, tenant, conversation);
});

Deno.test("in a group the blocked are not read, counted, mentioned, found or caught up on", async () => {
  const tenant = await createTalkingTenant();
  const [ana, ben, carl] = await Promise.all(
    Array.from({ length: 3 }, () => createMember(tenant)),
  ) as [Person, Person, Person];
  const group = await createGroup(tenant, carl, ana, ben);
  const start = (await unread(ana, tenant)).position;
  await send(ben, tenant, group, { body: "needle before" });
  assertEquals((await unread(ana, tenant)).unread, 2);
  await block(ana, tenant, ben);
  assertEquals((await unread(ana, tenant)).unread, 1);

  const blocked = await send(ben, tenant, group, {
    body: "needle after",
    mentions: [ana.id, carl.id],
  });
  assertEquals(blocked.mentions, [carl.id]);
  const heard = await send(carl, tenant, group, { body: "needle from Carl" });
  assertEquals((await unread(ana, tenant)).unread, 2);
  assertEquals((await page(ana, tenant, group)).map(({ body, kind }) => body ?? kind), [
    "needle from Carl",
    "group_created",
  ]);
  const search = ({ client }: Person) =>
    must<Message[]>(client.rpc("messaging_search", { tenant_id: tenant.id, query: "needle" }));
  assertEquals((await search(ana)).map(({ id }) => id), [heard.id]);
  assertEquals((await search(carl)).length, 3);
  assertEquals(
    (await catchUp(ana, tenant, start)).map(({ message_id }) => message_id),
    [heard.id],
  );
  const [listed] = await must<Record<string, unknown>[]>(
    ana.client.rpc("messaging_list", { tenant_id: tenant.id }),
  );
  assertEquals([listed!.last_message_id, listed!.unread], [heard.id, 2]);

  await block(ana, tenant, ben, false);
  assertEquals((await unread(ana, tenant)).unread, 4);
  assertEquals((await search(ana)).length, 3);
});

Deno.test("of two of whom one blocked the other neither finds the other in the directory", async () => {
  const { tenant, ana, ben } = await createPair();
  const carl = await createMember(tenant);
  const found = async ({ client }: Person) => {
    const call = client.rpc("members_directory", { tenant_id: tenant.id });
    return (await must<{ person_id: string }[]>(call)).map(({ person_id }) => person_id).sort();
  };
  const all = [ana.id, ben.id, carl.id].sort();
  assertEquals(await found(ana), all);
  await block(ana, tenant, ben);
  assertEquals(await found(ana), all.filter((id) => id !== ben.id));
  assertEquals(await found(ben), all.filter((id) => id !== ana.id));
  assertEquals(await found(carl), all);
  await block(ana, tenant, ben, false);
  assertEquals(await found(ben), all);
});

Deno.test("who ends a block catches up on what it kept from them: new, edited and deleted", async () => {
  const tenant = await createTalkingTenant();
  const [ana, ben, carl] = await Promise.all(
    Array.from({ length: 3 }, () => createMember(tenant)),
  ) as [Person, Person, Person];
  const group = await createGroup(tenant, carl, ana, ben);
  const act = (name: string, message_id: string, more: Record<string, unknown>) =>
    must(ben.client.rpc(name, { tenant_id: tenant.id, message_id, ...more }));
  const [edited, deleted, kept] = [
    await send(ben, tenant, group, { body: "old words" }),
    await send(ben, tenant, group),
    await send(ben, tenant, group),
  ];
  await block(ana, tenant, ben);
  const { position } = await unread(ana, tenant);
  const missed = await send(ben, tenant, group, { body: "missed" });
  await act("messaging_edit", edited.id, { body: "new words" });
  await act("messaging_delete", deleted.id, { for_all: true });
  const heard = await send(carl, tenant, group);
  await using ears = await listen(ana, `private-user-${ana.id}`);
  await block(ana, tenant, ben, false);
  const [told] = await ears.wait("messaging:block");
  const changes = await catchUp(ana, tenant, position);
  assertEquals(
    changes.map(({ event, message_id, message }) => [event, message_id, message!.body]),
    [
      ["message:new", heard.id, "Hello"],
      ["message:new", missed.id, "missed"],
      ["message:edited", edited.id, "new words"],
      ["message:deleted", deleted.id, null],
    ],
  );
  assertEquals(changes.map((change) => change.position), [1, 2, 3, 4].map((n) => position + n));
  assertEquals([told!.position, told!.person_id], [position + 4, ben.id]);
  assertEquals((await catchUp(ana, tenant)).filter((one) => one.message_id === kept.id).length, 1);
});

Deno.test("who ends a block after more than can be told one by one reads anew", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  await block(ben, tenant, ana);
  const { position } = await unread(ben, tenant);
  await withDatabase((sql) =>
    sql`update private.messaging_people set pruned_to = 1
      where tenant_id = ${tenant.id} and person_id = ${ana.id}`
  );
  await block(ben, tenant, ana, false);
  await assertRefused(
    ben.client.rpc("messaging_catch_up", { tenant_id: tenant.id, since: position }),
    410,
    "messaging.cursor_expired",
  );
  assertEquals(await catchUp(ben, tenant, (await unread(ben, tenant)).position), []);
  await send(ana, tenant, conversation);
  assertEquals((await catchUp(ben, tenant, position + 1)).length, 1);
});

Deno.test("a block is its owner's secret, and nobody blocks themselves", async () => {
  const { tenant, ana, ben } = await createPair();
  await block(ana, tenant, ben);
  await block(ana, tenant, ben);
  const seen = ({ client }: Person) => must<unknown[]>(client.from("messaging_blocks").select());
  assertEquals([(await seen(ana)).length, (await seen(ben)).length], [1, 0]);
  const call = (options: Record<string, unknown>) =>
    ana.client.rpc("messaging_block", {
      tenant_id: tenant.id,
      person: ben.id,
      blocked: true,
      ...options,
    });
  await assertRefused(call({ person: ana.id }), 422, "request.invalid");
  await assertRefused(call({ blocked: null }), 422, "request.invalid");
  await assertRefused(call({ person: crypto.randomUUID() }), 404, "members.not_found");
});
