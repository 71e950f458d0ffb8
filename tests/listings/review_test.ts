import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { createMarket, draft, type Listing, listings, publish } from "../support/listings.ts";
import { createMember, type Tenant } from "../support/tenants.ts";

async function createWorld(settings: Record<string, unknown>) {
  const tenant = await createMarket(settings);
  const [staff, admin, ana, ben] = await Promise.all([
    createMember(tenant, "staff"),
    createMember(tenant, "admin"),
    createMember(tenant),
    createMember(tenant),
  ]);
  return { tenant, staff, admin, ana, ben };
}

const reviewed = await createWorld({ review: true });

const act = (
  me: Person,
  name: string,
  { id }: Pick<Listing, "id">,
  more = {},
  tenant: Tenant = reviewed.tenant,
) => listings(me, tenant, name, { listing: id, ...more });

const kindsOf = async ({ client }: Person) =>
  (await must<{ kind: string }[]>(client.from("notifications").select("kind").order("id")))
    .map(({ kind }) => kind);

const sees = async ({ client }: Person, { id }: Pick<Listing, "id">) =>
  (await must<unknown[]>(client.from("listings").select("id").eq("id", id))).length === 1;

Deno.test("where the tenant looks first, others see what was approved", async () => {
  const { tenant, staff, ana, ben } = reviewed;
  const made = await publish(ana, tenant);
  assert.equal(made.status, "pending");
  assert.deepEqual([await sees(ben, made), await sees(staff, made)], [false, true]);
  assert.equal((await kindsOf(staff)).includes("listings.waiting"), true);
  assert.deepEqual(await must(listings(ben, tenant, "search")), []);
  await assertRefused(act(ben, "approve", made), 403, "members.permission_denied");
  await assertRefused(act(ana, "approve", made), 403, "members.permission_denied");
  const approved = await must<Listing>(act(staff, "approve", made));
  assert.deepEqual([approved.status, await sees(ben, made)], ["active", true]);
  assert.deepEqual(await kindsOf(ana), ["listings.approved"]);
  await assertRefused(act(staff, "approve", made), 409, "request.transition_refused");

  // What was approved is what was read.
  const changed = await must<Listing>(
    act(ana, "save", made, { changes: { title: "Something else" } }),
  );
  assert.deepEqual([changed.status, await sees(ben, made)], ["pending", false]);
  await must(act(staff, "approve", made));
  const same = await must<Listing>(act(ana, "save", made, { changes: { minutes: 90 } }));
  assert.equal(same.status, "active");
});

Deno.test("a rejection says why, and what was rejected comes back past a reviewer only", async () => {
  const { tenant, staff, ana, ben } = reviewed;
  const made = await publish(ana, tenant);
  await assertRefused(act(staff, "reject", made, { reason: " " }), 422, "request.invalid");
  await assertRefused(act(ben, "reject", made, { reason: "No" }), 403, "members.permission_denied");
  const rejected = await must<Listing>(act(staff, "reject", made, { reason: "Too vague" }));
  assert.deepEqual([rejected.status, rejected.reason], ["rejected", "Too vague"]);
  await must(act(ana, "save", made, { changes: { description: "Mowing and weeding" } }));
  assert.equal((await must<Listing>(act(ana, "publish", made))).status, "pending");

  const free = await createWorld({});
  const visible = await publish(free.ana, free.tenant);
  await must(act(free.staff, "reject", visible, { reason: "Not here" }, free.tenant));
  assert.equal(await sees(free.ben, visible), false);
  const again = await must<Listing>(act(free.ana, "publish", visible, {}, free.tenant));
  assert.equal(again.status, "pending");
});

Deno.test("nobody looks at their own, and a draft is nobody else's to look at", async () => {
  const { tenant, staff, admin, ana } = reviewed;
  const made = await publish(staff, tenant);
  assert.equal(made.status, "active");
  await must(act(admin, "reject", made, { reason: "Twice" }));
  await must(act(staff, "publish", made));
  for (
    const [name, more] of [["approve", {}], ["reject", { reason: "No" }], ["feature", {}]] as const
  ) {
    await assertRefused(act(staff, name, made, more), 403, "members.not_yourself");
  }
  const hidden = await draft(ana, tenant);
  for (const name of ["approve", "feature"]) {
    await assertRefused(act(staff, name, hidden), 404, "listings.not_found");
  }
  await assertRefused(
    act(staff, "approve", { id: crypto.randomUUID() }),
    404,
    "listings.not_found",
  );
});

Deno.test("a tenant may look at the first listing of each member alone", async () => {
  const { tenant, staff, ana } = await createWorld({ review: "first" });
  const first = await publish(ana, tenant);
  assert.equal(first.status, "pending");
  await must(listings(staff, tenant, "approve", { listing: first.id }));
  assert.equal((await publish(ana, tenant)).status, "active");
});

Deno.test("reviewers feature what is visible, and no longer when it ends", async () => {
  const { tenant, staff, ana, ben } = await createWorld({});
  const made = await publish(ana, tenant);
  const feature = (featured: unknown, me = staff) =>
    listings(me, tenant, "feature", { listing: made.id, featured });
  await assertRefused(feature(true, ben), 403, "members.permission_denied");
  await assertRefused(feature(null), 422, "request.invalid");
  await must(feature(true));
  const [hit] = await must<{ featured: boolean }[]>(listings(ben, tenant, "search"));
  assert.equal(hit!.featured, true);
  await must(feature(false));
  const [row] = await must<Listing[]>(ben.client.from("listings").select().eq("id", made.id));
  assert.equal(row!.featured_at, null);
  await must(feature(true));
  assert.equal(
    (await must<Listing>(listings(ana, tenant, "cancel", { listing: made.id }))).featured_at,
    null,
  );
  await assertRefused(feature(true), 409, "request.transition_refused");
});
