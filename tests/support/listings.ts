import { must } from "./answers.ts";
import { admin, type Person } from "./clients.ts";
import { withDatabase } from "./database.ts";
import { createTenant, type Tenant } from "./tenants.ts";

export interface Listing {
  id: string;
  tenant_id: string;
  owner_id: string;
  kind: "offer" | "request";
  status: string;
  title: string | null;
  description: string | null;
  tags: string[];
  latitude: number | null;
  longitude: number | null;
  reason: string | null;
  featured_at: string | null;
  published_at: string | null;
  expires_at: string | null;
  renewals: number;
}

type Arguments = Record<string, unknown>;

/** A tenant with listings, and messages about them. */
export const createMarket = (listings: Arguments = {}, options: Arguments = {}): Promise<Tenant> =>
  createTenant({
    modules: ["listings", "messaging"],
    currencies: [],
    settings: { listings },
    ...options,
  });

/** An RPC of the capability, as the person calls it. */
export const listings = (
  { client }: Pick<Person, "client">,
  { id: tenant_id }: Pick<Tenant, "id">,
  act: string,
  args: Arguments = {},
) => client.rpc(`listings_${act}`, { tenant_id, ...args });

/** A draft. */
export const draft = (owner: Person, tenant: Tenant, changes: Arguments = {}): Promise<Listing> =>
  must(
    listings(owner, tenant, "save", {
      changes: { kind: "offer", title: "Help in the garden", ...changes },
    }),
  );

/** A listing that was published, or waits where the tenant looks first. */
export async function publish(
  owner: Person,
  tenant: Tenant,
  changes: Arguments = {},
): Promise<Listing> {
  const { id: listing } = await draft(owner, tenant, changes);
  return await must(listings(owner, tenant, "publish", { listing }));
}

/** Lets a time of a listing be over, or about to be. */
export const setTime = (
  { id }: Pick<Listing, "id">,
  column: "expires_at" | "remind_at",
  offset: string,
) =>
  withDatabase((sql) =>
    sql`update listings set ${sql(column)} = now() + ${offset}::interval where id = ${id}`
  );

/** A released picture, as a row: nobody asks for its bytes. */
export async function picture({ client }: Person, { id: tenant_id }: Tenant): Promise<string> {
  const { id } = await must<{ id: string }>(client.rpc("files_begin", {
    tenant_id,
    bucket: "images",
    name: "x.gif",
    content_type: "image/gif",
    size: 1,
    width: 1,
    height: 1,
  }));
  await must(admin().rpc("files_finish", { tenant_id, file: id }));
  return id;
}

/** For both a visible listing with a picture, kept and looked at by the other, and a search. */
export async function fillListings(tenant: Tenant, owner: Person, member: Person): Promise<void> {
  for (const [me, other] of [[owner, member], [member, owner]] as const) {
    const { id: listing } = await publish(me, tenant, { images: [await picture(me, tenant)] });
    await must(listings(other, tenant, "favourite", { listing }));
    await must(listings(other, tenant, "view", { listing }));
    await must(listings(me, tenant, "search_save", { name: "Matrix", query: "matrix" }));
  }
  await withDatabase((sql) => sql`select private.listings_rank(${tenant.id})`);
}
