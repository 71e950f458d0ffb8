import assert from "node:assert/strict";
import { block } from "../messaging/support.ts";
import { assertRefused, must } from "../support/answers.ts";
import { admin, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMarket, listings, publish } from "../support/listings.ts";
import { createMember, setStatus } from "../support/tenants.ts";
import { until } from "../support/wait.ts";

const tenant = await createMarket();
const [owner, ana, ben, carl] = await Promise.all([
  createMember(tenant, "owner"),
  createMember(tenant),
  createMember(tenant),
  createMember(tenant),
]);

const keep = (me: Person, args: Record<string, unknown>) =>
  must<{ id: string }>(listings(me, tenant, "search_save", { name: "Kept", ...args }));

/** The worker has looked who waits for what was published. */
const looked = () =>
  until(() =>
    withDatabase(async (sql) => {
      const [due] = await sql`
        select from private.jobs where tenant_id = ${tenant.id} and kind like 'listings.%' limit 1`;
      return !due;
    }), { timeout: 15_000 });

const told = async ({ client }: Person, kind = "listings.alert") =>
  (await must<{ payload: Record<string, string> }[]>(
    client.from("notifications").select("payload").eq("kind", kind).order("id"),
  )).map(({ payload }) => payload);

const titles = async (me: Person) => (await told(me)).map(({ title }) => title);

Deno.test("who waits for it hears at once, and once, whatever searches it fits", async () => {
  await keep(ben, { query: "violin", alert: "immediate" });
  await keep(ben, { tags: ["music"], alert: "immediate" });
  await keep(carl, { query: "violin", kind: "request", alert: "immediate" });
  await keep(ana, { query: "violin", alert: "immediate" });
  const made = await publish(ana, tenant, { title: "Violins and cellos", tags: ["music"] });
  await looked();
  assert.deepEqual(await titles(ben), ["Violins and cellos"]);
  assert.deepEqual([await titles(carl), await titles(ana)], [[], []]);
  // Published again, changed, or asked about twice: it was told.
  await must(
    listings(ana, tenant, "save", { listing: made.id, changes: { title: "Violin lessons" } }),
  );
  await looked();
  assert.equal(
    await must(admin().rpc("listings_alert", { tenant_id: tenant.id, listing: made.id })),
    0,
  );
  assert.equal((await titles(ben)).length, 1);
});

Deno.test("blocks, departures and distance are asked for each who waits", async () => {
  const [dora, erik, finn] = await Promise.all([
    createMember(tenant),
    createMember(tenant),
    createMember(tenant),
  ]);
  for (const me of [dora, erik, finn]) await keep(me, { query: "sewing", alert: "immediate" });
  const dublin = { latitude: 53.35, longitude: -6.26, radius_km: 10 };
  const [near, far] = await Promise.all([createMember(tenant), createMember(tenant)]);
  await keep(near, { ...dublin, alert: "immediate" });
  await keep(far, { ...dublin, latitude: 51.9, alert: "immediate" });
  await block(dora, tenant, ana);
  await block(ana, tenant, erik);
  await setStatus(owner.client, tenant, finn, "suspended");
  await publish(ana, tenant, { title: "Sewing circle", latitude: 53.36, longitude: -6.25 });
  await looked();
  await setStatus(owner.client, tenant, finn, "active");
  for (const me of [dora, erik, finn, far]) assert.deepEqual(await titles(me), []);
  assert.deepEqual(await titles(near), ["Sewing circle"]);
});

Deno.test("words with or, not and phrases are held against a listing as the search does", async () => {
  const gail = await createMember(tenant);
  await keep(gail, { query: "harp or lute -electric", alert: "immediate" });
  await publish(ana, tenant, { title: "Electric lute" });
  await publish(ana, tenant, { title: "Old harp" });
  await looked();
  assert.deepEqual(await titles(gail), ["Old harp"]);
});

Deno.test("in the morning one notice tells of all that is still to be seen", async () => {
  const hana = await createMember(tenant);
  await keep(hana, { query: "baking" });
  await publish(ana, tenant, { title: "Baking bread" });
  const gone = await publish(ana, tenant, { title: "Baking cakes" });
  await publish(ben, tenant, { title: "Baking pies" });
  const blocked = await publish(carl, tenant, { title: "Baking tarts" });
  await looked();
  assert.deepEqual(await titles(hana), []);
  await must(listings(ana, tenant, "cancel", { listing: gone.id }));
  await block(hana, tenant, { ...carl, id: blocked.owner_id });
  const tell = () => must<number>(admin().rpc("listings_tell_found", { tenant_id: tenant.id }));
  await tell();
  const [notice, ...others] = await told(hana, "listings.alerts");
  assert.deepEqual([notice!.count, notice!.titles], ["2", "Baking pies · Baking bread"]);
  assert.equal(await tell(), 0);
  assert.deepEqual(others, []);
  const [schedule] = await withDatabase((sql) =>
    sql`select command from private.jobs_schedules where name = 'listings-tell-found'`
  );
  assert.match(schedule!.command, /0 8 \* \* \*/);
});

Deno.test("searches are their person's own; what none could be is refused", async () => {
  const ivan = await createMember(tenant);
  const { id: search } = await keep(ivan, { query: "kites" });
  for (
    const [name, args] of [
      ["search_save", { name: "Mine", query: "x", search }],
      ["search_run", { search }],
      ["search_delete", { search }],
    ] as const
  ) {
    await assertRefused(listings(ben, tenant, name, args), 404, "listings.search_not_found");
  }
  const changed = await must<{ id: string; query: string; alert: string }>(
    listings(ivan, tenant, "search_save", { name: "Kites", query: "boats", alert: "off", search }),
  );
  assert.deepEqual([changed.id, changed.query, changed.alert], [search, "boats", "off"]);
  for (
    const bad of [
      { name: " ", query: "x" },
      { name: "Empty" },
      { name: "Bad", query: "x", alert: "hourly" },
      { name: "Bad", latitude: 1 },
      { name: "Bad", kind: "gift" },
    ]
  ) {
    await assertRefused(listings(ivan, tenant, "search_save", bad), 422, "request.invalid");
  }
  await must(listings(ivan, tenant, "search_delete", { search }));
  await withDatabase((sql) =>
    sql`insert into listings_searches (tenant_id, person_id, name, query)
      select ${tenant.id}, ${ivan.id}, 'Kept', 'x' from generate_series(1, 49)`
  );
  const answers = await Promise.all(
    [1, 2, 3].map((at) => listings(ivan, tenant, "search_save", { name: `${at}`, query: "x" })),
  );
  assert.deepEqual(answers.map(({ error }) => error?.message ?? "kept").toSorted(), [
    "kept",
    "listings.too_many_searches",
    "listings.too_many_searches",
  ]);
});
