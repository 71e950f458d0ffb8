import type { Person } from "./clients.ts";
import { withDatabase } from "./database.ts";
import type { Tenant } from "./tenants.ts";

/** Looks at everything in the tenant since the last look, as the clock does every hour. */
export const look = ({ id }: Pick<Tenant, "id">): Promise<number> =>
  withDatabase(async (sql) => {
    const [row] = await sql`select private.abuse_look(${id}) as findings`;
    return row!.findings as number;
  });

/** A case of each, confirmed, so that both the reviewer and whom it is about see one. */
export const fillAbuse = ({ id }: Tenant, owner: Person, member: Person): Promise<void> =>
  withDatabase(async (sql) => {
    await sql`
      select private.abuse_open(${id}, row(p, 'large_transfer', 'matrix', '{}')::private.abuse_hit)
      from unnest(${[owner.id, member.id]}::uuid[]) p`;
    await sql`
      update abuse_cases set status = 'confirmed', action = 'confirm', note = 'Matrix',
        decided_at = now() where tenant_id = ${id}`;
  });
