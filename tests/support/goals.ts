import { must } from "./answers.ts";
import type { Person } from "./clients.ts";
import type { Tenant } from "./tenants.ts";

export interface Goal {
  id: string;
  owner_id: string;
  scope: string;
  status: string;
  title: string;
  target: number;
  progress: number;
  deadline: string | null;
  visibility: string;
}

type Arguments = Record<string, unknown>;

/** An RPC of the capability, as the person calls it. */
export const goals = (
  { client }: Pick<Person, "client">,
  { id: tenant_id }: Pick<Tenant, "id">,
  act: string,
  args: Arguments = {},
) => client.rpc(`goals_${act}`, { tenant_id, ...args });

/** A goal of the person's, or of the community. */
export const setGoal = (me: Person, tenant: Tenant, changes: Arguments = {}): Promise<Goal> =>
  must(goals(me, tenant, "save", { changes: { title: "Read books", target: 10, ...changes } }));

/** A goal of each that all see, with the other as a buddy, and a check-in. */
export async function fillGoals(tenant: Tenant, owner: Person, member: Person): Promise<void> {
  for (const [me, other] of [[owner, member], [member, owner]] as const) {
    const { id: goal } = await setGoal(me, tenant, { visibility: "members" });
    await must(goals(me, tenant, "invite", { goal, person: other.id }));
    await must(goals(me, tenant, "check_in", { goal, note: "Matrix" }));
  }
}
