import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { createMember } from "../support/tenants.ts";
import { type Circle, createCircle, does, enter, type Post, posts } from "./support.ts";

interface Case {
  id: string;
  status: string;
  place_id: string | null;
  excerpt: string;
}

const cases = ({ client }: Person) => must<Case[]>(client.from("moderation_cases").select());

const call = (
  { client }: Person,
  { tenant }: Circle,
  name: string,
  more: Record<string, unknown>,
) => client.rpc(`moderation_${name}`, { tenant_id: tenant.id, ...more });

/** A post of Ben's in Ana's group that Carl reported. */
async function createReported() {
  const circle = await createCircle("secret");
  const { tenant, ana, ben, carl, group } = circle;
  await enter(ana, tenant, group.id, carl);
  const post = await does<Post>(ben, tenant, "post", {
    group_id: group.id,
    title: "Spam",
    body: "Buy",
  });
  const report = { kind: "groups.post", subject: post.id, reason: "spam" };
  const { case_id } = await must<{ case_id: string }>(call(carl, circle, "report", report));
  return { circle, post, case_id };
}

Deno.test("a report in a group reaches its moderators, who see the case and decide it", async () => {
  const { circle, post, case_id } = await createReported();
  const { ana, ben, carl, group } = circle;
  const [told] = await must<{ kind: string }[]>(
    ana.client.from("notifications").select("kind").eq("kind", "moderation.reported"),
  );
  assertEquals(told!.kind, "moderation.reported");
  const [matter] = await cases(ana);
  assertEquals([matter!.id, matter!.place_id, matter!.excerpt], [case_id, group.id, "Spam\nBuy"]);
  assertEquals([await cases(ben), await cases(carl)], [[], []]);
  const decide = (me: Person, action: string) => call(me, circle, "decide", { case_id, action });
  await assertRefused(decide(carl, "remove"), 403, "members.permission_denied");
  // About a person the tenant decides.
  await assertRefused(decide(ana, "suspend"), 403, "members.permission_denied");
  assertEquals((await must<Case>(decide(ana, "remove"))).status, "actioned");
  await assertRefused(decide(ana, "dismiss"), 409, "request.transition_refused");
  assertEquals((await posts(carl, group.id)).map(({ id, body }) => [id, body]), [[post.id, null]]);
});

Deno.test("an appeal is the tenant's to decide, and overturned the post is there again", async () => {
  const { circle, post, case_id } = await createReported();
  const { tenant, ana, ben, carl, group } = circle;
  const staff = await createMember(tenant, "staff");
  await must(call(ana, circle, "decide", { case_id, action: "remove" }));
  await must(call(ben, circle, "appeal", { case_id, statement: "It is a gift." }));
  const decide = (me: Person) => call(me, circle, "decide_appeal", { case_id, uphold: false });
  await assertRefused(decide(ana), 403, "members.permission_denied");
  await must(decide(staff));
  const [back] = await posts(carl, group.id);
  assertEquals([back!.id, back!.title, back!.body], [post.id, "Spam", "Buy"]);
});

Deno.test("a moderator who ceases to be one decides and sees nothing more, nor of other groups", async () => {
  const { circle, case_id } = await createReported();
  const { tenant, ana, ben, carl, group } = circle;
  const other = await does<{ id: string }>(ben, tenant, "create", { name: "Other" });
  assertEquals([await cases(ben), other.id === group.id], [[], false]);
  await assertRefused(
    call(ben, circle, "decide", { case_id, action: "dismiss" }),
    403,
    "members.permission_denied",
  );
  await does(ana, tenant, "set_role", { group_id: group.id, person: carl.id, role: "owner" });
  await does(carl, tenant, "set_role", { group_id: group.id, person: ana.id, role: "member" });
  assertEquals(await cases(ana), []);
  await assertRefused(
    call(ana, circle, "decide", { case_id, action: "remove" }),
    403,
    "members.permission_denied",
  );
  // Who reported may be who moderates; whose it is may not.
  await must(call(carl, circle, "decide", { case_id, action: "dismiss" }));
});

Deno.test("no group's owner judges their own case", async () => {
  const { circle } = await createReported();
  const { tenant, ana, ben, group } = circle;
  const { id } = await does<Post>(ana, tenant, "post", {
    group_id: group.id,
    title: "x",
    body: "x",
  });
  const { case_id } = await must<{ case_id: string }>(
    call(ben, circle, "report", { kind: "groups.post", subject: id, reason: "hate" }),
  );
  await assertRefused(
    call(ana, circle, "decide", { case_id, action: "dismiss" }),
    403,
    "moderation.own_case",
  );
});
