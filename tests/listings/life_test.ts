import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import {
  createMarket,
  draft,
  type Listing,
  listings,
  picture,
  publish,
  setTime,
} from "../support/listings.ts";
import { createMember, type Tenant } from "../support/tenants.ts";

interface World {
  tenant: Tenant;
  owner: Person;
  ana: Person;
  ben: Person;
}

async function createWorld(settings = {}): Promise<World> {
  const tenant = await createMarket(settings);
  const [owner, ana, ben] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant),
    createMember(tenant),
  ]);
  return { tenant, owner, ana, ben };
}

const world = await createWorld();

const act = (me: Person, name: string, { id }: Pick<Listing, "id">, more = {}) =>
  listings(me, world.tenant, name, { listing: id, ...more });

/** How often somebody was told, and what stands of it in their inbox: the last of a listing. */
async function told({ id, client }: Person, kind: string) {
  const [row] = await withDatabase((sql) =>
    sql`select count(*)::int as times from private.notifications_events
      where person_id = ${id} and kind = ${kind}`
  );
  const [last] = await must<{ payload: Record<string, string> }[]>(
    client.from("notifications").select("payload").eq("kind", kind),
  );
  return [row!.times, last?.payload.days];
}

const tick = (what: "expire" | "remind") =>
  withDatabase((sql) => sql.unsafe(`select private.listings_${what}()`));

Deno.test("a draft is its owner's alone, published it stands for 30 days", async () => {
  const { tenant, owner, ana, ben } = world;
  const made = await draft(ana, tenant, { tags: ["Garden", "garden ", "Tools"], minutes: 60 });
  assert.deepEqual([made.status, made.tags], ["draft", ["garden", "tools"]]);
  for (const other of [ben, owner]) {
    assert.deepEqual(await must(other.client.from("listings").select().eq("id", made.id)), []);
    await assertRefused(act(other, "view", made), 404, "listings.not_found");
  }
  const shown = await must<Listing>(act(ana, "publish", made));
  const days = (Date.parse(shown.expires_at!) - Date.parse(shown.published_at!)) / 86_400_000;
  assert.deepEqual([shown.status, Math.round(days)], ["active", 30]);
  assert.equal((await must<Listing>(act(ben, "view", made))).title, "Help in the garden");
});

Deno.test("only what is named changes, and what no listing can be is refused", async () => {
  const { tenant, ana, ben } = world;
  const made = await draft(ana, tenant, {
    place: "Riverside",
    latitude: 53.349805,
    longitude: -6.26031,
  });
  // Nobody's door is stored.
  assert.deepEqual([made.latitude, made.longitude], [53.35, -6.26]);
  const save = (changes: unknown, me = ana) => act(me, "save", made, { changes });
  const saved = await must<Listing>(save({ description: "All day" }));
  assert.deepEqual([saved.title, saved.description], ["Help in the garden", "All day"]);
  assert.equal((await must<Listing>(save({ description: null }))).description, null);
  await assertRefused(save({ title: "Mine now" }, ben), 404, "listings.not_found");
  const bad = [
    [],
    { kind: "gift" },
    { title: "no" },
    { title: null },
    { owner_id: ben.id },
    { status: "active" },
    { tags: Array.from({ length: 11 }, (_, at) => `tag ${at}`) },
    { tags: ["a'b"] },
    { tags: [null] },
    { minutes: 5 },
    { minutes: "60" },
    { minutes: 1e300 },
    { latitude: 91 },
    { longitude: null },
    { description: "x".repeat(5001) },
    { images: ["x"] },
    { images: "x" },
  ];
  for (const changes of bad) await assertRefused(save(changes), 422, "request.invalid");
  await assertRefused(
    listings(ana, tenant, "save", { changes: { title: "No kind" } }),
    422,
    "request.invalid",
  );
});

Deno.test("up to five pictures of one's own; those that are taken off go", async () => {
  const { tenant, ana, ben } = world;
  const [first, second, foreign] = await Promise.all([
    picture(ana, tenant),
    picture(ana, tenant),
    picture(ben, tenant),
  ]);
  const made = await publish(ana, tenant, { images: [second, first] });
  const images = async () =>
    (await must<{ file_id: string }[]>(
      ben.client.from("listings_images").select().eq("listing_id", made.id).order("place"),
    )).map(({ file_id }) => file_id);
  assert.deepEqual(await images(), [second, first]);
  const save = (images: string[]) => act(ana, "save", made, { changes: { images } });
  await assertRefused(save([foreign]), 404, "files.not_found");
  await assertRefused(save([first, first]), 404, "files.not_found");
  await assertRefused(save([crypto.randomUUID()]), 404, "files.not_found");
  await assertRefused(save(Array(6).fill(first)), 422, "request.invalid");
  await must(save([first]));
  assert.deepEqual(await images(), [first]);
  assert.deepEqual(await must(ana.client.from("files").select("id").eq("id", second)), []);
  await assertRefused(
    listings(ana, tenant, "save", {
      changes: { kind: "offer", title: "Another one", images: [first] },
    }),
    404,
    "files.not_found",
  );
  await must(act(ana, "cancel", made));
  assert.deepEqual(await must(ana.client.from("files").select("id").eq("id", first)), []);
});

Deno.test("every state is reached and left as the table of steps says, and by no other", async () => {
  const { tenant, ana } = world;
  const made = await draft(ana, tenant);
  await assertRefused(act(ana, "fulfil", made), 409, "request.transition_refused");
  await assertRefused(act(ana, "renew", made), 409, "request.transition_refused");
  await must(act(ana, "publish", made));
  await assertRefused(act(ana, "publish", made), 409, "request.transition_refused");
  await setTime(made, "expires_at", "-1 second");
  await tick("expire");
  const [expired] = await must<Listing[]>(ana.client.from("listings").select().eq("id", made.id));
  assert.equal(expired!.status, "expired");
  assert.equal((await must<Listing>(act(ana, "renew", made))).status, "active");
  assert.equal((await must<Listing>(act(ana, "fulfil", made))).status, "fulfilled");
  for (const name of ["renew", "cancel", "publish", "fulfil"]) {
    await assertRefused(act(ana, name, made), 409, "request.transition_refused");
  }
  await assertRefused(
    act(ana, "save", made, { changes: { title: "Too late" } }),
    409,
    "request.transition_refused",
  );
  const states = await withDatabase((sql) =>
    sql`select from_state, to_state from private.transitions where machine = 'listings'`
  );
  const left = new Set(states.map(({ from_state }) => from_state));
  const reached = new Set(states.map(({ to_state }) => to_state));
  const others = ["pending", "active", "expired", "rejected"];
  assert.deepEqual([...left].toSorted(), ["draft", ...others].toSorted());
  assert.deepEqual([...reached].toSorted(), ["cancelled", "fulfilled", ...others].toSorted());
});

Deno.test("owners hear seven days before and one, once each, and when it has ended", async () => {
  const { tenant, ana } = world;
  const ben = await createMember(tenant);
  const made = await publish(ben, tenant, { title: "Soon over" });
  await tick("remind");
  assert.deepEqual(await told(ben, "listings.expiring"), [0, undefined]);
  await setTime(made, "expires_at", "6 days 23 hours");
  await setTime(made, "remind_at", "-1 second");
  await tick("remind");
  await tick("remind");
  assert.deepEqual(await told(ben, "listings.expiring"), [1, "7"]);
  const [row] = await withDatabase((sql) =>
    sql`select expires_at - remind_at = interval '1 day' as next from listings where id = ${made.id}`
  );
  assert.equal(row!.next, true);
  await setTime(made, "expires_at", "23 hours");
  await setTime(made, "remind_at", "-1 second");
  await tick("remind");
  await tick("remind");
  assert.deepEqual(await told(ben, "listings.expiring"), [2, "1"]);
  await setTime(made, "expires_at", "-1 second");
  await tick("expire");
  await tick("expire");
  assert.deepEqual(await told(ben, "listings.expired"), [1, undefined]);
  assert.deepEqual(await must(ana.client.from("listings").select().eq("id", made.id)), []);
});

Deno.test("a listing is renewed twelve times, and no more, also by many at once", async () => {
  const { tenant, ana } = world;
  const made = await publish(ana, tenant);
  await withDatabase((sql) => sql`update listings set renewals = 10 where id = ${made.id}`);
  const answers = await Promise.all(Array.from({ length: 6 }, () => act(ana, "renew", made)));
  const codes = answers.map(({ error }) => error?.message ?? "renewed").toSorted();
  assert.deepEqual(codes, [
    ...Array(4).fill("listings.renewals_exhausted"),
    "renewed",
    "renewed",
  ]);
});

Deno.test("the tenant says how long listings stand and when owners are reminded", async () => {
  const tenant = await createMarket({ days: 5, remind_days: [3, 10] });
  const ana = await createMember(tenant);
  const made = await publish(ana, tenant);
  const days = (from: string, to: string) =>
    Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
  assert.equal(days(made.published_at!, made.expires_at!), 5);
  const [row] = await withDatabase((sql) =>
    sql`select extract(day from expires_at - remind_at)::int as days from listings where id = ${made.id}`
  );
  assert.equal(row!.days, 3);
});
