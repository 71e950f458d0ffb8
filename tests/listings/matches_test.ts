import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { createMarket, listings, publish } from "../support/listings.ts";
import { createMember } from "../support/tenants.ts";

interface Match {
  listing_id: string;
  for_listing: string;
  title: string;
  score: number;
  tags: string[];
  words: string[];
  km: number | null;
  minutes: number | null;
}

Deno.test("offers and requests that fit find each other, the best first, with reasons", async () => {
  const tenant = await createMarket();
  const [ana, ben, carl] = await Promise.all([
    createMember(tenant),
    createMember(tenant),
    createMember(tenant),
  ]);
  const place = { latitude: 53.35, longitude: -6.26 };
  const mine = await publish(ana, tenant, {
    kind: "request",
    title: "Guitar lessons for beginners",
    tags: ["music", "guitar"],
    minutes: 60,
    ...place,
  });
  const best = await publish(ben, tenant, {
    title: "I teach guitar",
    tags: ["guitar", "music"],
    minutes: 60,
    ...place,
  });
  const worse = await publish(carl, tenant, {
    title: "Piano lessons",
    latitude: 51.9,
    longitude: -8.47,
  });
  await publish(carl, tenant, { title: "Plumbing", tags: ["pipes"], ...place });
  await publish(carl, tenant, { kind: "request", title: "Guitar lessons, too", tags: ["guitar"] });
  await publish(ana, tenant, { title: "Guitar strings of mine", tags: ["guitar"] });

  const found = await must<Match[]>(listings(ana, tenant, "matches", { listing: mine.id }));
  assert.deepEqual(found.map(({ listing_id }) => listing_id), [best.id]);
  const { tags, words, km, minutes, for_listing } = found[0]!;
  assert.deepEqual({ tags, words, km, minutes, for_listing }, {
    tags: ["guitar", "music"],
    words: ["guitar", "music"],
    km: 0,
    minutes: 60,
    for_listing: mine.id,
  });
  // Far away, and one word in common: no reason to name it. Nearer, it is.
  await must(listings(carl, tenant, "save", { listing: worse.id, changes: place }));
  const now = await must<Match[]>(listings(ana, tenant, "matches"));
  assert.deepEqual(
    now.map(({ title }) => title).slice(0, 2),
    ["I teach guitar", "Guitar lessons, too"]
      .filter((title) => now.some((match) => match.title === title)),
  );
  assert.deepEqual(now.find(({ listing_id }) => listing_id === worse.id)!.words, ["lesson"]);
});

Deno.test("matches are asked for one's own listings", async () => {
  const tenant = await createMarket();
  const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]);
  const { id: listing } = await publish(ana, tenant);
  await assertRefused(listings(ben, tenant, "matches", { listing }), 404, "listings.not_found");
  await assertRefused(listings(ana, tenant, "matches", { page_size: 0 }), 422, "request.invalid");
  assert.deepEqual(await must(listings(ben, tenant, "matches")), []);
});
