import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { withDatabase } from "../support/database.ts";
import { createMarket, listings, publish } from "../support/listings.ts";
import { createMember } from "../support/tenants.ts";
import { until } from "../support/wait.ts";

interface Hit {
  listing_id: string;
  title: string;
  km: number | null;
  cursor: string;
}

const tenant = await createMarket();
const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]);
const shown = [
  { title: "Gardening on Saturdays", tags: ["garden"], latitude: 53.35, longitude: -6.26 },
  { title: "Clases de español", description: "Conversación, también con niños", tags: ["spanish"] },
  {
    title: "Bicycle repairs",
    description: "Brakes, chains, Łódź style",
    tags: ["bike", "tools"],
    latitude: 53.4,
    longitude: -6.3,
  },
  {
    kind: "request",
    title: "Somebody to fix my bicycle",
    tags: ["bike"],
    latitude: 51.9,
    longitude: -8.47,
  },
  { title: "Straße singing group", tags: ["music"] },
];
for (const changes of shown) await publish(ana, tenant, changes);

const search = (args: Record<string, unknown>) => listings(ben, tenant, "search", args);
const titles = async (args: Record<string, unknown>) =>
  (await must<Hit[]>(search(args))).map(({ title }) => title);

Deno.test("words are found whatever their accents, case and endings", async () => {
  assert.deepEqual(await titles({ query: "GARDEN" }), ["Gardening on Saturdays"]);
  assert.deepEqual(await titles({ query: "espanol" }), ["Clases de español"]);
  assert.deepEqual(await titles({ query: "NIÑOS" }), ["Clases de español"]);
  assert.deepEqual(await titles({ query: "lodz" }), ["Bicycle repairs"]);
  assert.deepEqual(await titles({ query: "strasse" }), ["Straße singing group"]);
  assert.deepEqual(await titles({ query: "repair bicycles" }), ["Bicycle repairs"]);
  assert.deepEqual(await titles({ query: "bicycle -repair" }), ["Somebody to fix my bicycle"]);
  assert.deepEqual(await titles({ query: "singing or brakes" }), [
    "Straße singing group",
    "Bicycle repairs",
  ]);
  assert.deepEqual(await titles({ query: '"singing group"' }), ["Straße singing group"]);
  assert.deepEqual(await titles({ query: "piano" }), []);
  // What a query may hold besides words finds nothing, and breaks nothing.
  for (const query of ["'", "\\", "=offer", "#bike & | !", ":*", "@100:5335,53374", "the"]) {
    assert.equal((await search({ query })).error, null, query);
  }
});

Deno.test("a letter too many, missing, wrong or swapped does not matter, nor a word half typed", async () => {
  for (const query of ["gardenning", "gardning", "gartening", "gardeinng", "gardeni"]) {
    assert.deepEqual(await titles({ query }), ["Gardening on Saturdays"], query);
  }
  assert.deepEqual(await titles({ query: "bicylce repairs" }), ["Bicycle repairs"]);
  assert.deepEqual(await titles({ query: "xyzening" }), []);
});

Deno.test("kind, tags and distance narrow together, and each alone", async () => {
  assert.deepEqual(await titles({ kind: "request" }), ["Somebody to fix my bicycle"]);
  assert.deepEqual(await titles({ tags: ["Bike"] }), [
    "Somebody to fix my bicycle",
    "Bicycle repairs",
  ]);
  assert.deepEqual(await titles({ tags: ["bike", "tools"] }), ["Bicycle repairs"]);
  assert.deepEqual(await titles({ tags: ["bike"], query: "fix", kind: "offer" }), []);
  const dublin = { latitude: 53.3498, longitude: -6.2603 };
  assert.deepEqual(await titles(dublin), ["Bicycle repairs", "Gardening on Saturdays"]);
  assert.deepEqual(await titles({ ...dublin, radius_km: 3 }), ["Gardening on Saturdays"]);
  const [near, far] = await must<Hit[]>(
    search({ ...dublin, radius_km: 200, sort: "nearest", page_size: 2 }),
  );
  assert.deepEqual([near!.title, near!.km, far!.title], [
    "Gardening on Saturdays",
    0,
    "Bicycle repairs",
  ]);
  assert.equal(Math.abs(far!.km! - 6.2) < 0.3, true, `${far!.km}`);
  const rest = await must<Hit[]>(
    search({ ...dublin, radius_km: 200, sort: "nearest", cursor: far!.cursor }),
  );
  assert.deepEqual(rest, []);
});

Deno.test("places on both sides of the date line are near each other", async () => {
  const fiji = await createMarket();
  const me = await createMember(fiji);
  await publish(me, fiji, { title: "West of the line", latitude: -16.8, longitude: 179.9 });
  await publish(me, fiji, { title: "Near the pole", latitude: 89.99, longitude: 10 });
  const at = (latitude: number, longitude: number) =>
    must<Hit[]>(listings(me, fiji, "search", { latitude, longitude, radius_km: 50 }));
  assert.deepEqual((await at(-16.8, -179.95)).map(({ title }) => title), ["West of the line"]);
  assert.deepEqual((await at(89.9, -170)).map(({ title }) => title), ["Near the pole"]);
});

Deno.test("pages follow each other without gaps or repeats, in each order", async () => {
  for (
    const order of [{ sort: "newest" }, { sort: "best", query: "bicycle or garden or singing" }]
  ) {
    const whole = await titles(order);
    const paged: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Hit[] = await must(search({ ...order, page_size: 2, cursor }));
      paged.push(...page.map(({ title }) => title));
      cursor = page.length === 2 ? page[1]!.cursor : null;
    } while (cursor);
    assert.deepEqual(paged, whole);
  }
  assert.equal((await titles({ query: "bicycle", sort: "best" })).length, 2);
});

Deno.test("what cannot be asked is refused", async () => {
  const bad = [
    { kind: "gift" },
    { query: "x".repeat(201) },
    { latitude: 53 },
    { latitude: 53, longitude: -6, radius_km: 500 },
    { latitude: 99, longitude: -6 },
    { tags: ["a'b"] },
    { sort: "price" },
    { sort: null },
    { sort: "nearest" },
    { sort: "best" },
    { cursor: "x" },
    { cursor: "2026-01-01T00:00:00Z,x" },
    { page_size: 101 },
  ];
  for (const args of bad) await assertRefused(search(args), 422, "request.invalid");
});

Deno.test("endings are those of the tenant's language, also after it chose another", async () => {
  const german = await createMarket({}, { locale: "de" });
  const me = await createMember(german, "owner");
  await publish(me, german, { title: "Wohnungen putzen" });
  const found = await must<Hit[]>(listings(me, german, "search", { query: "Wohnung" }));
  assert.equal(found.length, 1);
  await must(me.client.from("tenants").update({ locale: "en" }).eq("id", german.id));
  await until(() =>
    withDatabase(async (sql) => {
      const [row] = await sql`
        select words @@ to_tsquery('simple', 'wohnungen') as english
        from private.listings_index where tenant_id = ${german.id}`;
      return row!.english;
    }), { timeout: 15_000 });
});
