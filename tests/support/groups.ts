import { must } from "./answers.ts";
import { admin, type Person } from "./clients.ts";
import type { Tenant } from "./tenants.ts";

interface Row {
  id: string;
}

/** A public group with a row in every table of groups, for both of them. */
export async function fillGroups({ id: tenant_id }: Tenant, owner: Person, member: Person) {
  const call = <T = Row>({ client }: Person, name: string, more: Record<string, unknown>) =>
    must<T>(client.rpc(name, { tenant_id, ...more }));
  const { id: group_id } = await call(owner, "groups_create", { name: "Gardeners" });
  await call(member, "groups_join", { group_id });
  const { id: thread_id } = await call(owner, "groups_post", {
    group_id,
    title: "Seeds",
    body: "Who has some?",
  });
  await call(member, "groups_reply", { thread_id, body: "I do." });
  const file = await attachFile(member, tenant_id);
  await call(member, "groups_share_file", { group_id, file });
  return group_id;
}

/** A released file in attachments, as a row: nobody asks for its bytes. */
export async function attachFile({ client }: Person, tenant_id: string): Promise<string> {
  const { id } = await must<Row>(client.rpc("files_begin", {
    tenant_id,
    bucket: "attachments",
    name: "x.ogg",
    content_type: "audio/ogg",
    size: 1,
  }));
  await must(admin().rpc("files_finish", { tenant_id, file: id }));
  return id;
}
