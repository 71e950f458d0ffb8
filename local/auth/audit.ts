import type { Json } from "./body.ts";
import { fragment, type Sql } from "./database.ts";
import { instance, type User } from "./users.ts";

const logTypes = {
  login: "account",
  logout: "account",
  user_signedup: "team",
  user_invited: "team",
  user_deleted: "team",
  token_refreshed: "token",
  user_modified: "user",
  identity_unlinked: "user",
  user_recovery_requested: "user",
  user_confirmation_requested: "user",
  user_repeated_signup: "user",
  user_updated_password: "user",
  user_reauthenticate_requested: "user",
};

export type AuditAction = keyof typeof logTypes;

type Actor = Pick<User, "id" | "email" | "raw_user_meta_data">;

/** Who acts when an operator does, in GoTrue's trail. */
export const operator: Actor = { id: instance, email: "service_role", raw_user_meta_data: null };

/** The row of `auth.audit_log_entries` for an act, as an insert that a statement can carry along. */
export function auditEntry(actor: Actor, action: AuditAction, traits?: Json) {
  const payload = {
    action,
    actor_id: actor.id,
    actor_name: actor.raw_user_meta_data?.full_name,
    actor_username: actor.email ?? "",
    actor_via_sso: false,
    log_type: logTypes[action],
    traits,
  };
  return fragment`
    insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
    values (${instance}, ${crypto.randomUUID()}, ${payload}, now(), '')`;
}

export async function audit(
  sql: Sql,
  actor: Actor,
  action: AuditAction,
  traits?: Json,
): Promise<void> {
  await sql`${auditEntry(actor, action, traits)}`;
}
