import { must } from "./answers.ts";
import type { Person } from "./clients.ts";
import { withDatabase } from "./database.ts";
import type { Tenant } from "./tenants.ts";

/** A row in every table of safeguarding that both may look at. */
export async function fillSafeguarding(
  tenant: Tenant,
  owner: Person,
  member: Person,
): Promise<void> {
  const { id: tenant_id } = tenant;
  const call = (name: string, args: Record<string, unknown>) =>
    must(owner.client.rpc(`safeguarding_${name}`, { tenant_id, ...args }));
  await call("set_copies", { scope: "nobody" });
  await call("vetting_type_save", { slug: "matrix", name: "Matrix", months: 12 });
  await call("vet", { person: member.id, type: "matrix" });
  await call("restrict", { person: member.id, what: "listings", reason: "Matrix" });
  await withDatabase(async (sql) => {
    await sql`
      insert into safeguarding_guardianships
        (tenant_id, ward_id, supporter_id, purpose, rights, proposed_by, expires_at)
      values (${tenant_id}, ${member.id}, ${owner.id}, 'care', '{see_balance}', ${owner.id},
        now() + interval '1 day')`;
    await sql`
      insert into safeguarding_watches (tenant_id, conversation_id, kind, from_seq, told_seq)
      select tenant_id, conversation_id, 'broker', 0, 0 from messaging_states
      where tenant_id = ${tenant_id} and person_id = ${member.id} limit 1`;
    await sql`
      insert into safeguarding_sent (tenant_id, message_id, supporter_id)
      select m.tenant_id, m.id, ${owner.id} from messaging_messages m
      where m.tenant_id = ${tenant_id} and m.deleted_at is null
        and not exists (select from messaging_hidden h where h.message_id = m.id)
      order by m.id limit 1`;
  });
}
