import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, setStatus, type Tenant } from "../support/tenants.ts";
import {
  createGroup,
  createTalkingTenant,
  listen,
  type Message,
  page,
  send,
} from "../messaging/support.ts";

interface Case {
  id: string;
  status: string;
  action: string | null;
  excerpt: string | null;
  reports: number;
  author_id: string;
}

interface World {
  tenant: Tenant;
  /** Owner, and another who may decide appeals. */
  owner: Person;
  staff: Person;
  admin: Person;
  author: Person;
  reader: Person;
  group: string;
}

async function createWorld(): Promise<World> {
  const tenant = await createTalkingTenant();
  const [owner, staff, admin, author, reader] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant, "staff"),
    createMember(tenant, "admin"),
    createMember(tenant),
    createMember(tenant),
  ]);
  return {
    tenant,
    owner,
    staff,
    admin,
    author,
    reader,
    group: await createGroup(tenant, author, reader),
  };
}

const call = (
  { client }: Person,
  { id: tenant_id }: Tenant,
  name: string,
  more: Record<string, unknown>,
) => client.rpc(`moderation_${name}`, { tenant_id, ...more });

const report = (me: Person, { tenant }: World, subject: string, more = {}) =>
  call(me, tenant, "report", { kind: "messaging.message", subject, reason: "harassment", ...more });

const cases = ({ client }: Person) => must<Case[]>(client.from("moderation_cases").select());

/** A message of the author's that the reader reported. */
async function reported(world: World, body = "an insult") {
  const message = await send(world.author, world.tenant, world.group, { body });
  const { case_id } = await must<{ case_id: string }>(report(world.reader, world, message.id));
  return { message, case_id };
}

const notices = (person: Person) =>
  must<{ kind: string }[]>(
    person.client.from("notifications").select("kind").like("kind", "moderation.%"),
  )
    .then((rows) => rows.map(({ kind }) => kind).toSorted());

Deno.test("a report makes a case, more reports join it, and moderators are told at once", async () => {
  const world = await createWorld();
  const { tenant, staff, author, reader, group } = world;
  await using ears = await listen(staff, `private-user-${staff.id}`);
  const carl = await createMember(tenant);
  await must(
    author.client.rpc("messaging_add", {
      tenant_id: tenant.id,
      conversation_id: group,
      person: carl.id,
    }),
  );
  const { message, case_id } = await reported(world);
  const again = await must<{ case_id: string }>(
    report(reader, world, message.id, { reason: "spam" }),
  );
  const other = await must<{ case_id: string }>(
    report(carl, world, message.id, { note: "Me too" }),
  );
  assertEquals([again.case_id, other.case_id], [case_id, case_id]);
  const [matter] = await cases(staff);
  assertEquals([matter!.reports, matter!.excerpt, matter!.status], [2, "an insult", "open"]);
  const [heard] = await ears.wait("moderation:reported");
  assertEquals([heard!.case_id, heard!.kind], [case_id, "messaging.message"]);
  assertEquals(await notices(staff), ["moderation.reported"]);
  // The author learns nothing of it, nor who reported: not before it is decided, and never who.
  assertEquals([await cases(author), await cases(reader), await notices(author)], [[], [], []]);
  const reports = ({ client }: Person) =>
    must<unknown[]>(client.from("moderation_reports").select());
  assertEquals(
    [(await reports(staff)).length, (await reports(reader)).length, (await reports(author)).length],
    [2, 1, 0],
  );
});

Deno.test("who manages the place is told beside the tenant's moderators", async () => {
  const tenant = await createTalkingTenant();
  const [keeper, author, reader] = await Promise.all(
    Array.from({ length: 3 }, () => createMember(tenant)),
  ) as [Person, Person, Person];
  const group = await createGroup(tenant, keeper, author, reader);
  const { id } = await send(author, tenant, group);
  await must(
    call(reader, tenant, "report", { kind: "messaging.message", subject: id, reason: "hate" }),
  );
  assertEquals([await notices(keeper), await notices(reader)], [["moderation.reported"], []]);
});

Deno.test("only what one sees can be reported, by a known kind and for a reason", async () => {
  const world = await createWorld();
  const { tenant, author, reader, group } = world;
  const stranger = await createMember(tenant);
  const { id } = await send(author, tenant, group);
  const missing = [404, "moderation.subject_not_found"] as const;
  await assertRefused(report(stranger, world, id), ...missing);
  await assertRefused(report(author, world, id), ...missing);
  await assertRefused(report(reader, world, crypto.randomUUID()), ...missing);
  await assertRefused(report(reader, world, id, { kind: "x.y" }), 422, "moderation.kind_unknown");
  await assertRefused(report(reader, world, id, { reason: "boring" }), 422, "request.invalid");
  await assertRefused(
    report(reader, world, id, { note: "x".repeat(1001) }),
    422,
    "request.invalid",
  );
  // Whoever was harassed has mostly blocked already.
  await must(
    reader.client.rpc("messaging_block", {
      tenant_id: tenant.id,
      person: author.id,
      blocked: true,
    }),
  );
  await must(report(reader, world, id));
});

Deno.test("a decision is carried out, audited and told; the same case is decided once", async () => {
  const world = await createWorld();
  const { tenant, staff, author, reader, group } = world;
  const { message, case_id } = await reported(world);
  const decide = (me: Person, action: string | null, more = {}) =>
    call(me, tenant, "decide", { case_id, action, ...more });
  await assertRefused(decide(reader, "remove"), 403, "members.permission_denied");
  await assertRefused(decide(staff, "shout"), 422, "request.invalid");
  await assertRefused(decide(staff, "warn", { note: "x".repeat(2001) }), 422, "request.invalid");
  await assertRefused(
    decide(staff, "warn", { case_id: crypto.randomUUID() }),
    404,
    "moderation.case_not_found",
  );
  const decided = await must<Case>(decide(staff, "remove", { note: "Be kind." }));
  assertEquals([decided.status, decided.action], ["actioned", "remove"]);
  await assertRefused(decide(staff, "dismiss"), 409, "request.transition_refused");
  const [gone] = await page(reader, tenant, group);
  assertEquals([gone!.id, gone!.body], [message.id, null]);
  assertEquals(await notices(author), ["moderation.decided"]);
  assertEquals(await notices(reader), ["moderation.closed"]);
  const [own] = await must<{ note: string }[]>(author.client.from("moderation_cases").select());
  assertEquals(own!.note, "Be kind.");
  await withDatabase(async (sql) => {
    const rows = await sql<{ action: string }[]>`
      select action from private.audit_log where tenant_id = ${tenant.id} and action like 'MODERATION%'
      order by id`;
    assertEquals(rows.map(({ action }) => action), ["MODERATION_REPORTED", "MODERATION_DECIDED"]);
  });
  // A new report of what is dismissed makes a new case.
  const second = await reported(world, "a joke");
  await must(call(staff, tenant, "decide", { case_id: second.case_id, action: "dismiss" }));
  const third = await must<{ case_id: string }>(report(reader, world, second.message.id));
  assertEquals(third.case_id === second.case_id, false);
  assertEquals((await cases(author)).length, 1);
});

Deno.test("an appeal is decided by somebody else, and overturned it brings back what was said", async () => {
  const world = await createWorld();
  const { tenant, staff, admin, author, reader, group } = world;
  const { message, case_id } = await reported(world, "not so bad");
  const appeal = (me: Person, statement: string | null = "It was a joke.") =>
    call(me, tenant, "appeal", { case_id, statement });
  const decide = (me: Person, uphold: boolean | null) =>
    call(me, tenant, "decide_appeal", { case_id, uphold });
  await assertRefused(appeal(author), 404, "moderation.case_not_found");
  await must(call(staff, tenant, "decide", { case_id, action: "remove" }));
  await assertRefused(appeal(reader), 404, "moderation.case_not_found");
  await assertRefused(appeal(author, " "), 422, "request.invalid");
  await assertRefused(decide(admin, false), 409, "request.transition_refused");
  await must(appeal(author));
  await assertRefused(appeal(author), 409, "request.transition_refused");
  assertEquals(await notices(admin), ["moderation.appealed", "moderation.reported"]);
  await assertRefused(decide(staff, false), 403, "moderation.own_case");
  await assertRefused(decide(admin, null), 422, "request.invalid");
  assertEquals((await must<Case>(decide(admin, false))).status, "overturned");
  const [back] = await page(reader, tenant, group) as [Message];
  assertEquals([back.id, back.body, back.deleted_at], [message.id, "not so bad", null]);
  assertEquals(await notices(author), ["moderation.appeal_decided", "moderation.decided"]);
  await withDatabase(async (sql) => {
    const kept = await sql`select from private.moderation_kept where case_id = ${case_id}`;
    assertEquals(kept.length, 0);
  });
});

Deno.test("a warning or suspension goes by the door for decisions about members", async () => {
  const world = await createWorld();
  const { tenant, owner, staff, admin, author } = world;
  const cases = [await reported(world, "once"), await reported(world, "twice")];
  for (const action of ["warn", "suspend"]) {
    await assertRefused(
      call(staff, tenant, "decide", { case_id: cases[0]!.case_id, action }),
      403,
      "members.permission_denied",
    );
  }
  const [warned, suspended] = cases.map(({ case_id }) => case_id);
  await must(call(admin, tenant, "decide", { case_id: warned, action: "warn", note: "Once." }));
  await must(
    call(admin, tenant, "decide", { case_id: suspended, action: "suspend", note: "Twice." }),
  );
  const [member] = await must<{ status: string }[]>(
    owner.client.from("members").select("status").eq("person_id", author.id),
  );
  assertEquals(member!.status, "suspended");
  const decisions = await must<{ kind: string; reason: string }[]>(
    owner.client.from("admin_decisions").select("kind, reason").eq("person_id", author.id).order(
      "id",
    ),
  );
  assertEquals(decisions, [
    { kind: "warning", reason: "Once." },
    { kind: "suspension", reason: "Twice." },
  ]);
  // There is one appeal, and it is admin's.
  await assertRefused(
    call(author, tenant, "appeal", { case_id: suspended, statement: "I will be kind." }),
    409,
    "request.transition_refused",
  );
  assertEquals(await notices(author), []);
});

Deno.test("a suspended member appeals the removal of what they said", async () => {
  const world = await createWorld();
  const { tenant, owner, staff, admin, author } = world;
  const { case_id } = await reported(world);
  await must(call(staff, tenant, "decide", { case_id, action: "remove" }));
  await setStatus(owner.client, tenant, author, "suspended");
  await must(call(author, tenant, "appeal", { case_id, statement: "It was a joke." }));
  assertEquals(
    (await must<Case>(call(admin, tenant, "decide_appeal", { case_id, uphold: true }))).status,
    "upheld",
  );
});

Deno.test("nobody decides about themselves, and no appeal comes after 30 days", async () => {
  const tenant = await createTalkingTenant();
  const [staff, reader] = await Promise.all([createMember(tenant, "staff"), createMember(tenant)]);
  const group = await createGroup(tenant, staff, reader);
  const { id } = await send(staff, tenant, group);
  const { case_id } = await must<{ case_id: string }>(
    call(reader, tenant, "report", { kind: "messaging.message", subject: id, reason: "fraud" }),
  );
  await assertRefused(
    call(staff, tenant, "decide", { case_id, action: "dismiss" }),
    403,
    "moderation.own_case",
  );
  const other = await createMember(tenant, "staff");
  await must(call(other, tenant, "decide", { case_id, action: "remove" }));
  await withDatabase(async (sql) => {
    await sql`update moderation_cases set decided_at = now() - interval '31 days' where id = ${case_id}`;
    await sql`update private.moderation_kept set created_at = now() - interval '31 days' where case_id = ${case_id}`;
    await sql`select private.moderation_forget()`;
    assertEquals(
      (await sql`select from private.moderation_kept where case_id = ${case_id}`).length,
      0,
    );
  });
  await assertRefused(
    call(staff, tenant, "appeal", { case_id, statement: "late" }),
    409,
    "moderation.appeal_over",
  );
});

Deno.test("every state of a case can be reached and left, but for the last ones", async () => {
  const world = await createWorld();
  const { tenant, staff, admin, author } = world;
  const reached = new Set<string>();
  for (
    const [action, uphold] of [["dismiss", null], ["remove", true], ["remove", false]] as const
  ) {
    const { case_id } = await reported(world, `about ${action} ${uphold}`);
    reached.add("open");
    reached.add((await must<Case>(call(staff, tenant, "decide", { case_id, action }))).status);
    if (uphold === null) continue;
    reached.add(
      (await must<Case>(call(author, tenant, "appeal", { case_id, statement: "No." }))).status,
    );
    reached.add(
      (await must<Case>(call(admin, tenant, "decide_appeal", { case_id, uphold }))).status,
    );
  }
  await withDatabase(async (sql) => {
    const rows = await sql<{ state: string }[]>`
      select from_state as state from private.transitions where machine = 'moderation_cases'
      union select to_state from private.transitions where machine = 'moderation_cases'`;
    assertEquals([...reached].toSorted(), rows.map(({ state }) => state).toSorted());
  });
});
