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
  type Message,
  open,
  page,
  send,
} from "./support.ts";

Deno.test("search finds what one may read, by words and phrases, the newest first", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const carl = await createMember(tenant);
  const theirs = await open(ana, tenant, carl);
  const search = async ({ client }: Person, query: string, options = {}) =>
    (await must<Message[]>(
      client.rpc("messaging_search", { tenant_id: tenant.id, query, ...options }),
    )).map(({ body }) => body);
  for (const body of ["red roses", "blue roses", "roses are red", "thorns"]) {
    await send(ana, tenant, conversation, { body });
  }
  await send(ana, tenant, theirs, { body: "roses for Carl" });
  assertEquals(await search(ben, "Roses"), ["roses are red", "blue roses", "red roses"]);
  assertEquals(await search(ben, '"red roses"'), ["red roses"]);
  assertEquals(await search(ben, "roses -red"), ["blue roses"]);
  assertEquals(await search(ben, "thorns or blue"), ["thorns", "blue roses"]);
  assertEquals((await search(ana, "roses")).length, 4);
  assertEquals(await search(ana, "roses", { conversation_id: theirs }), ["roses for Carl"]);
  assertEquals(await search(ben, "roses", { conversation_id: theirs }), []);
  assertEquals(await search(ben, "'; drop table messaging_messages; --"), []);

  const [first] = await must<Message[]>(
    ben.client.rpc("messaging_search", { tenant_id: tenant.id, query: "roses", page_size: 1 }),
  );
  assertEquals(await search(ben, "roses", { cursor: first!.id }), ["blue roses", "red roses"]);
  // What is deleted says nothing any more; what is edited says the new.
  await must(
    ana.client.rpc("messaging_edit", {
      tenant_id: tenant.id,
      message_id: first!.id,
      body: "tulips",
    }),
  );
  assertEquals([await search(ben, "are"), await search(ben, "tulips")], [[], ["tulips"]]);
  await must(
    ana.client.rpc("messaging_delete", {
      tenant_id: tenant.id,
      message_id: first!.id,
      for_all: true,
    }),
  );
  assertEquals(await search(ben, "tulips"), []);
  for (const query of ["", null, "x".repeat(201)]) {
    await assertRefused(
      ben.client.rpc("messaging_search", { tenant_id: tenant.id, query }),
      422,
      "request.invalid",
    );
  }
});

Deno.test("pages, catching up and search show exactly what the policies let one read", async () => {
  const tenant = await createTalkingTenant();
  const [ana, ben, carl] = await Promise.all(
    Array.from({ length: 3 }, () => createMember(tenant)),
  ) as [Person, Person, Person];
  const group = await createGroup(tenant, ana, carl);
  await send(ana, tenant, group, { body: "word before" });
  await must(
    ana.client.rpc("messaging_add", {
      tenant_id: tenant.id,
      conversation_id: group,
      person: ben.id,
    }),
  );
  const hidden = await send(ana, tenant, group, { body: "word hidden" });
  await send(carl, tenant, group, { body: "word blocked" });
  await send(ana, tenant, group, { body: "word kept" });
  await must(ben.client.rpc("messaging_delete", { tenant_id: tenant.id, message_id: hidden.id }));
  await block(ben, tenant, carl);
  const texts = (messages: { body: string | null }[]) =>
    messages.map(({ body }) => body).filter(Boolean).toSorted();
  const read = await must<Message[]>(ben.client.from("messaging_messages").select());
  const found = await must<Message[]>(
    ben.client.rpc("messaging_search", { tenant_id: tenant.id, query: "word" }),
  );
  const caught = (await catchUp(ben, tenant)).flatMap(({ message }) => message ? [message] : []);
  assertEquals(texts(read), ["word kept"]);
  assertEquals(texts(found), texts(read));
  assertEquals(texts(caught), texts(read));
  assertEquals(texts(await page(ben, tenant, group)), texts(read));
  assertEquals(texts(await page(ben, tenant, group, { after: 0 })), texts(read));
});
