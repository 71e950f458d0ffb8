import assert from "node:assert/strict";
import { admin } from "./clients.ts";

/** Makes a tenant of an owner, with a slug of its own. */
export async function createTenant(
  owner: string,
  modules: string[] = [],
): Promise<{ id: string; slug: string }> {
  const slug = `t-${crypto.randomUUID().slice(0, 8)}`;
  const { data, error } = await admin().rpc("tenants_create", { slug, name: slug, modules, owner });
  assert.equal(error, null);
  return { id: data.id, slug };
}

/** Makes a person an active member. */
export async function addMember(tenant_id: string, person: string, role: string): Promise<void> {
  const { error } = await admin().rpc("members_add", { tenant_id, person, role });
  assert.equal(error, null);
}
