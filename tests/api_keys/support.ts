import { must } from "../support/answers.ts";
import { callApi } from "../support/api.ts";
import type { Person } from "../support/clients.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";
import { enrol } from "../two_factor/support.ts";

export interface Key {
  id: string;
  key: string;
  hint: string;
  permissions: string[];
  expires_at: string;
}

export const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

/** What makes a key of the tenant, unless told otherwise: one to read the wallet for a month. */
export const wanted = (tenant: Pick<Tenant, "id">, options: Record<string, unknown> = {}) => ({
  tenant_id: tenant.id,
  name: "Bookkeeping",
  permissions: ["tenants.read", "wallet.read"],
  expires_at: inDays(30),
  ...options,
});

export const createKey = (
  { client }: Pick<Person, "client">,
  tenant: Pick<Tenant, "id">,
  options: Record<string, unknown> = {},
): Promise<Key> => must<Key>(client.rpc("api_keys_create", wanted(tenant, options)));

/** A tenant and its owner, who has just given their second factor. */
export async function createKeeper() {
  const tenant = await createTenant();
  return { tenant, owner: await enrol(await createMember(tenant, "owner")) };
}

export const exchange = (api_key: string) => callApi("/v1/api-keys/token", { body: { api_key } });
