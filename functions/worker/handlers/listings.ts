import type { Handler } from "../handlers.ts";

/** Tells whoever waits for a listing, a hundred at a time; nobody twice, however often it runs. */
const alert: Handler = async ({ tenant_id, payload }, { database }, signal) => {
  const asService = database.asService();
  const listing = { tenant_id, listing: payload.listing };
  while (!signal.aborted && await asService.rpc<number>("listings_alert", listing) > 0);
};

/** In the tenant's morning: what was found since the last one. */
const tellFound: Handler = async ({ tenant_id }, { database }, signal) => {
  const asService = database.asService();
  while (!signal.aborted && await asService.rpc<number>("listings_tell_found", { tenant_id }) > 0);
};

/** The tenant chose another language: its words are indexed anew, in batches. */
const reindex: Handler = async ({ tenant_id }, { database }, signal) => {
  const asService = database.asService();
  let after: string | null = null;
  do {
    after = await asService.rpc<string | null>("listings_reindex", { tenant_id, after });
  } while (after && !signal.aborted);
};

export const listingsHandlers: Record<string, Handler> = {
  "listings.alert": alert,
  "listings.reindex": reindex,
  "listings.tell_found": tellFound,
};
