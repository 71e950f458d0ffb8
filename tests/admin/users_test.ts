import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertProblem } from "../support/api.ts";
import { assertRefused, must } from "../support/answers.ts";
import { admin, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import {
  act,
  callAdmin,
  createWorld,
  noticesOf,
  reason,
  soon,
  suspend,
  type World,
} from "./support.ts";

interface User {
  id: string;
  display_name: string;
  email: string | null;
  email_verified: boolean;
  status: string;
  waiting_for: string | null;
  stuck: boolean;
  suspended_until: string | null;
}

interface Page {
  data: User[];
  next_cursor: string | null;
}

async function list(world: World, query: Record<string, string> = {}): Promise<Page> {
  const response = await callAdmin(world, world.manager, `/users?${new URLSearchParams(query)}`);
  const body = await response.json();
  assertEquals(response.status, 200, JSON.stringify(body));
  return body;
}

const names = ({ data }: Page) => data.map(({ display_name }) => display_name);

async function createNamed(world: World, name: string): Promise<Person> {
  const person = await createMember(world.tenant);
  await must(person.client.rpc("people_update_me", { changes: { display_name: name } }));
  return person;
}

/** Somebody on the way in, since so many days. */
async function createWaiting(world: World, name: string, confirmed: boolean, days = 0) {
  const email = `${crypto.randomUUID()}@nexus.test`;
  const { data, error } = await admin().auth.admin.createUser({
    email,
    email_confirm: confirmed,
    user_metadata: { display_name: name },
  });
  if (error) throw error;
  const { id } = data.user;
  await withDatabase(async (sql) => {
    await sql`select private.admit(${world.tenant.id}, ${id})`;
    await sql`
      update members set waiting_since = now() - make_interval(days => ${days}, hours => 1)
      where tenant_id = ${world.tenant.id} and person_id = ${id}`;
  });
  return { id, email };
}

Deno.test("GET /admin/users searches, filters and sorts the tenant's own members", async (t) => {
  const world = await createWorld();
  const { manager, member } = world;
  const zoe = await createNamed(world, "Zoë Ångström");
  await createNamed(world, "Bea 100%_real");
  const elsewhere = await createMember(await createTenant());
  await must(
    elsewhere.client.rpc("people_update_me", { changes: { display_name: "Zoë Elsewhere" } }),
  );
  await must(suspend(world, manager, member, { until: soon(3600) }));

  await t.step("by a part of the name, whatever its case", async () => {
    for (const search of ["zoë", "NGSTR", "Zoë Å"]) {
      assertEquals(names(await list(world, { search })), ["Zoë Ångström"], search);
    }
    assertEquals(names(await list(world, { search: "0%_r" })), ["Bea 100%_real"]);
    assertEquals(names(await list(world, { search: "_____________" })), []);
    assertEquals(names(await list(world, { search: "\\" })), []);
  });
  await t.step("by a whole address, of the tenant's members alone", async () => {
    assertEquals(names(await list(world, { search: zoe.email.toUpperCase() })), ["Zoë Ångström"]);
    assertEquals(names(await list(world, { search: elsewhere.email })), []);
    assertEquals(names(await list(world, { search: zoe.email.slice(1) })), []);
  });
  await t.step("by status and role", async () => {
    const { data: [found] } = await list(world, { status: "suspended" });
    assertEquals([found!.id, found!.suspended_until === null], [member.id, false]);
    assertEquals((await list(world, { role: "admin" })).data.length, 2);
    await must(act(world, manager, "members_set_role", zoe, { role: "guest+staff" }));
    assertEquals(names(await list(world, { role: "staff" })), ["Zoë Ångström"]);
    assertEquals((await list(world, { role: "admin", status: "banned" })).data, []);
  });
  await t.step("in both orders, by name and by time", async () => {
    const byName = names(await list(world));
    assertEquals(names(await list(world, { sort: "-name" })), byName.toReversed());
    const byTime = (await list(world, { sort: "joined" })).data.map(({ id }) => id);
    const backwards = (await list(world, { sort: "-joined" })).data.map(({ id }) => id);
    assertEquals(backwards, byTime.toReversed());
    assertEquals((await list(world, { to: soon(-3600) })).data, []);
    assertEquals((await list(world, { from: soon(-3600), to: soon(60) })).data.length, 6);
  });
  await t.step("whoever left is listed by that status alone", async () => {
    await must(act(world, manager, "members_set_status", zoe, { status: "left" }));
    assertEquals(names(await list(world)).includes("Zoë Ångström"), false);
    assertEquals(names(await list(world, { status: "left" })), ["Zoë Ångström"]);
  });
});

Deno.test("GET /admin/users goes through all pages, each member once", async () => {
  const world = await createWorld();
  await Promise.all(Array.from({ length: 8 }, () => createNamed(world, "Same Name")));
  for (const sort of ["name", "-name", "joined", "-joined"]) {
    const whole = (await list(world, { sort })).data.map(({ id }) => id);
    assertEquals(whole.length, 12);
    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page: Page = await list(world, { sort, limit: "5", ...(cursor && { cursor }) });
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.next_cursor;
    }
    assertEquals(seen, whole, sort);
  }
});

Deno.test("who is on the way in is visible, those who are stuck apart, and can be nudged", async (t) => {
  const world: World = await createWorld();
  const { tenant, owner, manager } = world;
  await must(
    owner.client.from("tenants").update({ registration_policy: "approval" }).eq("id", tenant.id),
  );
  const fresh = await createWaiting(world, "Fresh", false);
  const stuck = await createWaiting(world, "Stuck", false, 3);
  const asking = await createWaiting(world, "Asking", true, 3);
  const nudge = (person: { id: string }, by = manager) =>
    callAdmin(world, by, `/users/${person.id}/nudge`, { method: "POST" });

  await t.step("listed", async () => {
    assertEquals(names(await list(world, { attention: "unverified" })), ["Fresh", "Stuck"]);
    assertEquals(names(await list(world, { attention: "pending" })), ["Asking", "Fresh", "Stuck"]);
    assertEquals(names(await list(world, { attention: "stuck" })), ["Asking", "Stuck"]);
    const { data: [found] } = await list(world, { search: fresh.email });
    assertEquals(
      [found!.status, found!.waiting_for, found!.email_verified, found!.stuck],
      ["pending", "email", false, false],
    );
  });
  await t.step("nudged once a day, by mail", async () => {
    assertEquals((await nudge(stuck)).status, 202);
    assertEquals((await noticesOf(stuck)).length, 1);
    await assertProblem(await nudge(stuck), 429, "limits.exceeded");
  });
  await t.step("by each tenant that they wait in", async () => {
    const other = await createWorld();
    await withDatabase((sql) => sql`select private.admit(${other.tenant.id}, ${stuck.id})`);
    const path = `/users/${stuck.id}/nudge`;
    assertEquals((await callAdmin(other, other.manager, path, { method: "POST" })).status, 202);
  });
  await t.step("not nudged for what is ours to do, nor who is in, nor by a member", async () => {
    await assertProblem(await nudge(asking), 409, "members.waits_for_you");
    await assertProblem(await nudge(world.member), 404, "members.not_found");
    await assertProblem(await nudge(fresh, world.member), 403, "members.permission_denied");
  });
  await t.step("admins are told once", async () => {
    const tell = () =>
      withDatabase((sql) =>
        sql`select private.jobs_run_schedule('admin-tell-stuck', manual => true)`
      );
    await tell();
    assertEquals(await noticesOf(owner), ["admin.people_stuck"]);
    await withDatabase((sql) =>
      sql`update members set waiting_since = waiting_since - interval '1 day'
        where tenant_id = ${tenant.id} and status = 'pending'`
    );
    await tell();
    assertEquals(await noticesOf(owner), ["admin.people_stuck"]);
  });
});

Deno.test("GET /admin/users/{id} tells what was decided, its activity what was done", async (t) => {
  const world = await createWorld();
  const { tenant, owner, manager, member } = world;
  await must(suspend(world, manager, member));
  const [decision] = await must<{ id: string }[]>(member.client.rpc("admin_my_decisions"));
  await must(member.client.rpc("admin_appeal", { decision: decision!.id, statement: "Why?" }));
  await t.step("decisions and appeals", async () => {
    const response = await callAdmin(world, manager, `/users/${member.id}`);
    const user = await response.json();
    assertEquals(response.status, 200, JSON.stringify(user));
    const [{ kind, reason: said, appeal }] = user.decisions;
    assertEquals([user.id, user.status, kind, said], [
      member.id,
      "suspended",
      "suspension",
      reason,
    ]);
    assertEquals([appeal.status, appeal.statement], ["submitted", "Why?"]);
  });
  await t.step("activity, newest first, in pages, and on the trail itself", async () => {
    const path = `/users/${member.id}/activity`;
    const page = await (await callAdmin(world, manager, `${path}?limit=1`)).json();
    assertEquals(page.data.map(({ action }: { action: string }) => action), ["APPEAL_SUBMITTED"]);
    const rest = await (await callAdmin(
      world,
      manager,
      `${path}?cursor=${encodeURIComponent(page.next_cursor)}`,
    )).json();
    assertEquals(
      rest.data.map(({ action }: { action: string }) => action),
      ["MEMBER_STATUS_CHANGED", "MEMBER_JOINED"],
    );
    const reads = await must<unknown[]>(owner.client.rpc("audit_search", {
      tenant_id: tenant.id,
      action: "AUDIT_READ",
      resource: `members:${member.id}`,
    }));
    assertEquals(reads.length, 2);
  });
  await t.step("nobody who is no member", async () => {
    for (const path of ["", "/activity"]) {
      const response = await callAdmin(world, manager, `/users/${crypto.randomUUID()}${path}`);
      await assertProblem(response, 404, "members.not_found");
    }
  });
});

Deno.test("PATCH and DELETE /admin/users/{id} are the acts on a membership, one at a time", async (t) => {
  const world = await createWorld();
  const { manager, owner, member } = world;
  const patch = (body: Record<string, unknown>, person = member) =>
    callAdmin(world, manager, `/users/${person.id}`, { method: "PATCH", body });
  const done = async (response: Promise<Response>) => {
    const answer = await response;
    const body = await answer.json();
    assertEquals(answer.status, 200, JSON.stringify(body));
    return body;
  };
  await t.step("warn, suspend, readmit, another role, ban", async () => {
    assertEquals((await done(patch({ warning: reason }))).decisions.length, 1);
    const suspended = await done(patch({ status: "suspended", reason, until: soon(3600) }));
    assertEquals([suspended.status, suspended.suspended_until === null], ["suspended", false]);
    assertEquals((await done(patch({ status: "active" }))).status, "active");
    assertEquals((await done(patch({ role: "staff" }))).role, "staff");
    const restricted = await done(patch({ role: "guest", reason, until: soon(60) }));
    assertEquals([restricted.role, restricted.restricted_until === null], ["guest", false]);
    assertEquals((await done(patch({ status: "banned", reason }))).status, "banned");
    assertEquals((await done(patch({ status: "active" }))).status, "active");
  });
  await t.step("what is not one act", async () => {
    const bad = [
      {},
      { status: "left" },
      { status: "happy" },
      { status: "active", role: "staff" },
      { warning: reason, status: "banned" },
      { warning: "" },
      { status: "suspended" },
      { status: "suspended", reason, until: "tomorrow" },
      { status: "suspended", reason, until: soon(-60) },
    ];
    for (const body of bad) await assertProblem(await patch(body), 422, "request.invalid");
  });
  await t.step("whom one may not", async () => {
    const suspension = { status: "suspended", reason };
    await assertProblem(await patch(suspension, owner), 403, "members.role_above_own");
    await assertProblem(await patch(suspension, manager), 403, "members.not_yourself");
    await assertProblem(await patch({ role: "king" }), 404, "members.role_not_found");
  });
  await t.step("closing the membership", async () => {
    const close = () => callAdmin(world, manager, `/users/${member.id}`, { method: "DELETE" });
    assertEquals((await done(close())).status, "left");
    await assertProblem(await close(), 409, "request.transition_refused");
  });
});

Deno.test("admin_users refuses what is not of its form", async (t) => {
  const world = await createWorld();
  const { tenant, manager } = world;
  const bad: Record<string, unknown>[] = [
    { sort: "age" },
    { sort: null },
    { attention: "much" },
    { page_size: 0 },
    { page_size: 101 },
    { page_size: null },
    { cursor: "x" },
    { cursor: "[]" },
    { cursor: '["a", "b"]' },
    { cursor: '["a", null]' },
    { cursor: `["a", "${tenant.id}"]`, sort: "joined" },
  ];
  for (const args of bad) {
    await t.step(JSON.stringify(args), () =>
      assertRefused(
        manager.client.rpc("admin_users", { tenant_id: tenant.id, ...args }),
        422,
        "request.invalid",
      ));
  }
});
