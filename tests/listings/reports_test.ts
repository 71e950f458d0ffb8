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

interface Case {
  id: string;
  case_id: string;
  excerpt: string;
}

async function createWorld() {
  const tenant = await createMarket();
  const [owner, staff, ana, ben] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant, "staff"),
    createMember(tenant),
    createMember(tenant),
  ]);
  return { tenant, owner, staff, ana, ben };
}

const moderate = (
  { client }: Person,
  { id: tenant_id }: Tenant,
  act: string,
  args: Record<string, unknown>,
) => client.rpc(`moderation_${act}`, { tenant_id, ...args });

const report = (me: Person, tenant: Tenant, subject: string) =>
  moderate(me, tenant, "report", { kind: "listings.listing", subject, reason: "spam" });

const statusOf = async ({ client }: Person, { id }: Listing) =>
  (await must<Listing[]>(client.from("listings").select().eq("id", id)))[0]?.status;

Deno.test("a reported listing is taken out of sight, and is back when the appeal is right", async () => {
  const { tenant, owner, staff, ana, ben } = await createWorld();
  const made = await publish(ana, tenant, { title: "Cheap watches", description: "Very" });
  await assertRefused(report(ana, tenant, made.id), 404, "moderation.subject_not_found");
  const hidden = await draft(ana, tenant);
  await assertRefused(report(ben, tenant, hidden.id), 404, "moderation.subject_not_found");
  const { case_id } = await must<Case>(report(ben, tenant, made.id));
  const [matter] = await must<Case[]>(staff.client.from("moderation_cases").select());
  assert.equal(matter!.excerpt, "Cheap watches\nVery");
  await must(moderate(staff, tenant, "decide", { case_id, action: "remove", note: "Spam" }));
  assert.deepEqual([await statusOf(ben, made), await statusOf(ana, made)], [undefined, "rejected"]);
  await must(moderate(ana, tenant, "appeal", { case_id, statement: "They are real" }));
  await must(moderate(owner, tenant, "decide_appeal", { case_id, uphold: false, note: "Sorry" }));
  assert.equal(await statusOf(ben, made), "active");
});

Deno.test("a listing whose time went by meanwhile comes back expired", async () => {
  const { tenant, owner, staff, ana, ben } = await createWorld();
  const made = await publish(ana, tenant);
  const { case_id } = await must<Case>(report(ben, tenant, made.id));
  await must(moderate(staff, tenant, "decide", { case_id, action: "remove" }));
  await setTime(made, "expires_at", "-1 day");
  await must(moderate(ana, tenant, "appeal", { case_id, statement: "Why?" }));
  await must(moderate(owner, tenant, "decide_appeal", { case_id, uphold: false, note: "Sorry" }));
  assert.equal(await statusOf(ana, made), "expired");
});

Deno.test("G2: of somebody erased no word stays: no text, place, picture, search, nor what search learnt", async () => {
  const { tenant, ana, ben } = await createWorld();
  const file = await picture(ana, tenant);
  const made = await publish(ana, tenant, {
    title: "Zyxwiana teaches juggling",
    description: "Call Zyxwiana",
    tags: ["zyxwtag"],
    place: "Zyxwtown",
    latitude: 53.35,
    longitude: -6.26,
    images: [file],
  });
  await publish(ben, tenant, { title: "Also juggling" });
  await draft(ana, tenant, { title: "Zyxwiana again" });
  await must(listings(ana, tenant, "search_save", { name: "Zyxwname", query: "zyxwquery" }));
  await must(listings(ben, tenant, "favourite", { listing: made.id }));
  await withDatabase(async (sql) => {
    await sql`update people set erased_at = now() where id = ${ana.id}`;
    const tables = await sql<{ name: string }[]>`
      select c.oid::regclass::text as name from pg_class c
      where c.relkind = 'r' and c.relname like 'listings%'
        and c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)`;
    for (const { name } of tables) {
      const rows = await sql.unsafe(`select from ${name} t where t::text ilike '%zyxw%'`);
      assert.equal(rows.length, 0, name);
    }
    const [row] = await sql`select status, title, latitude from listings where id = ${made.id}`;
    assert.deepEqual([row!.status, row!.title, row!.latitude], ["cancelled", null, null]);
    const known = await sql`
      select word from private.listings_words where tenant_id = ${tenant.id} and word = 'juggling'`;
    assert.equal(known.length, 1);
  });
});

Deno.test("words that no listing has any more are forgotten by the sweep", async () => {
  const { tenant, ana } = await createWorld();
  const made = await publish(ana, tenant, { title: "Quokka watching" });
  await publish(ana, tenant, { title: "Bird watching" });
  await must(
    listings(ana, tenant, "save", { listing: made.id, changes: { title: "Wombat watching" } }),
  );
  await withDatabase(async (sql) => {
    const words = async () =>
      (await sql`select word from private.listings_words where tenant_id = ${tenant.id} order by word`)
        .map(({ word }) => word);
    assert.deepEqual(await words(), ["bird", "quokka", "watching", "wombat"]);
    await sql`select private.listings_sweep()`;
    assert.deepEqual(await words(), ["bird", "watching", "wombat"]);
    const rests =
      await sql`select from private.listings_typos where tenant_id = ${tenant.id} and word = 'quokka'`;
    assert.equal(rests.length, 0);
  });
});
