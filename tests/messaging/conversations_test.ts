import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { createPerson, type Person } from "../support/clients.ts";
import { createMember, type Tenant } from "../support/tenants.ts";
import {
  block,
  type Conversation,
  createGroup,
  createPair,
  createTalkingTenant,
  open,
  page,
  send,
} from "./support.ts";

interface Member {
  person_id: string;
  role: string;
  left_at: string | null;
}

const members = async ({ client }: Person, id: string) => {
  const rows = await must<Member[]>(
    client.from("messaging_members").select("person_id, role, left_at").eq("conversation_id", id),
  );
  return Object.fromEntries(
    rows.filter(({ left_at }) => !left_at).map(({ person_id, role }) => [person_id, role]),
  );
};

const kinds = async (person: Person, tenant: Tenant, id: string) =>
  (await page(person, tenant, id, { after: 0 })).map(({ kind }) => kind);

Deno.test("two people have one conversation, whoever opens it, and one more for each context", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  assertEquals(await open(ben, tenant, ana), conversation);
  const context = { context_kind: "order", context_id: crypto.randomUUID() };
  const about = (me: Person, other: Person) =>
    must<Conversation>(
      me.client.rpc("messaging_open", { tenant_id: tenant.id, person: other.id, ...context }),
    );
  const card = await about(ana, ben);
  assertEquals([card.kind, card.context_kind, card.context_id], [
    "direct",
    "order",
    context.context_id,
  ]);
  assertEquals((await about(ben, ana)).id, card.id);
  assertEquals(card.id === conversation, false);
});

Deno.test("opened by both at once, it is one conversation", async () => {
  const tenant = await createTalkingTenant();
  for (let round = 0; round < 4; round++) {
    const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]);
    const ids = await Promise.all([
      open(ana, tenant, ben),
      open(ben, tenant, ana),
      open(ana, tenant, ben),
      open(ben, tenant, ana),
    ]);
    assertEquals(new Set(ids).size, 1);
    assertEquals(
      (await must<unknown[]>(ana.client.from("messaging_conversations").select())).length,
      1,
    );
  }
});

Deno.test("nobody opens a conversation with themselves, a stranger, or about half a thing", async () => {
  const { tenant, ana, ben } = await createPair();
  const stranger = await createPerson();
  const refuse = (options: Record<string, unknown>, status: number, code: string) =>
    assertRefused(
      ana.client.rpc("messaging_open", { tenant_id: tenant.id, person: ben.id, ...options }),
      status,
      code,
    );
  await refuse({ person: ana.id }, 422, "request.invalid");
  await refuse({ person: stranger.id }, 404, "members.not_found");
  await refuse({ person: null }, 404, "members.not_found");
  await refuse({ context_kind: "listing" }, 422, "request.invalid");
  await refuse({ context_kind: "party", context_id: crypto.randomUUID() }, 422, "request.invalid");
  const carl = await createMember(tenant);
  await block(carl, tenant, ana);
  await refuse({ person: carl.id }, 403, "messaging.blocked");
});

Deno.test("a group is managed by its owner and admins", async () => {
  const tenant = await createTalkingTenant();
  const [ana, ben, carl, dora] = await Promise.all(
    Array.from({ length: 4 }, () => createMember(tenant)),
  ) as [Person, Person, Person, Person];
  const group = await createGroup(tenant, ana, ben, carl);
  const call = (me: Person, name: string, more: Record<string, unknown>) =>
    me.client.rpc(name, { tenant_id: tenant.id, conversation_id: group, ...more });
  assertEquals(await members(ben, group), {
    [ana.id]: "owner",
    [ben.id]: "member",
    [carl.id]: "member",
  });
  const notManager = [
    call(ben, "messaging_add", { person: dora.id }),
    call(ben, "messaging_remove", { person: carl.id }),
    call(ben, "messaging_rename", { title: "Mine" }),
    call(ben, "messaging_set_role", { person: carl.id, role: "admin" }),
    call(ben, "messaging_set_retention", { days: 3 }),
  ];
  for (const refused of notManager) {
    await assertRefused(refused, 403, "messaging.not_a_manager");
  }
  await must(call(ana, "messaging_set_role", { person: ben.id, role: "admin" }));
  await must(call(ben, "messaging_add", { person: dora.id }));
  await must(call(ben, "messaging_add", { person: dora.id }));
  await must(call(ben, "messaging_rename", { title: " Diggers " }));
  await assertRefused(
    call(ben, "messaging_remove", { person: ana.id }),
    403,
    "messaging.not_a_manager",
  );
  await assertRefused(
    call(ben, "messaging_set_role", { person: carl.id, role: "owner" }),
    403,
    "messaging.not_a_manager",
  );
  await must(call(ben, "messaging_remove", { person: carl.id }));
  assertEquals(await kinds(ana, tenant, group), [
    "group_created",
    "member_added",
    "renamed",
    "member_removed",
  ]);
  // Gone is gone: not even what was said while they were there.
  await assertRefused(call(carl, "messaging_page", {}), 404, "messaging.conversation_not_found");
  assertEquals(await must(carl.client.from("messaging_messages").select()), []);
  await assertRefused(call(ana, "messaging_remove", { person: carl.id }), 404, "members.not_found");
  const invalid = [
    call(ana, "messaging_set_role", { person: ben.id, role: "king" }),
    call(ana, "messaging_set_role", { person: ana.id, role: "member" }),
    call(ana, "messaging_rename", { title: " " }),
    call(ana, "messaging_set_retention", { days: 0 }),
  ];
  for (const refused of invalid) await assertRefused(refused, 422, "request.invalid");
});

Deno.test("who joins later does not read what was said before", async () => {
  const tenant = await createTalkingTenant();
  const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]);
  const group = await createGroup(tenant, ana);
  await send(ana, tenant, group, { body: "before" });
  await must(
    ana.client.rpc("messaging_add", {
      tenant_id: tenant.id,
      conversation_id: group,
      person: ben.id,
    }),
  );
  await send(ana, tenant, group, { body: "after" });
  assertEquals((await page(ben, tenant, group)).map(({ body, kind }) => body ?? kind), [
    "after",
    "member_added",
  ]);
  const direct = await must<{ body: string }[]>(
    ben.client.from("messaging_messages").select("body").eq("conversation_id", group),
  );
  assertEquals(direct.map(({ body }) => body).includes("before"), false);
});

Deno.test("when the owner leaves, an admin follows, and a group of one is left in peace", async () => {
  const tenant = await createTalkingTenant();
  const [ana, ben, carl] = await Promise.all(
    Array.from({ length: 3 }, () => createMember(tenant)),
  ) as [Person, Person, Person];
  const group = await createGroup(tenant, ana, ben, carl);
  const call = (me: Person, name: string, more: Record<string, unknown>) =>
    must(me.client.rpc(name, { tenant_id: tenant.id, conversation_id: group, ...more }));
  await call(ana, "messaging_set_role", { person: carl.id, role: "admin" });
  await call(ana, "messaging_remove", { person: ana.id });
  assertEquals(await members(ben, group), { [ben.id]: "member", [carl.id]: "owner" });
  await call(carl, "messaging_remove", { person: carl.id });
  await call(ben, "messaging_remove", { person: ben.id });
  assertEquals(await must(ben.client.from("messaging_conversations").select()), []);
});

Deno.test("a group holds as many as the tenant says, and no two who blocked each other", async () => {
  const tenant = await createTalkingTenant({ group_size: 3 });
  const people = await Promise.all(
    Array.from({ length: 4 }, () => createMember(tenant)),
  ) as [Person, Person, Person, Person];
  const [ana, ben, carl, dora] = people;
  const group = await createGroup(tenant, ana, ben, carl);
  const add = ({ id }: Person) =>
    ana.client.rpc("messaging_add", { tenant_id: tenant.id, conversation_id: group, person: id });
  await assertRefused(add(dora), 409, "messaging.group_full");
  const create = (others: string[], title: string | null = "x") =>
    ana.client.rpc("messaging_create_group", { tenant_id: tenant.id, title, people: others });
  await assertRefused(create(people.map(({ id }) => id)), 409, "messaging.group_full");
  await assertRefused(create([], null), 422, "request.invalid");
  await assertRefused(create([crypto.randomUUID()]), 404, "members.not_found");
  await block(dora, tenant, ana);
  await assertRefused(create([dora.id]), 403, "messaging.blocked");
  await assertRefused(
    ana.client.rpc("messaging_rename", {
      tenant_id: tenant.id,
      conversation_id: await open(ana, tenant, ben),
      title: "x",
    }),
    409,
    "messaging.not_a_group",
  );
});

Deno.test("the list shows the latest first, what was last said, and who is there", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const carl = await createMember(tenant);
  const group = await createGroup(tenant, ana, ben, carl);
  await send(ben, tenant, conversation, { body: "x".repeat(300) });
  const list = (options = {}) =>
    must<Record<string, unknown>[]>(
      ana.client.rpc("messaging_list", { tenant_id: tenant.id, ...options }),
    );
  const [first, second] = await list();
  assertEquals(
    [first!.conversation_id, first!.people, first!.unread, first!.last_message_body],
    [conversation, [ben.id], 1, "x".repeat(200)],
  );
  assertEquals(
    [
      second!.conversation_id,
      second!.title,
      (second!.people as string[]).toSorted(),
      second!.unread,
    ],
    [group, "Gardeners", [ben.id, carl.id].toSorted(), 0],
  );
  const [next, ...none] = await list({ cursor: first!.cursor, page_size: 1 });
  assertEquals([next!.conversation_id, none], [group, []]);
  assertEquals(await list({ cursor: second!.cursor }), []);

  const archive = (archived: boolean) =>
    must(
      ana.client.rpc("messaging_archive", {
        tenant_id: tenant.id,
        conversation_id: group,
        archived,
      }),
    );
  await archive(true);
  assertEquals((await list()).length, 1);
  assertEquals((await list({ archived: true })).map((row) => row.conversation_id), [group]);
  await archive(false);
  assertEquals((await list()).length, 2);
  for (const options of [{ cursor: "x" }, { page_size: 0 }, { page_size: 101 }]) {
    await assertRefused(
      ana.client.rpc("messaging_list", { tenant_id: tenant.id, ...options }),
      422,
      "request.invalid",
    );
  }
});
