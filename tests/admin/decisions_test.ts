import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin } from "../support/clients.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import {
  act,
  createWorld,
  type Decision,
  decisionsOf,
  memberOf,
  noticesOf,
  reason,
  runOut,
  soon,
  suspend,
} from "./support.ts";

const short = ({ kind, status }: Decision) => `${kind} ${status}`;

Deno.test("a suspension has a reason and an end, its member is told, and it ends by itself", async () => {
  const world = await createWorld();
  const { manager, member } = world;
  const until = soon(3600);
  await must(suspend(world, manager, member, { until }));
  assertEquals((await memberOf(world, member)).status, "suspended");
  const [decision] = await decisionsOf(world, member);
  assertEquals(
    [decision!.kind, decision!.status, decision!.reason, decision!.decided_by],
    ["suspension", "standing", reason, manager.id],
  );
  assertEquals(Date.parse(decision!.until!), Date.parse(until));

  await runOut(member);
  assertEquals((await memberOf(world, member)).status, "active");
  const [over] = await decisionsOf(world, member);
  assertEquals([over!.status, over!.ended_by], ["expired", null]);
  assertEquals(await noticesOf(member), ["admin.suspension", "admin.ended"]);
});

Deno.test("what is not due stays, and what has no end is ended by somebody", async () => {
  const world = await createWorld();
  const { manager, second, member } = world;
  await must(suspend(world, manager, member));
  await runOut(member);
  assertEquals((await memberOf(world, member)).status, "suspended");
  await must(act(world, second, "members_set_status", member, { status: "active" }));
  const [lifted] = await decisionsOf(world, member);
  assertEquals([lifted!.status, lifted!.ended_by], ["lifted", second.id]);
});

Deno.test("one decision of a kind stands at a time: the next replaces it", async () => {
  const world = await createWorld();
  const { manager, member } = world;
  await must(suspend(world, manager, member, { until: soon(60) }));
  await must(suspend(world, manager, member, { until: soon(3600) }));
  await must(act(world, manager, "members_set_status", member, { status: "banned", reason }));
  assertEquals((await decisionsOf(world, member)).map(short), [
    "suspension replaced",
    "suspension replaced",
    "ban standing",
  ]);
});

Deno.test("a restriction is a lesser role for a while, and the former one comes back", async () => {
  const world = await createWorld();
  const { manager, member } = world;
  const restrict = (role: string, args: Record<string, unknown> = {}) =>
    act(world, manager, "members_set_role", member, { role, reason, ...args });
  await assertRefused(restrict("member"), 422, "request.invalid");
  await assertRefused(restrict("staff"), 422, "request.invalid");
  await assertRefused(restrict("guest", { reason: null, until: soon(60) }), 422, "request.invalid");
  await must(restrict("guest", { until: soon(3600) }));
  // Meanwhile they may be suspended, too: the one does not end the other.
  await must(suspend(world, manager, member, { until: soon(1800) }));
  assertEquals(await memberOf(world, member), { status: "suspended", role: "guest" });
  await runOut(member);
  assertEquals(await memberOf(world, member), { status: "active", role: "member" });
  assertEquals((await decisionsOf(world, member)).map(short), [
    "restriction expired",
    "suspension expired",
  ]);
});

Deno.test("another role ends a restriction", async () => {
  const world = await createWorld();
  const { manager, member } = world;
  await must(act(world, manager, "members_set_role", member, { role: "guest", reason }));
  await must(act(world, manager, "members_set_role", member, { role: "staff" }));
  assertEquals((await decisionsOf(world, member)).map(short), ["restriction lifted"]);
});

Deno.test("warnings add up, change nothing, and can be taken back or run out", async () => {
  const world = await createWorld();
  const { tenant, manager, second, member } = world;
  const warn = (args: Record<string, unknown> = {}) =>
    act(world, manager, "admin_warn", member, { reason, ...args });
  const first = await must<Decision>(warn());
  await must(warn({ until: soon(60) }));
  assertEquals(await memberOf(world, member), { status: "active", role: "member" });
  const lift = { tenant_id: tenant.id, decision: first.id };
  await must(second.client.rpc("admin_lift_warning", lift));
  await assertRefused(
    second.client.rpc("admin_lift_warning", lift),
    409,
    "admin.decision_ended",
  );
  await runOut(member);
  assertEquals((await decisionsOf(world, member)).map(short), [
    "warning lifted",
    "warning expired",
  ]);
});

Deno.test("who may decide about whom is what members say of every act", async (t) => {
  const world = await createWorld();
  const { tenant, owner, manager, second, member } = world;
  const outsider = await createMember(await createTenant(), "owner");
  const warn = (by: typeof owner, whom: { id: string }, args: Record<string, unknown> = {}) =>
    act(world, by, "admin_warn", whom, { reason, ...args });
  const cases: [string, ReturnType<typeof warn>, number, string][] = [
    ["a member", warn(member, manager), 403, "members.permission_denied"],
    ["an outsider", warn(outsider, member), 404, "tenants.not_found"],
    ["an equal", warn(manager, second), 403, "members.role_above_own"],
    ["one below", warn(manager, owner), 403, "members.role_above_own"],
    ["oneself", warn(manager, manager), 403, "members.not_yourself"],
    ["a stranger", warn(manager, outsider), 404, "members.not_found"],
    ["no reason", warn(manager, member, { reason: " " }), 422, "request.invalid"],
    [
      "too long a reason",
      warn(manager, member, { reason: "x".repeat(1001) }),
      422,
      "request.invalid",
    ],
    ["an end that is over", warn(manager, member, { until: soon(-1) }), 422, "request.invalid"],
    [
      "an end beyond a year",
      warn(manager, member, { until: soon(367 * 86400) }),
      422,
      "request.invalid",
    ],
  ];
  for (const [name, call, status, code] of cases) {
    await t.step(name, () => assertRefused(call, status, code));
  }
  await t.step(
    "a suspension without a reason",
    () => assertRefused(suspend(world, manager, member, { reason: null }), 422, "request.invalid"),
  );
  await t.step("a ban with an end", () =>
    assertRefused(
      act(world, manager, "members_set_status", member, {
        status: "banned",
        reason,
        until: soon(9),
      }),
      422,
      "request.invalid",
    ));
  await t.step("a reason for what needs none", () =>
    assertRefused(
      act(world, manager, "members_set_status", member, { status: "left", reason }),
      422,
      "request.invalid",
    ));
  await t.step("nothing of it stands", async () => {
    assertEquals(await decisionsOf(world, member), []);
  });
  await t.step("a warning of somebody who left", async () => {
    await must(act(world, manager, "members_set_status", member, { status: "left" }));
    await assertRefused(warn(manager, member), 409, "request.transition_refused");
  });
  await t.step("a warning that does not exist", () =>
    assertRefused(
      manager.client.rpc("admin_lift_warning", { tenant_id: tenant.id, decision: member.id }),
      404,
      "admin.decision_not_found",
    ));
});

Deno.test("a membership that is closed leaves no decision standing, and nobody is told of that", async () => {
  const world = await createWorld();
  const { manager, member } = world;
  await must(suspend(world, manager, member));
  await must(act(world, manager, "members_set_status", member, { status: "left" }));
  assertEquals((await decisionsOf(world, member)).map(short), ["suspension lifted"]);
  assertEquals((await noticesOf(member)).includes("admin.ended"), false);
});

Deno.test("an erased person leaves nothing of what was decided about them", async () => {
  const world = await createWorld();
  const { manager, member } = world;
  await must(act(world, manager, "admin_warn", member, { reason }));
  const { error } = await admin().auth.admin.deleteUser(member.id);
  assertEquals([error, await decisionsOf(world, member)], [null, []]);
});
