import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { createMember } from "../support/tenants.ts";
import {
  block,
  catchUp,
  createGroup,
  createPair,
  createTalkingTenant,
  draft,
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
