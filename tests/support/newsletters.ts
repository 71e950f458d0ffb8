import { must } from "./answers.ts";
import type { Person } from "./clients.ts";
import { withDatabase } from "./database.ts";
import type { Tenant } from "./tenants.ts";

/** What a newsletter says, where it does not matter. */
export const content = {
  subject: "News",
  greeting: "Dear {name},",
  blocks: [
    { type: "paragraph", text: "See [this](https://nexus.test/this)." },
    { type: "button", text: "Read on", link: "https://nexus.test/on" },
  ],
};

/** A row in every table of newsletters; nothing of it is sent. */
export async function fillNewsletters(tenant: Tenant, owner: Person, member: Person) {
  const tenant_id = tenant.id;
  const call = (name: string, more: Record<string, unknown>) =>
    must<{ id: string }>(owner.client.rpc(`newsletters_${name}`, { tenant_id, ...more }));
  const name = "Matrix";
  await call("tag", { people: [owner.id, member.id], tag: "matrix" });
  await call("save_segment", { name, criteria: [] });
  await call("save_template", { name, content });
  await call("save_recurring", { name, content, cron: "0 9 1 1 *", active: false });
  await call("save_sequence", { name, steps: [{ after_hours: 1, content }] });
  const { id } = await call("save", { name, content });
  // One that has begun: the matrix wants no mails.
  await withDatabase((sql) =>
    sql`
      insert into newsletters_variants (tenant_id, newsletter_id, place, subject, links)
      values (${tenant_id}, ${id}, 0, 'News', '{}')`
  );
  return id;
}
