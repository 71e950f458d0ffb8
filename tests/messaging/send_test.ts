import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin, createPerson } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import { block, createGroup, createPair, draft, type Message, page, send } from "./support.ts";

const numbers = (messages: Message[]) => messages.map(({ seq }) => seq);

Deno.test("the stored message is the acknowledgement", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const call = draft(tenant, conversation, { body: "Grüß dich 😀" });
  const stored = await must<Message>(ana.client.rpc("messaging_send", call));
  const { id: _, created_at, ...rest } = stored;
  ok(Math.abs(Date.parse(created_at) - Date.now()) < 60_000);
  assertEquals(rest, {
    tenant_id: tenant.id,
    conversation_id: conversation,
    seq: 1,
    sender_id: ana.id,
    client_id: call.client_id,
    kind: "text",
    body: "Grüß dich 😀",
    reply_to: null,
    mentions: [],
    files: [],
    version: 1,
    edited_at: null,
    deleted_at: null,
  });
  assertEquals(await page(ben, tenant, conversation), [stored]);
});

Deno.test("R5: a message sent again is answered with the first, for good", async () => {
  const { tenant, ana, ben, conversation } = await createPair({ send_limit: 2 });
  const call = draft(tenant, conversation);
  const first = await must<Message>(ana.client.rpc("messaging_send", call));
  const again = { ...call, body: "Something else" };
  for (let times = 0; times < 5; times++) {
    assertEquals(await must<Message>(ana.client.rpc("messaging_send", again)), first);
  }
  // Nor does it matter what became of the conversation since.
  await block(ben, tenant, ana);
  assertEquals(await must<Message>(ana.client.rpc("messaging_send", call)), first);
  await block(ben, tenant, ana, false);
  // The id is the sender's own: another's is another message.
  await must(ben.client.rpc("messaging_send", call));
  assertEquals(numbers(await page(ana, tenant, conversation)), [2, 1]);

  await withDatabase((sql) => sql`delete from messaging_messages where id = ${first.id}`);
  await assertRefused(ana.client.rpc("messaging_send", call), 404, "messaging.message_not_found");
});

Deno.test("R5: the same message sent at once by many devices is stored once", async () => {
  const { tenant, ana, conversation } = await createPair();
  for (let round = 0; round < 5; round++) {
    const call = draft(tenant, conversation);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => must<Message>(ana.client.rpc("messaging_send", call))),
    );
    assertEquals(new Set(answers.map(({ id }) => id)).size, 1);
  }
  assertEquals(numbers(await page(ana, tenant, conversation)), [5, 4, 3, 2, 1]);
});

Deno.test("R5: ten messages in ten seconds, and no more", async () => {
  const tenant = await createTenant({ modules: ["messaging"], currencies: [] });
  const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]);
  const group = await createGroup(tenant, ana, ben);
  const answers = await Promise.all(
    Array.from({ length: 14 }, () => ana.client.rpc("messaging_send", draft(tenant, group))),
  );
  const refused = answers.filter(({ error }) => error);
  assertEquals(answers.length - refused.length, 10);
  for (const { status, error } of refused) {
    assertEquals([status, error!.message], [429, "messaging.rate_limited"]);
    ok(Number(error!.hint) >= 1 && Number(error!.hint) <= 20, error!.hint);
  }
  // Counted by person, not by conversation, and refused attempts prolong nothing.
  await send(ben, tenant, group);
});

Deno.test("the tenant tunes how much and how long", async () => {
  const { tenant, ana, ben, conversation } = await createPair({
    send_limit: 1,
    send_seconds: 600,
    max_length: 5,
  });
  await assertRefused(
    ana.client.rpc("messaging_send", draft(tenant, conversation, { body: "123456" })),
    422,
    "messaging.too_long",
  );
  await send(ana, tenant, conversation, { body: "12345" });
  await assertRefused(
    ana.client.rpc("messaging_send", draft(tenant, conversation, { body: "1" })),
    429,
    "messaging.rate_limited",
  );
  await send(ben, tenant, conversation, { body: "1" });
});

Deno.test("messages sent at once by many are numbered without gaps, in the order of their ids", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  await Promise.all(
    Array.from({ length: 40 }, (_, n) => send(n % 2 ? ana : ben, tenant, conversation)),
  );
  const messages = await page(ana, tenant, conversation, { after: 0, page_size: 100 });
  assertEquals(numbers(messages), Array.from({ length: 40 }, (_, n) => n + 1));
  const ids = messages.map(({ id }) => id);
  assertEquals(ids, ids.toSorted());
});

Deno.test("an unknown conversation and one that is not mine answer alike", async () => {
  const { tenant, conversation } = await createPair();
  const carl = await createMember(tenant);
  for (const id of [conversation, crypto.randomUUID(), null]) {
    const refuse = (name: string, more = {}) =>
      assertRefused(
        carl.client.rpc(name, { tenant_id: tenant.id, conversation_id: id, ...more }),
        404,
        "messaging.conversation_not_found",
      );
    await refuse("messaging_send", { client_id: "x", body: "x" });
    await refuse("messaging_page");
    await refuse("messaging_mark_read", { seq: 1 });
    await refuse("messaging_mark_delivered", { seq: 1 });
    await refuse("messaging_mute", { until: null });
    await refuse("messaging_archive", { archived: true });
    await refuse("messaging_set_retention", { days: 1 });
    await refuse("messaging_rename", { title: "x" });
    await refuse("messaging_add", { person: carl.id });
    await refuse("messaging_remove", { person: carl.id });
    await refuse("messaging_set_role", { person: carl.id, role: "admin" });
    const later = { client_id: "x", body: "x", at: new Date(Date.now() + 1e6).toISOString() };
    await refuse("messaging_send_later", later);
  }
});

Deno.test("a message needs words or a file, and a client id", async () => {
  const { tenant, ana, conversation } = await createPair();
  const bad = [
    { body: "" },
    { body: " \n" },
    { body: null },
    { client_id: "" },
    { client_id: null },
    { client_id: "x".repeat(65) },
    { files: Array.from({ length: 11 }, () => crypto.randomUUID()) },
  ];
  for (const options of bad) {
    await assertRefused(
      ana.client.rpc("messaging_send", draft(tenant, conversation, options)),
      422,
      "request.invalid",
    );
  }
});

Deno.test("a reply names a message of the conversation, a mention one of its members", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const carl = await createMember(tenant);
  const elsewhere = await createGroup(tenant, ana, carl);
  const there = await send(ana, tenant, elsewhere);
  const first = await send(ana, tenant, conversation);
  const refuse = (options: Record<string, unknown>, code: string) =>
    assertRefused(
      ben.client.rpc("messaging_send", draft(tenant, conversation, options)),
      404,
      code,
    );
  await refuse({ reply_to: there.id }, "messaging.message_not_found");
  await refuse({ reply_to: crypto.randomUUID() }, "messaging.message_not_found");
  await refuse({ mentions: [carl.id] }, "members.not_found");
  await refuse({ mentions: [ana.id, null] }, "members.not_found");
  await refuse({ files: [crypto.randomUUID()] }, "files.not_found");
  const reply = await send(ben, tenant, conversation, {
    reply_to: first.id,
    mentions: [ana.id, ana.id],
  });
  assertEquals([reply.reply_to, reply.mentions], [first.id, [ana.id]]);
});

Deno.test("who may not write is refused by the reason", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const guest = await createMember(tenant, "guest");
  const outsider = await createPerson();
  const call = draft(tenant, conversation);
  await assertRefused(
    guest.client.rpc("messaging_send", call),
    403,
    "members.permission_denied",
  );
  await assertRefused(outsider.client.rpc("messaging_send", call), 404, "tenants.not_found");
  const silent = await createTenant({ currencies: [] });
  const member = await createMember(silent);
  await assertRefused(
    member.client.rpc("messaging_send", { ...call, tenant_id: silent.id }),
    404,
    "tenants.module_off",
  );
  await must(ben.client.rpc("members_leave", { tenant_id: tenant.id }));
  await assertRefused(ana.client.rpc("messaging_send", call), 409, "messaging.partner_gone");
  assertEquals((await admin().rpc("messaging_send", call)).error?.code, "42501");
});
