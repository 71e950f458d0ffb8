import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { draft, listings } from "../support/listings.ts";
import { act } from "../support/exchanges.ts";
import { draft as message, open, send } from "../messaging/support.ts";
import { call, createCare, later, watches } from "./support.ts";

Deno.test("brokers get copies where the tenant says so, and it stands there before the first message", async () => {
  const { tenant, owner, staff, ward, friend, supporter } = await createCare();
  await must(call(owner, tenant, "set_copies", { scope: "all" }));
  const conversation_id = await open(ward, tenant, friend);
  for (const person of [ward, friend]) {
    assertEquals((await watches(person)).map(({ kind }) => kind), ["broker"]);
  }
  assertEquals(await watches(supporter), []);
  await send(friend, tenant, conversation_id, { body: "Hello" });
  const read = (me: typeof owner) => call(me, tenant, "read_messages", { conversation_id });
  assertEquals((await must<{ body: string }[]>(read(owner))).map(({ body }) => body), ["Hello"]);
  await assertRefused(read(staff), 404, "safeguarding.not_found");
  await assertRefused(read(friend), 404, "safeguarding.not_found");
  for (const bad of [{ scope: "x" }, { scope: "all", days: 0 }]) {
    await assertRefused(call(owner, tenant, "set_copies", bad), 422, "request.invalid");
  }
  await assertRefused(
    call(staff, tenant, "set_copies", { scope: "all" }),
    403,
    "members.permission_denied",
  );
});

Deno.test("with no rule nobody reads along but where a member is restricted to it, until it is lifted", async () => {
  const { tenant, owner, staff, ward, friend } = await createCare();
  const conversation_id = await open(ward, tenant, friend);
  assertEquals(await watches(friend), []);
  const { id } = await must<{ id: string }>(
    call(staff, tenant, "restrict", { person: ward.id, what: "copies", reason: "Complaints" }),
  );
  await send(ward, tenant, conversation_id, { body: "Read along" });
  assertEquals((await watches(friend)).map(({ to_seq }) => to_seq), [null]);
  const read = () => must<unknown[]>(call(owner, tenant, "read_messages", { conversation_id }));
  assertEquals((await read()).length, 1);
  await must(call(staff, tenant, "lift", { restriction: id }));
  await send(ward, tenant, conversation_id, { body: "Not any more" });
  assertEquals([(await watches(friend))[0]!.to_seq, (await read()).length], [1, 1]);
});

Deno.test("new members' conversations are copied for as long as the tenant says", async () => {
  const { tenant, owner, ward, friend, supporter } = await createCare();
  await must(call(owner, tenant, "set_copies", { scope: "new_members", days: 10 }));
  await open(ward, tenant, friend);
  assertEquals((await watches(friend)).length, 1);
  await withDatabase((sql) =>
    sql`update members set created_at = now() - interval '11 days' where tenant_id = ${tenant.id}`
  );
  await open(ward, tenant, supporter);
  assertEquals(await watches(supporter), []);
});

Deno.test("who is restricted does it through no door, reads why, and does it again once time is over", async () => {
  const { tenant, owner, staff, ward, friend } = await createCare();
  const conversation = await open(ward, tenant, friend);
  const restrict = (me: typeof owner, what: string, more = {}) =>
    call(me, tenant, "restrict", { person: ward.id, what, reason: "Insults", ...more });
  for (const what of ["messages", "listings", "exchanges"]) await must(restrict(staff, what));
  const refused = [403, "safeguarding.restricted"] as const;
  const write = () => ward.client.rpc("messaging_send", message(tenant, conversation));
  await assertRefused(write(), ...refused);
  const { id: listing } = await draft(ward, tenant);
  await assertRefused(listings(ward, tenant, "publish", { listing }), ...refused);
  await assertRefused(act(tenant, ward, "request", { person: friend.id, minutes: 60 }), ...refused);
  await assertRefused(act(tenant, friend, "request", { person: ward.id, minutes: 60 }), ...refused);
  const mine = await must<{ id: string; what: string; reason: string }[]>(
    ward.client.from("safeguarding_restrictions").select(),
  );
  assertEquals(mine.map(({ reason }) => reason), ["Insults", "Insults", "Insults"]);
  assertEquals(await must(friend.client.from("safeguarding_restrictions").select()), []);
  await withDatabase(async (sql) => {
    await sql`update safeguarding_restrictions set until = now() where tenant_id = ${tenant.id}`;
    await sql`select private.safeguarding_due()`;
  });
  await must(write());
  await assertRefused(
    call(staff, tenant, "lift", { restriction: mine[0]!.id }),
    404,
    "safeguarding.not_found",
  );
  await assertRefused(restrict(friend, "messages"), 403, "members.permission_denied");
  await assertRefused(restrict(staff, "fly"), 422, "request.invalid");
  await assertRefused(restrict(staff, "messages", { reason: "" }), 422, "request.invalid");
  await assertRefused(restrict(staff, "messages", { until: later(-1) }), 422, "request.invalid");
  await assertRefused(
    restrict(staff, "messages", { person: staff.id }),
    403,
    "members.not_yourself",
  );
  await assertRefused(
    restrict(staff, "messages", { person: owner.id }),
    404,
    "members.not_found",
  );
});

Deno.test("who is restricted from exchanges joins none in a group, nor agrees to one of before", async () => {
  const { tenant, staff, ward, friend, supporter } = await createCare();
  const parts = [
    { person: ward.id, side: "gives", minutes: 60 },
    { person: friend.id, side: "receives", minutes: 30 },
    { person: supporter.id, side: "receives", minutes: 30 },
  ];
  const propose = () => act(tenant, friend, "request_group", { parts });
  const { id: exchange_id } = await must<{ id: string }>(propose());
  await must(call(staff, tenant, "restrict", { person: ward.id, what: "exchanges", reason: "x" }));
  await assertRefused(propose(), 403, "safeguarding.restricted");
  await assertRefused(act(tenant, ward, "accept", { exchange_id }), 403, "safeguarding.restricted");
  await must(act(tenant, supporter, "accept", { exchange_id }));
});

Deno.test("conversations there were before a rule for new members show it, others are not taken", async () => {
  const { tenant, owner, ward, friend, supporter, staff } = await createCare();
  const [old, fresh] = [
    await open(friend, tenant, supporter),
    await open(ward, tenant, staff),
  ];
  await send(friend, tenant, old, { body: "Old" });
  await send(ward, tenant, fresh, { body: "New" });
  await withDatabase((sql) =>
    sql`
      update members set created_at = now() - interval '11 days'
      where tenant_id = ${tenant.id} and person_id <> ${ward.id}`
  );
  await must(call(owner, tenant, "set_copies", { scope: "new_members", days: 10 }));
  await withDatabase((sql) => sql`select private.safeguarding_due()`);
  assertEquals([(await watches(staff)).length, await watches(friend)], [1, []]);
});

Deno.test("a role and a listing that ask for a check wait for it, through every door", async () => {
  const { tenant, owner, staff, ward } = await createCare();
  const type = {
    slug: "police",
    name: "Police check",
    months: 24,
    roles: ["staff"],
    tags: ["children"],
  };
  const save = (me: typeof owner, more = {}) =>
    call(me, tenant, "vetting_type_save", { ...type, ...more });
  await assertRefused(save(staff), 403, "members.permission_denied");
  for (
    const bad of [{ slug: "X" }, { name: "" }, { months: 0 }, { roles: null }, { tags: [null] }]
  ) {
    await assertRefused(save(owner, bad), 422, "request.invalid");
  }
  await must(save(owner));
  const missing = [403, "safeguarding.vetting_required"] as const;
  const promote = () =>
    owner.client.rpc("members_set_role", { tenant_id: tenant.id, person: ward.id, role: "staff" });
  await assertRefused(promote(), ...missing);
  const { id: listing } = await draft(ward, tenant, { tags: ["children"] });
  const publish = () => listings(ward, tenant, "publish", { listing });
  await assertRefused(publish(), ...missing);
  const vet = (me: typeof owner, more = {}) =>
    call(me, tenant, "vet", { person: ward.id, type: "police", ...more });
  await assertRefused(vet(ward), 403, "members.permission_denied");
  await assertRefused(vet(staff, { person: staff.id }), 403, "members.not_yourself");
  await assertRefused(vet(staff, { type: "x" }), 404, "safeguarding.not_found");
  await assertRefused(vet(staff, { person: crypto.randomUUID() }), 404, "members.not_found");
  await assertRefused(vet(staff, { expires_at: later(1000) }), 422, "request.invalid");
  const first = await must<{ id: string }>(vet(staff));
  const { id } = await must<{ id: string }>(vet(staff));
  await must(publish());
  await must(promote());
  await must(call(staff, tenant, "vetting_revoke", { vetting: id }));
  await assertRefused(
    call(staff, tenant, "vetting_revoke", { vetting: first.id }),
    404,
    "safeguarding.not_found",
  );
  const back = { tenant_id: tenant.id, person: ward.id, role: "member" };
  await must(owner.client.rpc("members_set_role", back));
  await assertRefused(promote(), ...missing);
});

Deno.test("a check that runs out is reminded of once, then ends, and who manages is told", async () => {
  const { tenant, owner, staff, ward } = await createCare();
  await must(
    call(owner, tenant, "vetting_type_save", { slug: "police", name: "Police", months: 1 }),
  );
  await must(
    call(staff, tenant, "vet", { person: ward.id, type: "police", expires_at: later(20) }),
  );
  const due = () => withDatabase((sql) => sql`select private.safeguarding_due()`);
  const told = async (person: string) => {
    const { data } = await admin().from("notifications").select("kind")
      .eq("tenant_id", tenant.id).eq("person_id", person).like("kind", "safeguarding.vetting%");
    return (data ?? []).map(({ kind }) => kind).toSorted();
  };
  await due();
  await due();
  assertEquals(await told(ward.id), ["safeguarding.vetting_expires"]);
  await withDatabase((sql) =>
    sql`update safeguarding_vettings set expires_at = now() where tenant_id = ${tenant.id}`
  );
  await due();
  assertEquals(await told(ward.id), [
    "safeguarding.vetting_expired",
    "safeguarding.vetting_expires",
  ]);
  assertEquals(await told(staff.id), ["safeguarding.vetting_expired"]);
  const [vetting] = await must<{ status: string }[]>(
    ward.client.from("safeguarding_vettings").select(),
  );
  assertEquals(vetting!.status, "expired");
});
