import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, setStatus } from "../support/tenants.ts";
import {
  act,
  create,
  createCircle,
  does,
  enter,
  type Membership,
  people,
  read,
} from "./support.ts";

const notices = async ({ client }: Person) =>
  (await must<{ kind: string }[]>(
    client.from("notifications").select("kind").like("kind", "groups.%").order("created_at"),
  )).map(({ kind }) => kind);

Deno.test("a request is decided by a moderator, once, and its author is told", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("private");
  const group_id = group.id;
  const asked = await does(carl, tenant, "join", { group_id, note: "I have a spade." });
  assertEquals([asked.status, asked.note], ["requested", "I have a spade."]);
  assertEquals((await does(carl, tenant, "join", { group_id })).status, "requested");
  assertEquals(await notices(ana), ["groups.requested"]);
  // The request is for its author and the moderators.
  assertEquals((await people(ben, group_id))[carl.id], undefined);
  const decide = (me: Person, admit: boolean | null, person = carl.id) =>
    act(me, tenant, "decide", { group_id, person, admit });
  await assertRefused(decide(ben, true), 403, "groups.role_missing");
  await assertRefused(decide(ana, null), 422, "request.invalid");
  await assertRefused(decide(ana, true, crypto.randomUUID()), 404, "groups.member_not_found");
  assertEquals((await must<Membership>(decide(ana, false))).status, "left");
  await does(carl, tenant, "join", { group_id });
  await must(decide(ana, true));
  await assertRefused(decide(ana, true), 404, "groups.member_not_found");
  assertEquals((await notices(carl)).toSorted(), ["groups.admitted", "groups.refused"]);
  assertEquals((await read(carl, group_id))?.members, 3);
  await assertRefused(
    act(carl, tenant, "join", { group_id, note: "x".repeat(501) }),
    422,
    "request.invalid",
  );
});

Deno.test("an invitation opens a group to whom it is for; a block closes that way", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("private");
  const invite = (me: Person, person = carl.id) =>
    act(me, tenant, "invite", { group_id: group.id, person });
  await assertRefused(invite(ben), 403, "groups.role_missing");
  await assertRefused(invite(ana, crypto.randomUUID()), 404, "members.not_found");
  await assertRefused(invite(ana, ben.id), 409, "groups.already_member");
  const block = (blocked: boolean) =>
    must(
      carl.client.rpc("messaging_block", { tenant_id: tenant.id, person: ana.id, blocked }),
    );
  await block(true);
  await assertRefused(invite(ana), 403, "messaging.blocked");
  await block(false);
  assertEquals((await must<Membership>(invite(ana))).status, "invited");
  assertEquals((await must<Membership>(invite(ana))).status, "invited");
  assertEquals(await notices(carl), ["groups.invited"]);
  assertEquals((await does(carl, tenant, "join", { group_id: group.id })).status, "active");
  // Into a public group whoever is in it may invite.
  const open = await create(ana, tenant);
  await enter(ana, tenant, open.id, ben);
  assertEquals(
    (await does(ben, tenant, "invite", { group_id: open.id, person: carl.id })).status,
    "invited",
  );
});

Deno.test("a ban holds here and below until it is lifted", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("public");
  const below = await create(ana, tenant, { parent_id: group.id });
  await does(ben, tenant, "join", { group_id: below.id });
  const remove = (me: Person, person: Person, ban = false) =>
    act(me, tenant, "remove", { group_id: group.id, person: person.id, ban });
  await assertRefused(remove(ben, ana), 403, "groups.role_missing");
  await assertRefused(remove(ana, ana), 422, "request.invalid");
  await assertRefused(remove(ana, carl), 404, "groups.member_not_found");
  assertEquals((await must<Membership>(remove(ana, ben, true))).status, "banned");
  assertEquals(await people(ana, below.id), { [ana.id]: "owner", [ben.id]: "left" });
  for (const group_id of [group.id, below.id]) {
    await assertRefused(act(ben, tenant, "join", { group_id }), 403, "groups.banned");
  }
  await does(ana, tenant, "post", { group_id: group.id, title: "x", body: "x" });
  const seen = await must<unknown[]>(
    ben.client.from("groups_posts").select().eq("group_id", group.id),
  );
  assertEquals(seen, []);
  assertEquals(await notices(ben), ["groups.invited", "groups.removed"]);
  const unban = (person: Person) =>
    act(ana, tenant, "unban", { group_id: group.id, person: person.id });
  await assertRefused(unban(carl), 404, "groups.member_not_found");
  await must(unban(ben));
  assertEquals((await does(ben, tenant, "join", { group_id: group.id })).status, "active");
});

Deno.test("a group has one owner: handed over, followed when gone, and closed when empty", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("public");
  const group_id = group.id;
  await does(carl, tenant, "join", { group_id });
  const role = (me: Person, person: Person, role: string) =>
    act(me, tenant, "set_role", { group_id, person: person.id, role });
  await assertRefused(role(ben, carl, "moderator"), 403, "groups.role_missing");
  await assertRefused(role(ana, carl, "king"), 422, "request.invalid");
  await assertRefused(role(ana, ana, "member"), 422, "request.invalid");
  const stranger = await createMember(tenant);
  await assertRefused(role(ana, stranger, "member"), 404, "groups.member_not_found");
  await must(role(ana, carl, "owner"));
  assertEquals(await people(ben, group_id), {
    [ana.id]: "moderator",
    [ben.id]: "member",
    [carl.id]: "owner",
  });
  await assertRefused(
    act(ana, tenant, "remove", { group_id, person: carl.id }),
    403,
    "groups.role_missing",
  );
  // Moderators come before who has been there for longer.
  await does(carl, tenant, "leave", { group_id });
  assertEquals((await people(ben, group_id))[ana.id], "owner");
  const owner = await createMember(tenant, "owner");
  await setStatus(owner.client, tenant, ana, "banned");
  assertEquals(await people(ben, group_id), {
    [ana.id]: "left",
    [ben.id]: "owner",
    [carl.id]: "left",
  });
  await does(ben, tenant, "leave", { group_id });
  assertEquals(await read(carl, group_id), undefined);
  await assertRefused(act(ben, tenant, "leave", { group_id }), 404, "groups.not_found");
  await withDatabase(async (sql) => {
    const [row] = await sql`select status, members from groups where id = ${group_id}`;
    assertEquals({ ...row }, { status: "closed", members: 0 });
  });
});

Deno.test("a closed group is read by its members, written by nobody and seen by nobody else", async () => {
  const { tenant, ana, ben, carl, group } = await createCircle("public");
  const group_id = group.id;
  const below = await create(ana, tenant, { parent_id: group_id });
  const thread = await does<{ id: string }>(ana, tenant, "post", {
    group_id,
    title: "x",
    body: "x",
  });
  await assertRefused(act(ben, tenant, "close", { group_id }), 403, "groups.role_missing");
  await does(ana, tenant, "close", { group_id });
  assertEquals((await read(ana, below.id))?.status, "closed");
  assertEquals([(await read(ben, group_id))?.status, await read(carl, group_id)], [
    "closed",
    undefined,
  ]);
  await assertRefused(act(carl, tenant, "join", { group_id }), 404, "groups.not_found");
  const closed: [string, Record<string, unknown>][] = [
    ["update", { group_id, name: "x" }],
    ["invite", { group_id, person: carl.id }],
    ["post", { group_id, title: "x", body: "x" }],
    ["reply", { thread_id: thread.id, body: "x" }],
    ["edit", { post_id: thread.id, body: "x" }],
    ["close", { group_id: below.id, closed: false }],
  ];
  for (const [name, args] of closed) {
    await assertRefused(act(ana, tenant, name, args), 409, "groups.closed");
  }
  await does(ana, tenant, "close", { group_id, closed: false });
  await does(carl, tenant, "join", { group_id });
});

Deno.test("of two who change a group at once, the second is told", async () => {
  const { tenant, ana, group } = await createCircle("public");
  const change = (name: string) =>
    act(ana, tenant, "update", { group_id: group.id, name, version: group.version });
  const [first] = await Promise.all([must<{ version: number }>(change("First"))]);
  assertEquals(first!.version, group.version + 1);
  await assertRefused(change("Second"), 412, "request.precondition_failed");
  await assertRefused(
    act(ana, tenant, "create", { name: " " }),
    422,
    "request.invalid",
  );
});

Deno.test("however many come and go at once, the count is right and every state has a way out", async () => {
  const { tenant, group } = await createCircle("public");
  const crowd = await Promise.all(Array.from({ length: 6 }, () => createMember(tenant)));
  const group_id = group.id;
  await Promise.all(crowd.map((me) => does(me, tenant, "join", { group_id })));
  await Promise.all(crowd.slice(0, 3).map((me) => does(me, tenant, "leave", { group_id })));
  await withDatabase(async (sql) => {
    const [row] = await sql`
      select g.members, (
        select count(*)::int from groups_members m where m.group_id = g.id and m.status = 'active'
      ) as counted from groups g where g.id = ${group_id}`;
    assertEquals({ ...row }, { members: 5, counted: 5 });
    const steps = await sql<{ from_state: string; to_state: string }[]>`
      select from_state, to_state from private.transitions where machine = 'groups_members'`;
    for (const state of ["requested", "invited", "active", "left", "banned"]) {
      assertEquals(steps.some(({ from_state }) => from_state === state), true, `${state} is left`);
      assertEquals(steps.some(({ to_state }) => to_state === state), true, `${state} is reached`);
    }
  });
});
