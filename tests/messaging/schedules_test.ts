import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, setStatus, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import { block, createGroup, createPair, draft, type Message, page, send } from "./support.ts";

interface Schedule {
  id: string;
  status: string;
  failure: string | null;
  message_id: string | null;
  body: string | null;
}

const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();

const later = ({ client }: Person, tenant: Tenant, conversation: string, options = {}) =>
  client.rpc("messaging_send_later", {
    ...draft(tenant, conversation, { body: "Later" }),
    at: inMinutes(60),
    ...options,
  });

const read = async ({ client }: Person, id: string) =>
  (await must<Schedule[]>(client.from("messaging_schedules").select().eq("id", id)))[0]!;

/** As if the time had come: the queue's clock is not the test's to move. */
const comeDue = async (tenant: Tenant, schedule: Schedule) => {
  await withDatabase((sql) =>
    sql`update messaging_schedules set due_at = now() where id = ${schedule.id}`
  );
  return await must<Schedule | null>(
    admin().rpc("messaging_run_schedule", { tenant_id: tenant.id, schedule: schedule.id }),
  );
};

Deno.test("the worker sends a message when its time has come", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const at = new Date(Date.now() + 1500).toISOString();
  const schedule = await must<Schedule>(later(ana, tenant, conversation, { at }));
  assertEquals([schedule.status, await page(ben, tenant, conversation)], ["pending", []]);
  const [message] = await until(async () => {
    const messages = await page(ben, tenant, conversation);
    return messages.length > 0 ? messages : undefined;
  }, { timeout: 30_000 });
  assertEquals(message!.body, "Later");
  const done = await until(async () => {
    const row = await read(ana, schedule.id);
    return row.status === "done" ? row : undefined;
  });
  assertEquals([done.message_id, done.body], [message!.id, null]);
});

Deno.test("a schedule runs once, and not before its time or after it was taken back", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const run = (id: string) =>
    must<Schedule | null>(
      admin().rpc("messaging_run_schedule", { tenant_id: tenant.id, schedule: id }),
    );
  const call = { ...draft(tenant, conversation), at: inMinutes(60) };
  const [first, again] = [
    await must<Schedule>(ana.client.rpc("messaging_send_later", call)),
    await must<Schedule>(ana.client.rpc("messaging_send_later", call)),
  ];
  assertEquals(again.id, first.id);
  assertEquals((await run(first.id))?.id ?? null, null);
  await Promise.all([comeDue(tenant, first), comeDue(tenant, first), comeDue(tenant, first)]);
  assertEquals((await page(ben, tenant, conversation)).length, 1);

  const second = await must<Schedule>(later(ana, tenant, conversation));
  const cancel = ({ client }: Person, schedule: string) =>
    client.rpc("messaging_unschedule", { tenant_id: tenant.id, schedule });
  await assertRefused(cancel(ben, second.id), 404, "messaging.schedule_not_found");
  assertEquals((await must<Schedule>(cancel(ana, second.id))).body, null);
  assertEquals((await must<Schedule>(cancel(ana, second.id))).status, "cancelled");
  await assertRefused(cancel(ana, first.id), 409, "request.transition_refused");
  await comeDue(tenant, second);
  assertEquals((await page(ben, tenant, conversation)).length, 1);
});

Deno.test("when the time comes, everything is asked anew, and a refusal is told", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const owner = await createMember(tenant, "owner");
  const schedule = await must<Schedule>(later(ana, tenant, conversation));
  await block(ben, tenant, ana);
  const failed = await comeDue(tenant, schedule);
  assertEquals([failed!.status, failed!.failure, failed!.body], [
    "failed",
    "messaging.blocked",
    "Later",
  ]);
  const notices = await must<{ kind: string }[]>(ana.client.from("notifications").select("kind"));
  assertEquals(notices.map(({ kind }) => kind), ["messaging.not_sent"]);
  await block(ben, tenant, ana, false);

  // Whoever left sends nothing any more.
  const orphan = await must<Schedule>(later(ana, tenant, conversation));
  await setStatus(owner.client, tenant, ana, "banned");
  await withDatabase(async (sql) => {
    const [row] = await sql`select status from messaging_schedules where id = ${orphan.id}`;
    assertEquals(row!.status, "cancelled");
  });
  assertEquals(await page(ben, tenant, conversation), []);
});

Deno.test("who wants to be reminded of a message is", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const { id } = await send(ben, tenant, conversation);
  const remind = (message_id: string, at = inMinutes(5), { client } = ana) =>
    client.rpc("messaging_remind", { tenant_id: tenant.id, message_id, at });
  const schedule = await must<Schedule>(remind(id));
  const done = await comeDue(tenant, schedule);
  assertEquals([done!.status, done!.message_id], ["done", id]);
  const notices = await must<{ kind: string; payload: Record<string, unknown> }[]>(
    ana.client.from("notifications").select("kind, payload"),
  );
  assertEquals(
    notices.map(({ kind, payload }) => [kind, payload.message_id, payload.conversation_id]),
    [["messaging.reminder", id, conversation]],
  );
  const carl = await createMember(tenant);
  await assertRefused(remind(id, inMinutes(5), carl), 404, "messaging.message_not_found");
  await assertRefused(remind(id, inMinutes(-5)), 422, "request.invalid");
  await assertRefused(remind(id, inMinutes(366 * 24 * 60)), 422, "request.invalid");
});

Deno.test("what cannot be sent cannot be scheduled, nor more than a hundred at once", async () => {
  const { tenant, ana, ben, conversation } = await createPair();
  const group = await createGroup(tenant, ana);
  const refuse = (options: Record<string, unknown>, status: number, code: string) =>
    assertRefused(later(ana, tenant, conversation, options), status, code);
  await refuse({ body: "" }, 422, "request.invalid");
  await refuse({ client_id: null }, 422, "request.invalid");
  await refuse({ body: "x".repeat(4001) }, 422, "messaging.too_long");
  await refuse({ reply_to: crypto.randomUUID() }, 404, "messaging.message_not_found");
  await refuse({ files: [crypto.randomUUID()] }, 404, "files.not_found");
  await refuse({ mentions: [crypto.randomUUID()] }, 404, "members.not_found");
  await withDatabase((sql) =>
    sql`
      insert into messaging_schedules (tenant_id, person_id, kind, conversation_id, due_at)
      select ${tenant.id}, ${ana.id}, 'remind', ${group}, now() + interval '1 day' from generate_series(1, 100)`
  );
  await refuse({}, 409, "messaging.too_many_schedules");
  await block(ben, tenant, ana);
  await refuse({}, 403, "messaging.blocked");
  const mine = await must<Message[]>(ben.client.from("messaging_schedules").select());
  assertEquals(mine, []);
});
