import assert from "node:assert/strict";
import { block } from "../messaging/support.ts";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { type Goal, goals, setGoal } from "../support/goals.ts";
import { addMember, createMember, createTenant, setStatus } from "../support/tenants.ts";

const tenant = await createTenant({
  modules: ["goals", "messaging"],
  currencies: [],
  time_zone: "Pacific/Auckland",
});
const [owner, staff, ana, ben, carl] = await Promise.all([
  createMember(tenant, "owner"),
  createMember(tenant, "staff"),
  createMember(tenant),
  createMember(tenant),
  createMember(tenant),
]);

const act = (me: Person, name: string, { id }: Pick<Goal, "id">, more = {}) =>
  goals(me, tenant, name, { goal: id, ...more });

const sees = async ({ client }: Person, { id }: Pick<Goal, "id">) =>
  (await must<unknown[]>(client.from("goals").select("id").eq("id", id))).length === 1;

const told = async ({ client }: Person, kind: string, { id }: Pick<Goal, "id">) =>
  (await must<{ payload: Record<string, string> }[]>(
    client.from("notifications").select("payload").eq("kind", kind),
  )).filter(({ payload }) => payload.goal_id === id).length;

const tick = () => withDatabase((sql) => sql`select private.goals_tick()`);

Deno.test("who sees a goal: nobody else, buddies, or members", async () => {
  const goal = await setGoal(ana, tenant);
  assert.deepEqual([goal.status, goal.visibility, goal.progress], ["active", "private", 0]);
  for (const other of [owner, ben]) {
    assert.equal(await sees(other, goal), false);
    await assertRefused(act(other, "check_in", goal), 404, "goals.not_found");
  }
  await assertRefused(act(ana, "invite", goal, { person: ben.id }), 409, "goals.not_shared");
  await must(act(ana, "save", goal, { changes: { visibility: "buddies" } }));
  await must(act(ana, "invite", goal, { person: ben.id }));
  assert.deepEqual([await sees(ben, goal), await sees(carl, goal)], [true, false]);
  await must(act(ana, "save", goal, { changes: { visibility: "members" } }));
  assert.equal(await sees(carl, goal), true);
  await block(carl, tenant, ana);
  assert.equal(await sees(carl, goal), false);
  await assertRefused(act(ana, "invite", goal, { person: carl.id }), 404, "members.not_found");
  await block(carl, tenant, ana, false);
  await setStatus(owner.client, tenant, ana, "suspended");
  assert.deepEqual([await sees(ben, goal), await sees(carl, goal)], [false, false]);
  await setStatus(owner.client, tenant, ana, "active");
  assert.equal(await sees(ben, goal), true);
});

Deno.test("check-ins add up, are corrected by whoever made them, and reach the target", async () => {
  const goal = await setGoal(ana, tenant, { target: 5, visibility: "buddies" });
  await must(act(ana, "invite", goal, { person: ben.id }));
  await must(act(ben, "answer", goal, { accept: true }));
  assert.equal((await must<Goal>(act(ana, "check_in", goal, { amount: 4 }))).progress, 4);
  assert.equal((await must<Goal>(act(ana, "check_in", goal, { amount: -2 }))).progress, 2);
  for (
    const bad of [{ amount: -3 }, { amount: 0 }, { amount: 2e9 }, {
      amount: 1,
      note: "x".repeat(501),
    }]
  ) {
    await assertRefused(act(ana, "check_in", goal, bad), 422, "request.invalid");
  }
  await assertRefused(act(ben, "check_in", goal), 403, "goals.not_the_owner");
  await must(act(ben, "check_in", goal, { amount: 0, note: "Go on" }));
  assert.equal(await told(ana, "goals.checked_in", goal), 1);
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => act(ana, "check_in", goal, { amount: 1 })),
  );
  // The third reaches it; the others find it done.
  assert.deepEqual(answers.map(({ error }) => error?.message ?? "added").toSorted(), [
    ...Array(3).fill("added"),
    ...Array(2).fill("request.transition_refused"),
  ]);
  const [row] = await must<Goal[]>(ana.client.from("goals").select().eq("id", goal.id));
  assert.deepEqual([row!.status, row!.progress], ["reached", 5]);
  assert.equal(await told(ben, "goals.reached", goal), 1);
  assert.equal((await must<Goal>(act(ana, "check_in", goal, { amount: -1 }))).status, "active");
  assert.equal(
    (await must<Goal>(act(ana, "save", goal, { changes: { target: 4 } }))).status,
    "reached",
  );
  assert.equal(
    (await must<Goal>(act(ana, "save", goal, { changes: { target: 9 } }))).status,
    "active",
  );
});

Deno.test("buddies are asked, and may refuse, leave or be parted with", async () => {
  const goal = await setGoal(ana, tenant, { visibility: "buddies" });
  await assertRefused(act(ana, "invite", goal, { person: ana.id }), 404, "members.not_found");
  await assertRefused(
    act(ana, "invite", goal, { person: crypto.randomUUID() }),
    404,
    "members.not_found",
  );
  await must(act(ana, "invite", goal, { person: ben.id }));
  await must(act(ana, "invite", goal, { person: ben.id }));
  assert.equal(await told(ben, "goals.invited", goal), 1);
  await assertRefused(
    act(ben, "check_in", goal, { amount: 0, note: "Hi" }),
    403,
    "goals.not_a_buddy",
  );
  await assertRefused(act(ben, "invite", goal, { person: carl.id }), 403, "goals.not_the_owner");
  await assertRefused(
    act(ben, "save", goal, { changes: { target: 1 } }),
    403,
    "goals.not_the_owner",
  );
  await assertRefused(act(ben, "answer", goal, { accept: null }), 422, "request.invalid");
  await must(act(ben, "answer", goal, { accept: false }));
  assert.equal(await sees(ben, goal), false);
  await assertRefused(act(ben, "answer", goal, { accept: true }), 404, "goals.not_found");
  await must(act(ana, "invite", goal, { person: ben.id }));
  await must(act(ben, "answer", goal, { accept: true }));
  await assertRefused(act(ben, "answer", goal, { accept: true }), 404, "goals.not_invited");
  assert.equal(await told(ana, "goals.joined", goal), 1);
  await assertRefused(act(carl, "part", goal, { person: ben.id }), 404, "goals.buddy_not_found");
  await must(act(ben, "part", goal));
  assert.equal(await sees(ben, goal), false);
  await must(act(ana, "invite", goal, { person: ben.id }));
  await must(act(ana, "part", goal, { person: ben.id }));
  await withDatabase((sql) =>
    sql`insert into goals_buddies (tenant_id, goal_id, person_id, owner_id)
      select tenant_id, ${goal.id}, person_id, ${ana.id} from members
      where tenant_id = ${tenant.id} and person_id not in (${ana.id}, ${ben.id}) limit 3`
  );
  const others = await Promise.all(Array.from({ length: 8 }, () => createMember(tenant)));
  const answers = await Promise.all(
    others.map(({ id }) => act(ana, "invite", goal, { person: id })),
  );
  assert.equal(
    answers.filter(({ error }) => error?.message === "goals.too_many_buddies").length,
    1,
  );
});

Deno.test("a buddy who sees it no more hears nothing of it", async () => {
  const goal = await setGoal(ana, tenant, { target: 2, visibility: "buddies" });
  await must(act(ana, "invite", goal, { person: ben.id }));
  await must(act(ben, "answer", goal, { accept: true }));
  await block(ben, tenant, ana);
  await must(act(ana, "check_in", goal));
  await must(act(ana, "check_in", goal));
  const heard = async () => [
    await told(ben, "goals.checked_in", goal),
    await told(ben, "goals.reached", goal),
  ];
  assert.deepEqual(await heard(), [0, 0]);
  await block(ben, tenant, ana, false);
  await must(act(ana, "save", goal, { changes: { target: 3 } }));
  await must(act(ana, "check_in", goal));
  assert.deepEqual(await heard(), [1, 1]);
});

Deno.test("the community's goals are set by who manages them, and brought on by all", async () => {
  const community = { scope: "community", target: 3 };
  await assertRefused(
    goals(ana, tenant, "save", { changes: { title: "Plant trees", ...community } }),
    403,
    "members.permission_denied",
  );
  const goal = await setGoal(staff, tenant, { title: "Plant trees", ...community });
  assert.equal(goal.visibility, "members");
  await assertRefused(
    act(ana, "save", goal, { changes: { target: 1 } }),
    403,
    "members.permission_denied",
  );
  await assertRefused(act(staff, "invite", goal, { person: ana.id }), 409, "goals.not_shared");
  await must(act(owner, "save", goal, { changes: { unit: "trees" } }));
  await must(act(ana, "check_in", goal));
  await must(act(ben, "check_in", goal));
  await assertRefused(act(ana, "check_in", goal, { amount: -2 }), 422, "request.invalid");
  const reached = await must<Goal>(act(carl, "check_in", goal));
  assert.deepEqual([reached.status, reached.progress], ["reached", 3]);
  assert.deepEqual([
    await told(ana, "goals.reached", goal),
    await told(carl, "goals.reached", goal),
  ], [1, 0]);
});

Deno.test("a goal ends when its last day is over where the tenant lives, and goes on with a later one", async () => {
  const inDays = (days: number) =>
    withDatabase(async (sql) => {
      const [row] = await sql`
        select ((now() at time zone 'Pacific/Auckland')::date + ${days}::int)::text as day`;
      return row!.day as string;
    });
  const goal = await setGoal(ana, tenant, { deadline: await inDays(0), every_days: 7 });
  await tick();
  await tick();
  assert.equal(await told(ana, "goals.deadline", goal), 1);
  const status = async () =>
    (await must<Goal[]>(ana.client.from("goals").select().eq("id", goal.id)))[0]!.status;
  assert.equal(await status(), "active");
  await must(act(ana, "save", goal, { changes: { deadline: await inDays(-1) } }));
  await tick();
  assert.equal(await status(), "missed");
  assert.equal(await told(ana, "goals.missed", goal), 1);
  await assertRefused(act(ana, "check_in", goal), 409, "request.transition_refused");
  await assertRefused(
    act(ana, "set_status", goal, { status: "active" }),
    409,
    "request.transition_refused",
  );
  await must(act(ana, "save", goal, { changes: { deadline: await inDays(9) } }));
  assert.equal(await status(), "active");
  await withDatabase((sql) => sql`update goals set due_at = now() where id = ${goal.id}`);
  await tick();
  await tick();
  assert.equal(await told(ana, "goals.due", goal), 1);
  assert.equal(
    (await must<Goal>(act(ana, "set_status", goal, { status: "abandoned" }))).status,
    "abandoned",
  );
  await assertRefused(act(ana, "set_status", goal, { status: "reached" }), 422, "request.invalid");
  assert.equal(
    (await must<Goal>(act(ana, "set_status", goal, { status: "active" }))).status,
    "active",
  );
});

Deno.test("what no goal can be is refused", async () => {
  const bad = [
    [],
    { title: "no", target: 1 },
    { title: "Nothing" },
    { title: "Read", target: 0 },
    { title: "Read", target: 1.5 },
    { title: "Read", target: "ten" },
    { title: "Read", target: 1, deadline: "infinity" },
    { title: "Read", target: 1, deadline: "2026-02-30" },
    { title: "Read", target: 1, every_days: 0 },
    { title: "Read", target: 1, visibility: "all" },
    { title: "Read", target: 1, scope: "world" },
    { title: "Read", target: 1, owner_id: ben.id },
  ];
  for (const changes of bad) {
    await assertRefused(goals(ana, tenant, "save", { changes }), 422, "request.invalid");
  }
  const goal = await setGoal(staff, tenant);
  await assertRefused(
    act(staff, "save", goal, { changes: { scope: "community" } }),
    422,
    "request.invalid",
  );
});

Deno.test("a reported goal is out of sight, and back after the appeal; who leaves helps nobody", async () => {
  const goal = await setGoal(ana, tenant, { title: "Insult people", visibility: "members" });
  const moderate = ({ client }: Person, name: string, args: Record<string, unknown>) =>
    client.rpc(`moderation_${name}`, { tenant_id: tenant.id, ...args });
  const report = { kind: "goals.goal", subject: goal.id, reason: "harassment" };
  await assertRefused(moderate(ana, "report", report), 404, "moderation.subject_not_found");
  const { case_id } = await must<{ case_id: string }>(moderate(ben, "report", report));
  await must(moderate(staff, "decide", { case_id, action: "remove" }));
  assert.deepEqual([await sees(ben, goal), await sees(ana, goal)], [false, true]);
  await must(moderate(ana, "appeal", { case_id, statement: "It is a play" }));
  await must(moderate(owner, "decide_appeal", { case_id, uphold: false }));
  assert.equal(await sees(ben, goal), true);

  await must(act(ana, "invite", goal, { person: carl.id }));
  await must(act(carl, "answer", goal, { accept: true }));
  await must(carl.client.rpc("members_leave", { tenant_id: tenant.id }));
  await addMember(tenant, carl);
  await assertRefused(act(carl, "part", goal), 404, "goals.buddy_not_found");
});

Deno.test("G2: of somebody erased their goals and words go; what they added for all stays", async () => {
  const dora = await createMember(tenant);
  const shared = await setGoal(staff, tenant, { scope: "community", target: 9 });
  await must(act(dora, "check_in", shared, { amount: 2, note: "By zyxwdora" }));
  const own = await setGoal(dora, tenant, { title: "Zyxwgoal", visibility: "members" });
  await must(act(dora, "invite", own, { person: ben.id }));
  await withDatabase(async (sql) => {
    await sql`update people set erased_at = now() where id = ${dora.id}`;
    for (const table of ["goals", "goals_check_ins", "goals_buddies"]) {
      const rows = await sql.unsafe(
        `select from ${table} t where t::text ilike '%zyxw%' or t::text like '%${own.id}%'`,
      );
      assert.equal(rows.length, 0, table);
    }
    const [row] = await sql`select progress::int from goals where id = ${shared.id}`;
    assert.equal(row!.progress, 2);
  });
});
