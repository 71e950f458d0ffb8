import assert from "node:assert/strict";
import { block } from "../messaging/support.ts";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import {
  createMarket,
  draft,
  type Listing,
  listings,
  publish,
  setTime,
} from "../support/listings.ts";
import { addMember, createMember, setStatus } from "../support/tenants.ts";
import { until } from "../support/wait.ts";

/** What somebody sees of a listing, by every path there is. */
type Paths = Record<
  "table" | "search" | "favourites" | "kept" | "view" | "matches" | "talk",
  boolean
>;

const tenant = await createMarket();
const [owner, ana, ben] = await Promise.all([
  createMember(tenant, "owner"),
  createMember(tenant),
  createMember(tenant),
]);
const all = (seen: boolean): Paths => ({
  table: seen,
  search: seen,
  favourites: seen,
  kept: seen,
  view: seen,
  matches: seen,
  talk: seen,
});

interface World {
  listing: Listing;
  search: string;
}

/** A listing of Ana's that Ben knows by every path, and a request of his own that it fits. */
async function known(word: string): Promise<World> {
  const listing = await publish(ana, tenant, { title: `Lessons in ${word}`, tags: [word] });
  await must(listings(ben, tenant, "favourite", { listing: listing.id }));
  await publish(ben, tenant, { kind: "request", title: `Learning ${word}`, tags: [word] });
  const { id } = await must<{ id: string }>(
    listings(ben, tenant, "search_save", { name: word, query: word, kind: "offer", alert: "off" }),
  );
  return { listing, search: id };
}

async function paths({ listing, search }: World, me: Person = ben): Promise<Paths> {
  const has = async (
    call: PromiseLike<{ data: unknown; error: null | { message: string } }>,
    key = "listing_id",
  ) => {
    const rows = await must<Record<string, unknown>[]>(call);
    return rows.some((row) => row[key] === listing.id);
  };
  const talk = await me.client.rpc("messaging_open", {
    tenant_id: tenant.id,
    person: owner.id,
    context_kind: "listing",
    context_id: listing.id,
  });
  if (talk.data) {
    await withDatabase((sql) =>
      sql`delete from messaging_conversations where id = ${talk.data.id}`
    );
  }
  const view = await listings(me, tenant, "view", { listing: listing.id });
  if (view.error) assert.equal(view.error.message, "listings.not_found");
  if (talk.error) assert.equal(talk.error.message, "listings.not_found");
  return {
    table: await has(me.client.from("listings").select(), "id"),
    search: await has(listings(me, tenant, "search", { page_size: 100 })),
    favourites: await has(listings(me, tenant, "favourites_list")),
    kept: await has(listings(me, tenant, "search_run", { search })),
    view: !view.error,
    matches: await has(listings(me, tenant, "matches", { page_size: 100 })),
    talk: !talk.error,
  };
}

Deno.test("one rule on every path: a block hides either from the other, and ending it shows them again", async () => {
  const world = await known("pottery");
  assert.deepEqual(await paths(world), all(true));
  for (const [who, whom] of [[ben, ana], [ana, ben]] as const) {
    await block(who, tenant, whom);
    assert.deepEqual(await paths(world), all(false));
    await assertRefused(
      listings(ben, tenant, "favourite", { listing: world.listing.id }),
      404,
      "listings.not_found",
    );
    await block(who, tenant, whom, false);
  }
  assert.deepEqual(await paths(world), all(true));
});

Deno.test("one rule on every path: whoever is suspended or gone shows nothing", async () => {
  const world = await known("juggling");
  for (const status of ["suspended", "banned"]) {
    await setStatus(owner.client, tenant, ana, status);
    assert.deepEqual(await paths(world), all(false));
    await setStatus(owner.client, tenant, ana, "active");
  }
  await must(ana.client.rpc("members_leave", { tenant_id: tenant.id }));
  assert.deepEqual(await paths(world), all(false));
  await addMember(tenant, ana);
  assert.deepEqual(await paths(world), all(true));
});

Deno.test("one rule on every path: what is expired, rejected, done or taken back is gone for others", async () => {
  for (
    const [word, end] of [
      ["origami", async ({ id }: Listing) => {
        await setTime({ id }, "expires_at", "-1 second");
        await withDatabase((sql) => sql`select private.listings_expire()`);
      }],
      [
        "chess",
        ({ id }: Listing) => must(listings(owner, tenant, "reject", { listing: id, reason: "No" })),
      ],
      ["sailing", ({ id }: Listing) => must(listings(ana, tenant, "fulfil", { listing: id }))],
      ["cooking", ({ id }: Listing) => must(listings(ana, tenant, "cancel", { listing: id }))],
    ] as const
  ) {
    const world = await known(word);
    await end(world.listing);
    assert.deepEqual(await paths(world), all(false), word);
  }
});

Deno.test("a draft is in no list, and another tenant's listings are nobody's here", async () => {
  const hidden = await draft(ana, tenant, { title: "Not yet shown" });
  const stranger = await createMember(await createMarket(), "owner");
  for (const me of [ben, owner]) {
    const rows = await must<{ listing_id: string }[]>(
      listings(me, tenant, "search", { query: "shown" }),
    );
    assert.deepEqual(rows, []);
    await assertRefused(
      listings(me, tenant, "favourite", { listing: hidden.id }),
      404,
      "listings.not_found",
    );
  }
  assert.deepEqual(await must(stranger.client.from("listings").select()), []);
  await assertRefused(listings(stranger, tenant, "search"), 404, "tenants.not_found");
  for (const act of ["view", "favourite", "publish", "matches"]) {
    const other = {
      id: (await must<{ id: string }[]>(stranger.client.from("tenants").select("id")))[0]!.id,
    };
    await assertRefused(
      listings(stranger, other, act, { listing: hidden.id }),
      404,
      "listings.not_found",
    );
  }
});

Deno.test("a listing that was begun to talk about is shown to both, and counted once a day", async () => {
  const listing = await publish(ana, tenant, { title: "Talk to me" });
  const open = (me: Person, person: Person, context_id = listing.id) =>
    me.client.rpc("messaging_open", {
      tenant_id: tenant.id,
      person: person.id,
      context_kind: "listing",
      context_id,
    });
  await assertRefused(open(ben, ana, crypto.randomUUID()), 404, "listings.not_found");
  const hidden = await draft(ana, tenant);
  await assertRefused(open(ana, ben, hidden.id), 404, "listings.not_found");
  const first = await must<{ id: string }>(open(ben, ana));
  assert.equal((await must<{ id: string }>(open(ben, ana))).id, first.id);
  await must(open(ben, owner));
  await must(listings(ben, tenant, "view", { listing: listing.id }));
  await must(listings(ben, tenant, "view", { listing: listing.id }));
  await must(listings(ana, tenant, "view", { listing: listing.id }));
  await must(listings(ben, tenant, "favourite", { listing: listing.id }));
  await must(listings(ben, tenant, "favourite", { listing: listing.id }));
  await must(listings(ana, tenant, "favourite", { listing: listing.id }));
  const counts = (me: Person) =>
    must<Record<string, number>[]>(
      me.client.from("listings_counts").select("views, contacts, favourites").eq(
        "listing_id",
        listing.id,
      ),
    );
  assert.deepEqual(await counts(ana), [{ views: 1, contacts: 1, favourites: 1 }]);
  assert.deepEqual(await counts(ben), []);
  await must(listings(ben, tenant, "favourite", { listing: listing.id, favourite: false }));
  assert.equal((await counts(owner))[0]!.favourites, 0);
  await assertRefused(
    listings(ben, tenant, "favourite", { listing: listing.id, favourite: null }),
    422,
    "request.invalid",
  );
  await until(async () => {
    await withDatabase(async (sql) => {
      await sql`update private.listings_trends set due_at = now() where tenant_id = ${tenant.id}`;
      await sql`select private.listings_trend()`;
    });
    const found = await must<{ listing_id: string; place: number }[]>(
      ben.client.from("listings_trending").select().order("place"),
    );
    return found[0]?.listing_id === listing.id && found[0].place === 1;
  });
});
