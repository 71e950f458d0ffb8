import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin, createPerson, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import { createMember, createTenant, setStatus, type Tenant } from "../support/tenants.ts";

interface Waiter {
  person_id: string;
  email: string;
  waiting_for: string;
  stuck: boolean;
  nudged_at: string | null;
  cursor: string;
}

const waiting = ({ client }: Person, { id }: Tenant, options: Record<string, unknown> = {}) =>
  client.rpc("members_waiting", { tenant_id: id, ...options });

const nudge = ({ client }: Person, { id }: Tenant, person: string) =>
  client.rpc("members_nudge", { tenant_id: id, person });

/** Somebody who has registered and not yet proved their address. */
async function register(tenant: Tenant) {
  const email = `${crypto.randomUUID()}@nexus.test`;
  const { data, error } = await admin().auth.admin.createUser({ email, password: "Nexus-demo-1" });
  if (error) throw error;
  await withDatabase((sql) => sql`select private.admit(${tenant.id}, ${data.user.id})`);
  return { id: data.user.id, email };
}

/** A tenant with somebody who waits for an admin, and somebody who has not proved their address. */
async function createQueue() {
  const tenant = await createTenant({ registration_policy: "approval", app_url: "https://a.test" });
  const owner = await createMember(tenant, "owner");
  const asking = await createPerson();
  await must(asking.client.rpc("members_join", { tenant: tenant.slug }));
  return { tenant, owner, asking, unproved: await register(tenant) };
}

Deno.test("admins see who waits, for what, since when, and who is stuck", async (t) => {
  const { tenant, owner, asking, unproved } = await createQueue();
  await withDatabase((sql) =>
    sql`update members set waiting_since = now() - interval '4 days' where person_id = ${asking.id}`
  );
  const rows = await must<Waiter[]>(waiting(owner, tenant));
  assertEquals(rows.map((row) => [row.person_id, row.email, row.waiting_for, row.stuck]), [
    [asking.id, asking.email, "approval", true],
    [unproved.id, unproved.email, "email", false],
  ]);
  await t.step("page by page", async () => {
    const [first] = await must<Waiter[]>(waiting(owner, tenant, { page_size: 1 }));
    const [second, ...more] = await must<Waiter[]>(
      waiting(owner, tenant, { page_size: 1, cursor: first!.cursor }),
    );
    assertEquals([first?.person_id, second?.person_id, more], [asking.id, unproved.id, []]);
    const { cursor } = second!;
    assertEquals(await must(waiting(owner, tenant, { cursor })), []);
  });
  await t.step("by what they wait for", async () => {
    const [only, ...more] = await must<Waiter[]>(waiting(owner, tenant, { waiting_for: "email" }));
    assertEquals([only?.person_id, more], [unproved.id, []]);
  });
  for (const bad of [{ page_size: 0 }, { page_size: 101 }, { cursor: "x" }, { cursor: "now x" }]) {
    await t.step(
      `refused: ${JSON.stringify(bad)}`,
      () => assertRefused(waiting(owner, tenant, bad), 422, "request.invalid"),
    );
  }
  await t.step("nobody else does", async () => {
    const member = await createMember(tenant);
    await assertRefused(waiting(member, tenant), 403, "members.permission_denied");
    await assertRefused(waiting(asking, tenant), 403, "members.not_active");
  });
});

Deno.test("a nudge reminds by mail of what is still to do, once a day", async (t) => {
  const { tenant, owner, asking, unproved } = await createQueue();
  await must(nudge(owner, tenant, unproved.id));
  await t.step("what proves an address comes anew, and lets them in", async () => {
    const mail = await mailTo(unproved.email, "accounts.verification");
    assertEquals(mail.text.includes("https://a.test/verify-email#token="), true);
  });
  await t.step("where a tenant has no app, where to ask for it", async () => {
    const other = await createTenant({ registration_policy: "approval" });
    const { id, email } = await register(other);
    await must(nudge(await createMember(other, "owner"), other, id));
    await mailTo(email, "members.confirm_address");
  });
  await t.step("it is remembered", async () => {
    const rows = await must<Waiter[]>(waiting(owner, tenant));
    const nudged = rows.filter(({ nudged_at }) => nudged_at).map(({ person_id }) => person_id);
    assertEquals(nudged, [unproved.id]);
  });
  await t.step(
    "no second one",
    () => assertRefused(nudge(owner, tenant, unproved.id), 429, "limits.exceeded"),
  );
  await t.step(
    "none to whom an admin has to decide about",
    () => assertRefused(nudge(owner, tenant, asking.id), 409, "members.waits_for_you"),
  );
  await t.step("none to who does not wait", async () => {
    const member = await createMember(tenant);
    await assertRefused(nudge(owner, tenant, member.id), 404, "members.not_found");
    await assertRefused(nudge(owner, tenant, crypto.randomUUID()), 404, "members.not_found");
    await assertRefused(nudge(member, tenant, unproved.id), 403, "members.permission_denied");
  });
});

Deno.test("who is admitted is told", async () => {
  const { tenant, owner, asking } = await createQueue();
  await setStatus(owner.client, tenant, asking, "active");
  await mailTo(asking.email, "members.admitted");
});

Deno.test("those who admit are told of people who wait for them, every third day", async () => {
  const { tenant, owner, asking } = await createQueue();
  await withDatabase(async (sql) => {
    const toldAfter = async (wait: string) => {
      await sql`
        update members set waiting_since = now() - ${wait}::interval where person_id = ${asking.id}`;
      const [row] = await sql`select private.members_remind(${tenant.id})::int as told`;
      return row!.told;
    };
    assertEquals(await toldAfter("20 hours"), 0);
    assertEquals(await toldAfter("2 days 1 hour"), 0);
    assertEquals(await toldAfter("1 day 1 hour"), 1);
  });
  await mailTo(owner.email, "members.people_wait");
});
