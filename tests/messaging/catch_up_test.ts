import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember } from "../support/tenants.ts";
import {
  catchUp,
  type Change,
  createGroup,
  createPair,
  createTalkingTenant,
  send,
  unread,
} from "./support.ts";

Deno.test("what changed while one was away comes in order, each message once, as it is now", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const before = (await unread(ben, tenant)).position;
  const act = (name: string, message_id: string, more = {}) =>
    must(ana.client.rpc(name, { tenant_id: tenant.id, message_id, ...more }));
  const [kept, edited, deleted] = [
    await send(ana, tenant, conversation, { body: "kept" }),
    await send(ana, tenant, conversation, { body: "first words" }),
    await send(ana, tenant, conversation, { body: "gone" }),
  ];
  await act("messaging_edit", edited.id, { body: "other words" });
  await act("messaging_delete", deleted.id, { for_all: true });
  await act("messaging_edit", edited.id, { body: "last words" });
  const mine = await send(ben, tenant, conversation, { body: "mine" });

  const changes = await catchUp(ben, tenant, before);
  assertEquals(
    changes.map(({ event, message_id, message }) => [event, message_id, message!.body]),
    [
      ["message:new", kept.id, "kept"],
      ["message:deleted", deleted.id, null],
      ["message:edited", edited.id, "last words"],
      ["message:new", mine.id, "mine"],
    ],
  );
  assertEquals(changes.at(-1)!.position, (await unread(ben, tenant)).position);
  assertEquals(await catchUp(ben, tenant, changes.at(-1)!.position), []);
  // Pages of one are the same as a page of all.
  assertEquals(await catchUp(ben, tenant, before, 1), changes);
});

Deno.test("while many send in many conversations, who catches up misses nothing and hears nothing twice", async () => {
  const tenant = await createTalkingTenant();
  const people = await Promise.all(Array.from({ length: 4 }, () => createMember(tenant)));
  const reader = await createMember(tenant);
  const groups = await Promise.all(
    people.map((person) =>
      createGroup(tenant, person, reader, ...people.filter((other) => other !== person))
    ),
  );
  let sending = true;
  const seen: Change[] = [];
  const reading = (async () => {
    for (;;) {
      const last = !sending;
      seen.push(...await catchUp(reader, tenant, seen.at(-1)?.position ?? 0, 7));
      if (last) return;
    }
  })();
  const sent = await Promise.all(people.map(async (person, n) => {
    const ids: string[] = [];
    for (let round = 0; round < 15; round++) {
      ids.push((await send(person, tenant, groups[(n + round) % groups.length]!)).id);
    }
    return ids;
  }));
  sending = false;
  await reading;
  const texts = seen.filter(({ message }) => message?.kind === "text");
  const heard = texts.map(({ message_id }) => message_id);
  assertEquals(new Set(heard).size, heard.length);
  assertEquals(heard.toSorted(), sent.flat().toSorted());
  const positions = seen.map(({ position }) => position);
  assertEquals(positions, Array.from({ length: positions.length }, (_, n) => n + 1));
  // In each conversation they come in its own order.
  for (const group of groups) {
    const numbers = seen.filter((change) => change.conversation_id === group)
      .map(({ message }) => message!.seq);
    assertEquals(numbers, numbers.toSorted((a, b) => a - b));
  }
});

Deno.test("several devices catch up each from where it was", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const telephone = await catchUp(ben, tenant);
  await send(ana, tenant, conversation);
  const laptop = await catchUp(ben, tenant);
  await send(ana, tenant, conversation);
  const from = (changes: Change[]) => changes.at(-1)?.position ?? 0;
  assertEquals((await catchUp(ben, tenant, from(telephone))).length, 2);
  assertEquals((await catchUp(ben, tenant, from(laptop))).length, 1);
});

Deno.test("who was away for too long is told to read anew", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  await send(ana, tenant, conversation);
  await withDatabase(async (sql) => {
    // As if 12,000 changes had followed.
    await sql`
      update private.messaging_people set position = position + 12001
      where tenant_id = ${tenant.id} and person_id = ${ben.id}`;
    await sql`select private.messaging_prune()`;
    const rows =
      await sql`select from messaging_inbox where tenant_id = ${tenant.id} and person_id = ${ben.id}`;
    assertEquals(rows.length, 0);
  });
  const since = (position: number) =>
    ben.client.rpc("messaging_catch_up", { tenant_id: tenant.id, since: position });
  await assertRefused(since(1), 410, "messaging.cursor_expired");
  const { position } = await unread(ben, tenant);
  await send(ana, tenant, conversation);
  assertEquals((await must<Change[]>(since(position))).map((change) => change.position), [
    position + 1,
  ]);
  await assertRefused(
    ben.client.rpc("messaging_catch_up", { tenant_id: tenant.id, since: position, page_size: 101 }),
    422,
    "request.invalid",
  );
});

Deno.test("whoever is out of a group catches up on nothing of it", async () => {
  const tenant = await createTalkingTenant();
  const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]) as [
    Person,
    Person,
  ];
  const group = await createGroup(tenant, ana, ben);
  await send(ana, tenant, group);
  ok((await catchUp(ben, tenant)).length > 0);
  await must(
    ana.client.rpc("messaging_remove", {
      tenant_id: tenant.id,
      conversation_id: group,
      person: ben.id,
    }),
  );
  await send(ana, tenant, group);
  assertEquals(await catchUp(ben, tenant), []);
  assertEquals((await unread(ben, tenant)).unread, 0);
});
