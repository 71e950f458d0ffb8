import type { Auth } from "../auth.ts";
import type { Json } from "../body.ts";
import type { Call } from "../call.ts";
import { fragment } from "../database.ts";
import { AuthError } from "../errors.ts";
import { isUuid } from "../guard.ts";
import { requireTarget } from "./users.ts";

const columns = fragment`id, created_at, updated_at, status, friendly_name, factor_type`;

/** `GET /admin/users/{id}/factors`: the second factors of a person. */
export async function listFactors(auth: Auth, call: Call): Promise<Response> {
  const user = await requireTarget(auth, call);
  const factors = await auth.sql`
    select ${columns} from auth.mfa_factors where user_id = ${user.id} order by created_at`;
  return Response.json(factors);
}

/** `DELETE /admin/users/{id}/factors/{factor}`. */
export async function deleteFactor(auth: Auth, call: Call): Promise<Json> {
  const user = await requireTarget(auth, call);
  const { factor } = call.params;
  if (!isUuid(factor)) {
    throw new AuthError(404, "validation_failed", "factor_id must be an UUID");
  }
  const [deleted] = await auth.sql<Json>`
    delete from auth.mfa_factors where user_id = ${user.id} and id = ${factor} returning ${columns}`;
  if (!deleted) throw new AuthError(404, "mfa_factor_not_found", "Factor not found");
  return deleted;
}
