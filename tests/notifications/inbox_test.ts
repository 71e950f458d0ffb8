import assert from "node:assert/strict";
import { must } from "../support/answers.ts";
import { createPerson, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, setStatus, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import { declareKinds, deliveriesOf, notify } from "./support.ts";

interface Notice {
  id: string;
  kind: string;
  payload: Record<string, unknown>;
  count: number;
  read_at: string | null;
}

const noticesOf = ({ client }: Person, tenant: Tenant) =>
  must<Notice[]>(
    client.from("notifications").select("*").eq("tenant_id", tenant.id).order("updated_at"),
  );

const unreadOf = async ({ client }: Person, tenant: Tenant) =>
  (await must<{ unread: number }[]>(
    client.from("notifications_counters").select("unread").eq("tenant_id", tenant.id),
  ))[0]?.unread ?? 0;

Deno.test("unread notices of a group stand together, and the counter counts rows", async () => {
  await declareKinds();
  const tenant = await createTenant();
  const person = await createMember(tenant);
  await withDatabase(async (sql) => {
    const tell = (thread: string, text: string) =>
      notify(sql, person, {
        kind: "notifications.test_grouped",
        payload: { thread, text },
        tenant,
      });
    await tell("a", "one");
    await tell("a", "two");
    await tell("b", "three");
    const [a, b] = await noticesOf(person, tenant);
    assert.deepEqual([a!.count, a!.payload.text], [2, "two"]);
    assert.deepEqual([b!.count, b!.payload.text], [1, "three"]);
    assert.equal(await unreadOf(person, tenant), 2);
    const counter = await must<{ unread: number }>(
      person.client.rpc("notifications_read", { tenant_id: tenant.id, ids: [a!.id] }),
    );
    assert.equal(counter.unread, 1);
    await tell("a", "four");
    const rows = await noticesOf(person, tenant);
    assert.deepEqual(
      rows.map(({ count }) => count).sort(),
      [1, 1, 2],
      "what was read stays as it is",
    );
    assert.equal(await unreadOf(person, tenant), 2);
    await must(person.client.rpc("notifications_read", { tenant_id: tenant.id }));
    assert.equal(await unreadOf(person, tenant), 0);
    assert.ok((await noticesOf(person, tenant)).every(({ read_at }) => read_at));
  });
});

Deno.test("the counter is right after many told and read at once", async () => {
  await declareKinds();
  const tenant = await createTenant();
  const person = await createMember(tenant);
  await withDatabase(async (sql) => {
    await Promise.all(Array.from({ length: 40 }, async (_, index) => {
      await notify(sql, person, { kind: "notifications.test_plain", tenant });
      if (index % 8 === 0) {
        await must(person.client.rpc("notifications_read", { tenant_id: tenant.id }));
      }
    }));
    const unread = (await noticesOf(person, tenant)).filter(({ read_at }) => !read_at).length;
    assert.equal(await unreadOf(person, tenant), unread);
  });
});

Deno.test("two who tell the same people crosswise by notify_all do not wait for each other", async () => {
  await declareKinds();
  const tenant = await createTenant();
  const people = await Promise.all([1, 2, 3].map(() => createMember(tenant)));
  const ids = people.map(({ id }) => id);
  await withDatabase(async (sql) => {
    const tell = (order: string[]) =>
      sql`select private.notify_all(${order}::uuid[], 'notifications.test_plain', '{}', ${tenant.id})`;
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => tell(index % 2 ? ids : ids.toReversed())),
    );
    for (const person of people) assert.equal(await unreadOf(person, tenant), 20);
  });
});

Deno.test("a person is told of one thing once a kind, however often it is said", async () => {
  await declareKinds();
  const tenant = await createTenant();
  const [person, other] = await Promise.all([createMember(tenant), createMember(tenant)]);
  await withDatabase(async (sql) => {
    const about = { payload: { about: "wallet_transfers:1" }, tenant };
    const plain = { kind: "notifications.test_plain", ...about };
    const ids = await Promise.all(Array.from({ length: 10 }, () => notify(sql, person, plain)));
    assert.equal(new Set(ids).size, 1);
    assert.equal((await noticesOf(person, tenant)).length, 1);
    await notify(sql, person, { kind: "notifications.test_grouped", ...about });
    await notify(sql, other, plain);
    assert.equal((await noticesOf(person, tenant)).length, 2);
    assert.equal((await noticesOf(other, tenant)).length, 1);
  });
});

Deno.test("a notice is live on the person's own channel, and so is that it was read", async () => {
  await declareKinds();
  const tenant = await createTenant();
  const person = await createMember(tenant);
  const heard: { event: string; payload: Record<string, unknown> }[] = [];
  const { data } = await person.client.auth.getSession();
  await person.client.realtime.setAuth(data.session!.access_token);
  const channel = person.client.channel(`private-user-${person.id}`, { config: { private: true } });
  channel.on(
    "broadcast",
    { event: "*" },
    (message) => heard.push(message as unknown as typeof heard[number]),
  );
  try {
    await new Promise<void>((resolve, reject) =>
      channel.subscribe((status) =>
        status === "SUBSCRIBED" ? resolve() : status === "CHANNEL_ERROR" && reject(status)
      )
    );
    await withDatabase((sql) =>
      notify(sql, person, {
        kind: "notifications.test_plain",
        payload: { text: "hello", code: "1234" },
        tenant,
      })
    );
    const told = await until(() => heard.find(({ event }) => event === "notifications:new"));
    const { notification_id, ...payload } = told.payload;
    assert.deepEqual({ ...payload, id: undefined }, {
      id: undefined,
      tenant_id: tenant.id,
      kind: "notifications.test_plain",
      payload: { text: "hello" },
      count: 1,
      unread: 1,
    }, "and no code in it");
    await must(
      person.client.rpc("notifications_read", { tenant_id: tenant.id, ids: [notification_id] }),
    );
    const read = await until(() => heard.find(({ event }) => event === "notifications:read"));
    assert.deepEqual(read.payload.notification_ids, [notification_id]);
    assert.equal(read.payload.unread, 0);
  } finally {
    await person.client.removeAllChannels();
    person.client.realtime.disconnect();
  }
});

Deno.test("who is no active member is not told of the tenant, outsiders of what is meant for them", async () => {
  await declareKinds();
  const tenant = await createTenant();
  const owner = await createMember(tenant, "owner");
  const member = await createMember(tenant);
  await setStatus(owner.client, tenant, member, "suspended");
  const stranger = await createPerson();
  await withDatabase(async (sql) => {
    for (const person of [member, stranger]) {
      const event = await notify(sql, person, { kind: "notifications.test_plain", tenant });
      assert.deepEqual(await deliveriesOf(sql, event), {});
      const told = await notify(sql, person, { kind: "auth.password_changed", tenant });
      assert.deepEqual(Object.keys(await deliveriesOf(sql, told)), ["email"]);
      assert.deepEqual(await noticesOf(person, tenant), []);
    }
  });
});

Deno.test("nobody reads another's inbox or counter, or marks it as read", async () => {
  await declareKinds();
  const tenant = await createTenant();
  const [person, owner] = await Promise.all([createMember(tenant), createMember(tenant, "owner")]);
  await withDatabase((sql) => notify(sql, person, { kind: "notifications.test_plain", tenant }));
  const [notice] = await noticesOf(person, tenant);
  assert.deepEqual(await noticesOf(owner, tenant), []);
  assert.equal(await unreadOf(owner, tenant), 0);
  await must(
    owner.client.rpc("notifications_read", { tenant_id: tenant.id, ids: [notice!.id] }),
  );
  assert.equal(await unreadOf(person, tenant), 1);
});

Deno.test("what is about the account is in the inbox of who is in no tenant at all", async () => {
  const person = await createPerson();
  await withDatabase((sql) => notify(sql, person));
  const notices = await must<Notice[]>(person.client.from("notifications").select("*"));
  assert.deepEqual(notices.map(({ kind }) => kind), ["auth.password_changed"]);
});

Deno.test("notices leave the inbox after 180 days, and the counter knows", async () => {
  await declareKinds();
  const tenant = await createTenant();
  const person = await createMember(tenant);
  await withDatabase(async (sql) => {
    for (const _ of [1, 2]) await notify(sql, person, { kind: "notifications.test_plain", tenant });
    const [old] = await noticesOf(person, tenant);
    await sql`update public.notifications set updated_at = now() - interval '181 days'
      where id = ${old!.id}`;
    await sql`select private.notifications_forget_inbox()`;
    assert.equal((await noticesOf(person, tenant)).length, 1);
    assert.equal(await unreadOf(person, tenant), 1);
  });
});
