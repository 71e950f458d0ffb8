import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import {
  act,
  type Appeal,
  createWorld,
  decisionsOf,
  memberOf,
  noticesOf,
  reason,
  runOut,
  soon,
  suspend,
  type World,
} from "./support.ts";

const statement = "It was a joke among friends.";

const appealTo = ({ client }: Person, decision: string, text: string | null = statement) =>
  client.rpc("admin_appeal", { decision, statement: text });

const decide = (
  { tenant }: World,
  by: Person,
  appeal: string,
  overturn: boolean | null,
  answer: string | null = "Looked at again.",
) => by.client.rpc("admin_appeal_decide", { tenant_id: tenant.id, appeal, overturn, answer });

/** A world in which the member is suspended and has appealed. */
async function appealed(args: Record<string, unknown> = {}) {
  const world = await createWorld();
  await must(suspend(world, world.manager, world.member, args));
  const [decision] = await decisionsOf(world, world.member);
  const appeal = await must<Appeal>(appealTo(world.member, decision!.id));
  return { world, decision: decision!, appeal };
}

Deno.test("whoever is suspended sees why and appeals once; another admin takes it back", async () => {
  const { world, decision, appeal } = await appealed();
  const { manager, second, owner, member } = world;
  assertEquals(appeal.status, "submitted");
  await assertRefused(appealTo(member, decision.id), 409, "admin.already_appealed");
  await assertRefused(decide(world, manager, appeal.id, true), 403, "admin.own_decision");
  const [seen] = await must<Record<string, unknown>[]>(member.client.rpc("admin_my_decisions"));
  assertEquals(
    [seen!.kind, seen!.reason, seen!.appeal_status, "decided_by" in seen!],
    ["suspension", reason, "submitted", false],
  );
  for (const told of [second, owner]) {
    assertEquals(await noticesOf(told), ["admin.appeal_submitted"]);
  }
  assertEquals(await noticesOf(manager), []);

  const decided = await must<Appeal>(decide(world, second, appeal.id, true));
  assertEquals([decided.status, decided.decided_by], ["overturned", second.id]);
  assertEquals((await memberOf(world, member)).status, "active");
  assertEquals((await decisionsOf(world, member))[0]!.status, "overturned");
  assertEquals((await noticesOf(member)).at(-1), "admin.appeal_overturned");
});

Deno.test("an upheld decision stands, and the answer is told", async () => {
  const { world, appeal } = await appealed();
  const { second, member } = world;
  await must(decide(world, second, appeal.id, false, "We still think so."));
  assertEquals((await memberOf(world, member)).status, "suspended");
  const [seen] = await must<Record<string, unknown>[]>(member.client.rpc("admin_my_decisions"));
  assertEquals([seen!.appeal_status, seen!.appeal_answer], ["upheld", "We still think so."]);
  assertEquals((await noticesOf(member)).at(-1), "admin.appeal_upheld");
  for (const overturn of [true, false]) {
    await assertRefused(
      decide(world, second, appeal.id, overturn),
      409,
      "request.transition_refused",
    );
  }
});

Deno.test("each of the ways an appeal ends is final", async (t) => {
  await t.step("withdrawn", async () => {
    const { world, appeal, decision } = await appealed();
    const withdraw = () => world.member.client.rpc("admin_appeal_withdraw", { appeal: appeal.id });
    assertEquals((await must<Appeal>(withdraw())).status, "withdrawn");
    await assertRefused(withdraw(), 409, "request.transition_refused");
    await assertRefused(appealTo(world.member, decision.id), 409, "admin.already_appealed");
    await assertRefused(
      decide(world, world.second, appeal.id, true),
      409,
      "request.transition_refused",
    );
  });
  await t.step("closed, because the decision ran out", async () => {
    const { world, appeal } = await appealed({ until: soon(60) });
    await runOut(world.member);
    const [closed] = await must<Appeal[]>(
      world.owner.client.from("admin_appeals").select("*").eq("id", appeal.id),
    );
    assertEquals(closed!.status, "closed");
    await assertRefused(
      decide(world, world.second, appeal.id, true),
      409,
      "request.transition_refused",
    );
  });
  await t.step("no other step is in the table, and the table holds everybody to it", async () => {
    await withDatabase(async (sql) => {
      const steps = await sql<{ step: string }[]>`
        select machine || ': ' || from_state || ' > ' || to_state as step from private.transitions
        where machine in ('admin_decisions', 'admin_appeals') order by 1`;
      assertEquals(steps.map(({ step }) => step), [
        "admin_appeals: submitted > closed",
        "admin_appeals: submitted > overturned",
        "admin_appeals: submitted > upheld",
        "admin_appeals: submitted > withdrawn",
        "admin_decisions: standing > expired",
        "admin_decisions: standing > lifted",
        "admin_decisions: standing > overturned",
        "admin_decisions: standing > replaced",
      ]);
    });
  });
});

Deno.test("whoever is banned appeals, too, and comes back as what they were", async (t) => {
  const ban = (world: World) =>
    act(world, world.manager, "members_set_status", world.member, { status: "banned", reason });
  await t.step("a member", async () => {
    const world = await createWorld();
    await must(ban(world));
    const [decision] = await decisionsOf(world, world.member);
    const { id } = await must<Appeal>(appealTo(world.member, decision!.id));
    await must(decide(world, world.second, id, true));
    assertEquals((await memberOf(world, world.member)).status, "active");
  });
  await t.step("somebody who had left asks to come in again", async () => {
    const world = await createWorld();
    await must(world.member.client.rpc("members_leave", { tenant_id: world.tenant.id }));
    await must(ban(world));
    const [decision] = await decisionsOf(world, world.member);
    const { id } = await must<Appeal>(appealTo(world.member, decision!.id));
    await must(decide(world, world.second, id, true));
    assertEquals((await memberOf(world, world.member)).status, "pending");
  });
});

Deno.test("nobody gives back by an appeal a role that they could not give", async () => {
  const world = await createWorld();
  const { owner, manager, second } = world;
  const other = await createMember(world.tenant, "owner");
  await must(act(world, owner, "members_set_role", other, { role: "guest", reason }));
  const [decision] = await decisionsOf(world, other);
  const { id } = await must<Appeal>(appealTo(other, decision!.id));
  await assertRefused(decide(world, manager, id, true), 403, "members.role_above_own");
  await must(decide(world, second, id, false));
  assertEquals((await memberOf(world, other)).role, "guest");
});

Deno.test("an appeal is refused to everybody whose it is not", async (t) => {
  const { world, decision, appeal } = await appealed();
  const { tenant, second, member } = world;
  const stranger = await createMember(await createTenant(), "owner");
  const unknown = crypto.randomUUID();
  const cases: [
    string,
    PromiseLike<{ status: number; data: unknown; error: null | { message: string; code: string } }>,
    number,
    string,
  ][] = [
    ["another's decision", appealTo(second, decision.id), 404, "admin.decision_not_found"],
    ["an unknown decision", appealTo(member, unknown), 404, "admin.decision_not_found"],
    ["nothing said", appealTo(member, decision.id, "  "), 422, "request.invalid"],
    ["too much said", appealTo(member, decision.id, "x".repeat(4001)), 422, "request.invalid"],
    [
      "another's appeal",
      second.client.rpc("admin_appeal_withdraw", { appeal: appeal.id }),
      404,
      "admin.appeal_not_found",
    ],
    ["by a member", decide(world, member, appeal.id, true), 403, "members.not_active"],
    ["by an outsider", decide(world, stranger, appeal.id, true), 404, "tenants.not_found"],
    ["an unknown appeal", decide(world, second, unknown, true), 404, "admin.appeal_not_found"],
    ["without an answer", decide(world, second, appeal.id, true, null), 422, "request.invalid"],
    ["neither way", decide(world, second, appeal.id, null), 422, "request.invalid"],
  ];
  for (const [name, call, status, code] of cases) {
    await t.step(name, () => assertRefused(call, status, code));
  }
  await t.step("in the tables, members see nothing of it", async () => {
    const other = await createMember(tenant);
    for (const table of ["admin_decisions", "admin_appeals"]) {
      for (const { client } of [member, other, stranger]) {
        assertEquals(await must(client.from(table).select("*")), [], table);
      }
    }
  });
  await t.step("what has ended is not appealed", async () => {
    await must(act(world, second, "members_set_status", member, { status: "active" }));
    await assertRefused(appealTo(member, decision.id), 409, "admin.decision_ended");
  });
});

Deno.test("of two who decide at once one is refused, and so is one of two who appeal", async () => {
  const world = await createWorld();
  const { owner, second, member } = world;
  await must(suspend(world, world.manager, member));
  const [decision] = await decisionsOf(world, member);
  const tries = await Promise.all(Array.from({ length: 5 }, () => appealTo(member, decision!.id)));
  const [made] = tries.filter(({ error }) => !error);
  assertEquals(tries.filter(({ error }) => error?.message === "admin.already_appealed").length, 4);
  const answers = await Promise.all([
    decide(world, owner, made!.data.id, false),
    decide(world, second, made!.data.id, true),
  ]);
  assertEquals(answers.map(({ error }) => error?.message ?? "done").sort(), [
    "done",
    "request.transition_refused",
  ]);
  const overturned = answers[1]!.error === null;
  assertEquals((await memberOf(world, member)).status, overturned ? "active" : "suspended");
});
