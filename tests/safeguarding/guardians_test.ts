import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { withDatabase } from "../support/database.ts";
import { issue, setStatus } from "../support/tenants.ts";
import { impersonate } from "../admin/support.ts";
import { listen, open, page, send } from "../messaging/support.ts";
import {
  call,
  createCare,
  type Guardianship,
  guardianship,
  later,
  propose,
  watches,
} from "./support.ts";

const bodies = (messages: { body: string | null }[]) => messages.map(({ body }) => body);

Deno.test("a supporter is agreed to by both, proposed by the ward or by who manages", async () => {
  const care = await createCare();
  const { tenant, staff, ward, supporter, friend } = care;
  await assertRefused(propose(care, friend), 403, "members.permission_denied");
  await assertRefused(propose(care, supporter), 403, "members.permission_denied");
  await assertRefused(
    propose(care, staff, undefined, { supporter: staff.id }),
    403,
    "members.not_yourself",
  );
  for (
    const bad of [
      { purpose: "x" },
      { rights: [] },
      { rights: ["everything"] },
      { expires_at: later(-1) },
      { supporter: ward.id },
    ]
  ) {
    await assertRefused(propose(care, ward, undefined, bad), 422, "request.invalid");
  }
  await assertRefused(
    propose(care, ward, undefined, { supporter: crypto.randomUUID() }),
    404,
    "members.not_found",
  );
  const { id: guardianship, status } = await must<Guardianship>(propose(care, staff));
  assertEquals(status, "proposed");
  await assertRefused(propose(care, ward), 409, "safeguarding.already_proposed");
  const answer = (me: typeof ward, agree: boolean | null) =>
    call(me, tenant, "answer", { guardianship, agree });
  await assertRefused(answer(friend, true), 404, "safeguarding.not_found");
  await assertRefused(answer(ward, null), 422, "request.invalid");
  assertEquals((await must<Guardianship>(answer(supporter, true))).status, "proposed");
  assertEquals((await must<Guardianship>(answer(ward, true))).status, "active");
  await assertRefused(answer(ward, false), 409, "request.transition_refused");
  const seen = (me: typeof ward) =>
    must<Guardianship[]>(me.client.from("safeguarding_guardianships").select());
  assertEquals([(await seen(staff)).length, (await seen(friend)).length], [1, 0]);
});

Deno.test("the ward refuses, or withdraws, and the rights are gone with that", async () => {
  const care = await createCare();
  const { tenant, ward, supporter, staff, friend } = care;
  await issue(tenant, ward, 90);
  const first = await must<Guardianship>(propose(care, staff));
  await must(call(ward, tenant, "answer", { guardianship: first.id, agree: false }));
  const { id } = await guardianship(care, ["see_balance"]);
  const see = () => call(supporter, tenant, "see_balance", { ward: ward.id });
  assertEquals(await must(see()), [{ currency: "hours", balance: 90, held: 0 }]);
  await assertRefused(
    call(friend, tenant, "end", { guardianship: id }),
    404,
    "safeguarding.not_found",
  );
  const ended = await must<Guardianship>(call(ward, tenant, "end", { guardianship: id }));
  assertEquals(ended.status, "withdrawn");
  await assertRefused(see(), 403, "safeguarding.not_granted");
  await assertRefused(
    call(ward, tenant, "end", { guardianship: id }),
    409,
    "request.transition_refused",
  );
});

Deno.test("a supporter does what was granted and nothing else, and readers see who wrote", async () => {
  const care = await createCare();
  const { tenant, ward, supporter, friend } = care;
  await guardianship(care, ["send_messages"]);
  const conversation_id = await open(ward, tenant, friend);
  const write = (client_id: string) =>
    call(supporter, tenant, "send", { ward: ward.id, conversation_id, client_id, body: "For Ana" });
  const message = await must<{ id: string; sender_id: string }>(write("1"));
  assertEquals((await must<{ id: string }>(write("1"))).id, message.id, "sent again");
  assertEquals(message.sender_id, ward.id);
  assertEquals(bodies(await page(friend, tenant, conversation_id)), ["For Ana"]);
  const [sent] = await must<{ supporter_id: string }[]>(
    friend.client.from("safeguarding_sent").select(),
  );
  assertEquals(sent!.supporter_id, supporter.id);
  const notGranted = [403, "safeguarding.not_granted"] as const;
  const to = { ward: ward.id };
  await assertRefused(call(supporter, tenant, "see_balance", to), ...notGranted);
  await assertRefused(call(supporter, tenant, "read_notices", to), ...notGranted);
  await assertRefused(call(friend, tenant, "see_balance", to), ...notGranted);
  await assertRefused(write(""), 422, "request.invalid");
  await assertRefused(
    call(supporter, tenant, "read_messages", { conversation_id }),
    404,
    "safeguarding.not_found",
  );
});

Deno.test("copies begin when both sides can know, and end with the ward's word", async () => {
  const care = await createCare();
  const { tenant, ward, supporter, friend } = care;
  const conversation_id = await open(ward, tenant, friend);
  await send(friend, tenant, conversation_id, { body: "Before" });
  await using ears = await listen(friend, `private-user-${friend.id}`);
  const { id } = await guardianship(care, ["copies_of_messages"]);
  await ears.wait("safeguarding:watched");
  for (const person of [ward, friend, supporter]) {
    const [watch, ...more] = await watches(person);
    assertEquals([watch!.kind, watch!.ward_id, more], ["guardian", ward.id, []]);
  }
  await send(friend, tenant, conversation_id, { body: "Meanwhile" });
  const read = () =>
    must<{ body: string }[]>(call(supporter, tenant, "read_messages", { conversation_id }));
  assertEquals(bodies(await read()), ["Meanwhile"]);
  await must(call(ward, tenant, "end", { guardianship: id }));
  await send(friend, tenant, conversation_id, { body: "After" });
  await assertRefused(
    call(supporter, tenant, "read_messages", { conversation_id }),
    404,
    "safeguarding.not_found",
  );
  await withDatabase(async (sql) => {
    const [row] = await sql`
      select count(*)::int as reads from private.audit_log
      where tenant_id = ${tenant.id} and action = 'SAFEGUARDING_READ' and actor = ${supporter.id}`;
    assertEquals(row!.reads, 1);
  });
});

Deno.test("the next supporter does not read what was said for the one before", async () => {
  const care = await createCare();
  const { tenant, ward, supporter, friend, staff } = care;
  const conversation_id = await open(ward, tenant, friend);
  const { id } = await guardianship(care, ["copies_of_messages"]);
  await send(friend, tenant, conversation_id, { body: "For the first" });
  await must(call(ward, tenant, "end", { guardianship: id }));
  await guardianship({ ...care, supporter: staff }, ["copies_of_messages"]);
  await send(friend, tenant, conversation_id, { body: "For the second" });
  const read = () =>
    must<{ body: string }[]>(call(staff, tenant, "read_messages", { conversation_id }));
  assertEquals(bodies(await read()), ["For the second"]);
  await guardianship(care, ["copies_of_messages"]);
  assertEquals(await must(call(supporter, tenant, "read_messages", { conversation_id })), []);
});

Deno.test("nobody consents for the ward while acting as them", async () => {
  const care = await createCare();
  const as = await impersonate(care, care.owner, care.ward, { writes: true });
  const acting = { ...care.ward, client: as.client };
  await assertRefused(propose(care, acting), 403, "auth.impersonated");
});

Deno.test("copies of notices: since the ward agreed, and not those about their account", async () => {
  const care = await createCare();
  const { tenant, ward, supporter } = care;
  await withDatabase((sql) =>
    sql`select private.notify(${ward.id}, 'safeguarding.copied', '{}', ${tenant.id})`
  );
  await withDatabase((sql) =>
    sql`update notifications set created_at = now() - interval '1 day' where person_id = ${ward.id}`
  );
  await guardianship(care, ["copies_of_notices"]);
  await withDatabase((sql) =>
    sql`
      select private.notify(${ward.id}, 'two_factor.enabled', '{}', ${tenant.id}),
        private.notify(${ward.id}, 'safeguarding.restricted', '{"reason": "x"}', ${tenant.id})`
  );
  const read = (more = {}) => call(supporter, tenant, "read_notices", { ward: ward.id, ...more });
  const kinds = (await must<{ kind: string }[]>(read())).map(({ kind }) => kind);
  ok(kinds.includes("safeguarding.restricted"), `${kinds}`);
  assertEquals(kinds.filter((kind) => /two_factor|copied/.test(kind)), []);
  await assertRefused(read({ page_size: 101 }), 422, "request.invalid");
});

Deno.test("time ends it, and so does leaving; every state is left or final", async () => {
  const care = await createCare();
  const { tenant, owner, ward, supporter } = care;
  const { id } = await guardianship(care, ["see_balance"]);
  await withDatabase(async (sql) => {
    await sql`update safeguarding_guardianships set expires_at = now() where id = ${id}`;
    await sql`select private.jobs_run_schedule('safeguarding-due')`;
  });
  const status = async () =>
    (await must<Guardianship[]>(
      ward.client.from("safeguarding_guardianships").select().order("id"),
    )).map((row) => row.status);
  assertEquals(await status(), ["expired"]);
  await guardianship(care, ["see_balance"]);
  await setStatus(owner.client, tenant, supporter, "banned");
  assertEquals(await status(), ["expired", "ended"]);
  await withDatabase(async (sql) => {
    const steps = await sql<{ from_state: string; to_state: string }[]>`
      select from_state, to_state from private.transitions
      where machine = 'safeguarding_guardianships'`;
    const left = new Set(steps.map(({ from_state }) => from_state));
    assertEquals([...left].sort(), ["active", "proposed"]);
    const final = new Set(steps.map(({ to_state }) => to_state).filter((s) => !left.has(s)));
    assertEquals([...final].sort(), ["ended", "expired", "refused", "resigned", "withdrawn"]);
  });
});
