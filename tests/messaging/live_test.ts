import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import type { RealtimeChannel } from "@supabase/supabase-js";
import { must } from "../support/answers.ts";
import { admin, anonymous, createPerson, type Person, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, setStatus, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import {
  block,
  createGroup,
  createPair,
  createTalkingTenant,
  draft,
  listen,
  type Message,
  open,
  send,
} from "./support.ts";

const own = (person: Person) => listen(person, `private-user-${person.id}`);
const channelOf = (person: Person, conversation: string) =>
  listen(person, `presence-conversation-${conversation}`);

Deno.test("a message reaches every device of each recipient with what it says, the conversation's channel without", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const laptop = { client: await signIn(ben.email, ben.password) };
  await using telephone = await own(ben);
  await using second = await listen(laptop, `private-user-${ben.id}`);
  await using sender = await own(ana);
  await using shared = await channelOf(ana, conversation);
  const stored = await send(ana, tenant, conversation, { body: "Hello Ben" });
  const content = async ({ wait }: typeof telephone) => {
    const [event] = await wait("message:new");
    const { id: _, message_id, position, created_at, ...rest } = event!;
    assertEquals(typeof position, "number");
    const { id, created_at: at, ...message } = stored;
    assertEquals([message_id, Date.parse(String(created_at))], [id, Date.parse(at)]);
    assertEquals(rest, message);
  };
  await Promise.all([telephone, second, sender].map(content));
  const [ids] = await shared.wait("message:new");
  const { id: _, ...rest } = ids!;
  assertEquals(rest, {
    tenant_id: tenant.id,
    conversation_id: conversation,
    message_id: stored.id,
    seq: 1,
  });
});

Deno.test("edits and deletions are heard as what they are", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  await using ears = await own(ben);
  const { id } = await send(ana, tenant, conversation);
  const act = (name: string, more: Record<string, unknown>) =>
    must(ana.client.rpc(name, { tenant_id: tenant.id, message_id: id, ...more }));
  await act("messaging_edit", { body: "better" });
  await act("messaging_delete", { for_all: true });
  await ears.wait("message:deleted");
  assertEquals(
    ears.heard.map(({ event, payload }) => [event, payload.message_id, payload.body]),
    [["message:new", id, "Hello"], ["message:edited", id, "better"], ["message:deleted", id, null]],
  );
  const positions = ears.heard.map(({ payload }) => Number(payload.position));
  assertEquals(positions, [1, 2, 3]);
});

Deno.test("a message that is not committed is heard by nobody", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  await using ears = await own(ben);
  const refused = await ana.client.rpc(
    "messaging_send",
    draft(tenant, conversation, { reply_to: crypto.randomUUID() }),
  );
  assertEquals(refused.error?.message, "messaging.message_not_found");
  const { id } = await send(ana, tenant, conversation);
  await ears.wait("message:new");
  assertEquals(ears.named("message:new").map(({ message_id }) => message_id), [id]);
});

Deno.test("R2: of bursts of 20 messages at least 99 % arrive, in order", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  await using ears = await own(ben);
  let sent = 0;
  for (let burst = 0; burst < 5; burst++) {
    await Promise.all(Array.from({ length: 20 }, () => send(ana, tenant, conversation)));
    sent += 20;
    await until(() => ears.named("message:new").length >= 0.99 * sent);
  }
  const numbers = ears.named("message:new").map(({ seq }) => Number(seq));
  assertEquals(numbers, numbers.toSorted((a, b) => a - b));
  assertEquals(new Set(numbers).size, numbers.length);
});

Deno.test("R3: who was removed, suspended or banned hears nothing from the next message on", async () => {
  const tenant = await createTalkingTenant();
  const owner = await createMember(tenant, "owner");
  const [ana, removed, suspended, banned, witness] = await Promise.all(
    Array.from({ length: 5 }, () => createMember(tenant)),
  ) as [Person, Person, Person, Person, Person];
  const group = await createGroup(tenant, ana, removed, suspended, banned, witness);
  await using first = await own(removed);
  await using second = await own(suspended);
  await using third = await own(banned);
  await using present = await own(witness);
  const [last] = await Promise.all([
    send(ana, tenant, group, { body: "for all" }),
    ...[first, second, third, present].map((ears) => ears.wait("message:new")),
  ]);
  await must(
    ana.client.rpc("messaging_remove", {
      tenant_id: tenant.id,
      conversation_id: group,
      person: removed.id,
    }),
  );
  await setStatus(owner.client, tenant, suspended, "suspended");
  await admin().auth.admin.updateUserById(banned.id, { ban_duration: "1h" });
  const secret = await send(ana, tenant, group, { body: "for those who are left" });
  await present.wait("message:new", 3);
  assertEquals(present.named("message:new").at(-1)!.message_id, secret.id);
  for (const ears of [first, second, third]) {
    const heard = ears.named("message:new").map(({ body }) => body).filter(Boolean);
    assertEquals(heard, ["for all"]);
    assertEquals(ears.named("message:new")[0]!.message_id, last.id);
  }
  // Nor do the blocked: what Ana blocks, Ana does not hear.
  await block(witness, tenant, ana);
  await send(ana, tenant, group);
  await send(ana, tenant, await open(ana, tenant, owner));
  assertEquals(present.named("message:new").at(-1)!.message_id, secret.id);
});

Deno.test("R3: whose role lost the right, or whose tenant switched messaging off, hears nothing", async () => {
  const tenant = await createTalkingTenant();
  const owner = await createMember(tenant, "owner");
  const [ana, ben, witness] = await Promise.all(
    Array.from({ length: 3 }, () => createMember(tenant)),
  ) as [Person, Person, Person];
  const group = await createGroup(tenant, ana, ben, witness);
  await must(
    owner.client.rpc("members_role_save", {
      tenant_id: tenant.id,
      slug: "quiet",
      name: "Quiet",
      rank: 30,
      permissions: ["tenants.read"],
    }),
  );
  await must(
    owner.client.rpc("members_set_role", { tenant_id: tenant.id, person: ben.id, role: "quiet" }),
  );
  await using ears = await own(ben);
  await using present = await own(witness);
  await send(ana, tenant, group);
  await present.wait("message:new");
  assertEquals(ears.heard, []);
});

Deno.test("R4: the channel of another tenant's conversation, or of a stranger's, is refused", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const [carl, outsider] = await Promise.all([
    createMember(tenant),
    createTalkingTenant().then((other) => createMember(other, "owner")),
  ]);
  const topic = `presence-conversation-${conversation}`;
  const join = async (person: Pick<Person, "client">, name = topic) => {
    await using listener = await listen(person, name);
    return listener.status;
  };
  assertEquals([await join(ana), await join(ben)], ["SUBSCRIBED", "SUBSCRIBED"]);
  for (const stranger of [carl, outsider, { client: anonymous() }]) {
    assertEquals(await join(stranger), "CHANNEL_ERROR");
  }
  for (const odd of ["", "x", crypto.randomUUID()]) {
    assertEquals(await join(ana, `presence-conversation-${odd}`), "CHANNEL_ERROR");
  }
  assertEquals(await join(outsider, `private-user-${ana.id}`), "CHANNEL_ERROR");
  assertEquals(await join(outsider, `private-tenant-${tenant.id}`), "CHANNEL_ERROR");
  // Switching the module off closes the channel as it closes everything else.
  await withDatabase((sql) => sql`update tenants set modules = '{}' where id = ${tenant.id}`);
  assertEquals(await join(ana), "CHANNEL_ERROR");
});

/** Joins with presence; resolves when it stands or is refused. */
async function meet({ client, id }: Person, topic: string): Promise<RealtimeChannel> {
  const { data } = await client.auth.getSession();
  await client.realtime.setAuth(data.session?.access_token ?? null);
  const channel = client.channel(topic, {
    config: { private: true, presence: { key: id, enabled: true }, broadcast: { ack: true } },
  });
  const status = await new Promise<string>((resolve) => channel.subscribe(resolve));
  assertEquals(status, "SUBSCRIBED");
  return channel;
}

const prefer = ({ client }: Person, { id: tenant_id }: Tenant, presence: string) =>
  must(client.rpc("messaging_set_preferences", { tenant_id, presence }));

Deno.test("who is in a conversation says that they type, and nobody else does", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const guest = await createMember(tenant, "guest");
  const topic = `presence-conversation-${conversation}`;
  await using ears = await channelOf(ben, conversation);
  const channel = await meet(ana, topic);
  const type = (event: string) =>
    channel.send({ type: "broadcast", event, payload: { person_id: ana.id } });
  assertEquals([await type("typing:start"), await type("typing:stop")], ["ok", "ok"]);
  await ears.wait("typing:stop");
  assertEquals(ears.named("typing:start"), [{ person_id: ana.id }]);
  // By HTTP it is the same policy.
  assertEquals(await channel.httpSend("typing:start", { person_id: ana.id }), { success: true });
  const elsewhere = guest.client.channel(topic, { config: { private: true } });
  const { data } = await guest.client.auth.getSession();
  await guest.client.realtime.setAuth(data.session!.access_token);
  await elsewhere.httpSend("typing:start", {}).then(
    () => ok(false, "a stranger may not type"),
    ({ message }) => assertEquals(message, "Unauthorized"),
  );
  // Their own channel and the tenant's are the database's to speak on.
  for (const foreign of [`private-user-${ben.id}`, `private-tenant-${tenant.id}`]) {
    const forged = ana.client.channel(foreign, { config: { private: true } });
    await forged.httpSend("message:new", {}).then(
      () => ok(false, `nobody speaks on ${foreign}`),
      ({ message }) => assertEquals(message, "Unauthorized"),
    );
  }
  await Promise.all([ana, guest].map(({ client }) => client.removeAllChannels()));
});

Deno.test("presence is seen by who shares a conversation, as the member chose", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const topic = `presence-conversation-${conversation}`;
  const [hers, his] = [await meet(ana, topic), await meet(ben, topic)];
  for (const status of ["online", "away", "busy", "offline"]) {
    assertEquals(await hers.track({ status }), "ok");
    await until(() => {
      const [one] = his.presenceState<{ status: string }>()[ana.id] ?? [];
      return one?.status === status;
    });
  }
  await hers.untrack();
  await until(() => !(ana.id in his.presenceState()));
  await ana.client.removeAllChannels();

  await prefer(ana, tenant, "nobody");
  const silent = await meet(ana, topic);
  assertEquals(await silent.track({ status: "online" }), "error");
  await ana.client.removeAllChannels();

  // In a conversation of two who blocked each other there is no presence either.
  await prefer(ana, tenant, "conversations");
  await block(ben, tenant, ana);
  const blocked = await meet(ana, topic);
  assertEquals(await blocked.track({ status: "online" }), "error");
  await Promise.all([ana, ben].map(({ client }) => client.removeAllChannels()));
});

Deno.test("the tenant sees who is there only of those who chose it", async () => {
  const tenant = await createTenant({ modules: ["messaging"], currencies: [] });
  const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]);
  const outsider = await createPerson();
  const topic = `private-tenant-${tenant.id}`;
  const hers = await meet(ana, topic);
  assertEquals(await hers.track({ status: "online" }), "error");
  await ana.client.removeAllChannels();
  await prefer(ana, tenant, "tenant");
  const [shown, his] = [await meet(ana, topic), await meet(ben, topic)];
  assertEquals(await shown.track({ status: "online" }), "ok");
  await until(() => ana.id in his.presenceState());
  await using refused = await listen(outsider, topic);
  assertEquals(refused.status, "CHANNEL_ERROR");
  // A channel shows all to all: whoever hides from one is not on it, also in a group with them.
  const group = await createGroup(tenant, ana, ben);
  await block(ana, tenant, ben);
  for (const shared of [topic, `presence-conversation-${group}`]) {
    await ana.client.removeAllChannels();
    const hidden = await meet(ana, shared);
    assertEquals(await hidden.track({ status: "online" }), "error");
  }
  await Promise.all([ana, ben].map(({ client }) => client.removeAllChannels()));
});

Deno.test("what the sender missed on the socket, the answer told: the acknowledgement needs no socket", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const stored = await must<Message>(ana.client.rpc("messaging_send", draft(tenant, conversation)));
  await using ears = await own(ben);
  const next = await send(ana, tenant, conversation);
  const [event] = await ears.wait("message:new");
  assertEquals([event!.message_id, next.seq], [next.id, stored.seq + 1]);
});
