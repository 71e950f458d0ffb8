import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { look } from "../support/abuse.ts";
import { issue } from "../support/tenants.ts";
import { pay, type Receipt } from "../support/wallet.ts";
import { call, type Case, cases, createWorld, findings, type World } from "./support.ts";

const notices = async ({ client }: Person) =>
  (await must<{ kind: string }[]>(
    client.from("notifications").select("kind").like("kind", "abuse.%"),
  )).map(({ kind }) => kind).toSorted();

/** A case about Ana, of a payment of fifty hours. */
async function found(world: World): Promise<Case> {
  await must(pay(world.tenant, world.ana, world.ben, 3000));
  await look(world.tenant);
  return (await cases(world.staff)).findLast(({ status }) => status === "open")!;
}

Deno.test("fifty hours in one payment make a case, found once, and reviewers hear of it once", async () => {
  const world = await createWorld();
  const { tenant, owner, staff, ana, ben } = world;
  await must(pay(tenant, ana, ben, 2999));
  assertEquals(await look(tenant), 0);
  const { id } = await must<Receipt>(pay(tenant, ana, ben, 3000));
  assertEquals([await look(tenant), await look(tenant)], [1, 0]);
  const [matter, ...more] = await cases(staff);
  assertEquals(
    [matter!.rule, matter!.person_id, matter!.status, more],
    ["large_transfer", ana.id, "open", []],
  );
  assertEquals((await findings(staff))[0]!.facts, { transfers: [id], minutes: 3000, limit: 3000 });
  await must(pay(tenant, ana, ben, 3001));
  await look(tenant);
  const grown = await cases(staff);
  assertEquals(grown.map((one) => one.findings), [2], "it joins the open case");
  assertEquals([await notices(staff), await notices(owner)], [["abuse.found"], ["abuse.found"]]);
  assertEquals([await notices(ana), await cases(ana), await findings(ana)], [[], [], []]);
});

Deno.test("a tenant sets its own limits; nobody else does, nor beyond reason", async () => {
  const { tenant, owner, staff, ana, ben } = await createWorld();
  const rule = { rule: "large_transfer", minutes: 100 };
  await must(call(owner, tenant, "rule_save", rule));
  await must(pay(tenant, ana, ben, 100));
  assertEquals(await look(tenant), 1);
  await must(call(owner, tenant, "rule_save", { ...rule, active: false }));
  await must(pay(tenant, ana, ben, 100));
  assertEquals(await look(tenant), 0);
  await assertRefused(call(staff, tenant, "rule_save", rule), 403, "members.permission_denied");
  for (
    const bad of [
      { rule: "x" },
      { minutes: 0 },
      { times: 5 },
      { hours: 5 },
      { active: null },
      { rule: "many_transfers" },
      { rule: "circular", hours: 73 },
    ]
  ) {
    await assertRefused(
      call(owner, tenant, "rule_save", { ...rule, ...bad }),
      422,
      "request.invalid",
    );
  }
});

Deno.test("what is confirmed is explained to the member, who objects; another reviewer decides", async () => {
  const world = await createWorld();
  const { tenant, owner, staff, ana, ben } = world;
  const { id: case_id } = await found(world);
  const decide = (me: Person, action: string | null, note?: string) =>
    call(me, tenant, "decide", { case_id, action, note });
  await assertRefused(decide(ana, "confirm", "x"), 403, "members.permission_denied");
  await assertRefused(decide(staff, "confirm"), 422, "request.invalid");
  await assertRefused(decide(staff, "fly", "x"), 422, "request.invalid");
  await must(decide(staff, "confirm", "More than anybody helps in a week"));
  await assertRefused(decide(staff, "confirm", "x"), 409, "request.transition_refused");
  const [seen] = await cases(ana);
  assertEquals([seen!.status, seen!.note], ["confirmed", "More than anybody helps in a week"]);
  assertEquals((await findings(ana))[0]!.facts.minutes, 3000);
  assertEquals([await notices(ana), await cases(ben)], [["abuse.decided"], []]);

  const appeal = (me: Person, statement: string | null) =>
    call(me, tenant, "appeal", { case_id, statement });
  await assertRefused(appeal(ben, "x"), 404, "abuse.case_not_found");
  await assertRefused(appeal(ana, " "), 422, "request.invalid");
  await must(appeal(ana, "It was the roof"));
  await assertRefused(appeal(ana, "Again"), 409, "request.transition_refused");
  const answer = (me: Person, uphold: boolean | null) =>
    call(me, tenant, "decide_appeal", { case_id, uphold, note: "The roof it was" });
  await assertRefused(answer(staff, true), 403, "abuse.own_decision");
  await assertRefused(answer(owner, null), 422, "request.invalid");
  await must(answer(owner, false));
  await assertRefused(answer(owner, true), 409, "request.transition_refused");
  assertEquals((await cases(ana))[0]!.status, "overturned");
  assertEquals(await notices(ana), ["abuse.appeal_decided", "abuse.decided"]);
});

Deno.test("it is too late to object after thirty days", async () => {
  const world = await createWorld();
  const { tenant, staff, ana } = world;
  const { id: case_id } = await found(world);
  await must(call(staff, tenant, "decide", { case_id, action: "confirm", note: "x" }));
  await withDatabase((sql) =>
    sql`update abuse_cases set decided_at = now() - interval '31 days' where id = ${case_id}`
  );
  await assertRefused(
    call(ana, tenant, "appeal", { case_id, statement: "x" }),
    409,
    "abuse.appeal_over",
  );
});

Deno.test("dismissed it is over: the same payment opens nothing again, another one does", async () => {
  const world = await createWorld();
  const { tenant, staff, ana, ben } = world;
  const { id: case_id } = await found(world);
  await must(call(staff, tenant, "decide", { case_id, action: "dismiss" }));
  assertEquals([await look(tenant), await cases(ana)], [0, []]);
  await must(pay(tenant, ana, ben, 3000));
  await look(tenant);
  assertEquals((await cases(staff)).map(({ status }) => status), ["dismissed", "open"]);
});

Deno.test("warnings and suspensions go by their own door; nobody decides their own case, or sees it open", async () => {
  const world = await createWorld();
  const { tenant, owner, staff, ana, ben } = world;
  const first = await found(world);
  const warn = { case_id: first.id, action: "warn", note: "Please explain such payments" };
  await assertRefused(call(staff, tenant, "decide", warn), 403, "members.permission_denied");
  await must(call(owner, tenant, "decide", warn));
  const decisions = await must<{ kind: string }[]>(ana.client.rpc("admin_my_decisions"));
  assertEquals(decisions.map(({ kind }) => kind), ["warning"]);
  await assertRefused(
    call(ana, tenant, "appeal", { case_id: first.id, statement: "x" }),
    409,
    "request.transition_refused",
  );
  await issue(tenant, staff, 5000);
  await must(pay(tenant, staff, ben, 3000));
  await look(tenant);
  const own = (await cases(owner)).find(({ person_id }) => person_id === staff.id)!;
  assertEquals((await cases(staff)).some(({ id }) => id === own.id), false);
  await assertRefused(
    call(staff, tenant, "decide", { case_id: own.id, action: "dismiss" }),
    403,
    "members.not_yourself",
  );
  await must(call(owner, tenant, "decide", { case_id: own.id, action: "suspend", note: "x" }));
  const { data } = await admin().from("members").select("status").eq("tenant_id", tenant.id)
    .eq("person_id", staff.id).single();
  assertEquals(data?.status, "suspended");
});

Deno.test("every hour the clock looks at every tenant with the module; every state is left or final", async () => {
  const world = await createWorld();
  await must(pay(world.tenant, world.ana, world.ben, 3000));
  await withDatabase(async (sql) => {
    await sql`select private.jobs_run_schedule('abuse-detect')`;
    const steps = await sql<{ from_state: string; to_state: string }[]>`
      select from_state, to_state from private.transitions where machine = 'abuse_cases'`;
    const left = new Set(steps.map(({ from_state }) => from_state));
    const reached = new Set(steps.map(({ to_state }) => to_state));
    const states = new Set([...left, ...reached]);
    assertEquals([...states].filter((s) => !left.has(s)).sort(), [
      "dismissed",
      "overturned",
      "upheld",
    ]);
    assertEquals([...states].filter((s) => !reached.has(s)), ["open"]);
  });
  assertEquals((await cases(world.staff)).length, 1);
});
