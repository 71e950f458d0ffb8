import { must } from "./answers.ts";
import { admin, type Person } from "./clients.ts";
import type { Tenant } from "./tenants.ts";

interface Stored {
  id: string;
}

/** A released picture in attachments, as a row: nobody asks for its bytes. */
export async function attachPicture({ client }: Person, tenant_id: string): Promise<string> {
  const { id } = await must<Stored>(client.rpc("files_begin", {
    tenant_id,
    bucket: "attachments",
    name: "x.gif",
    content_type: "image/gif",
    size: 1,
    width: 1,
    height: 1,
  }));
  await must(admin().rpc("files_finish", { tenant_id, file: id }));
  return id;
}

/** A row in every table of the feed, of both. */
export async function fillFeed(tenant: Tenant, owner: Person, member: Person): Promise<string> {
  const tenant_id = tenant.id;
  const call = <T = Stored>({ client }: Person, name: string, more: Record<string, unknown>) =>
    must<T>(client.rpc(name, { tenant_id, ...more }));
  let post_id = "";
  for (const me of [owner, member]) {
    const files = [await attachPicture(me, tenant_id)];
    const picture = await call(me, "feed_post", { body: "A #picture", files });
    await call(me, "feed_edit", { post_id: picture.id, body: "A better #picture" });
    const poll = { options: ["yes", "no"] };
    const asked = await call(me, "feed_post", { body: "Shall we?", poll });
    await call(me, "feed_vote", { post_id: asked.id, choices: [1] });
    await call(me, "feed_comment", { post_id: asked.id, body: "We shall" });
    await call(me, "feed_react", { post_id: asked.id, kind: "like" });
    post_id = asked.id;
  }
  return post_id;
}
