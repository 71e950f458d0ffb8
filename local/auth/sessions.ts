import { randomBytes } from "node:crypto";
import { auditEntry } from "./audit.ts";
import { type Call, inetOf } from "./call.ts";
import { fragment, type Sql } from "./database.ts";
import { AuthError } from "./errors.ts";
import { instance, type User } from "./users.ts";

/** How somebody proved who they are, as the claim `amr` names it. */
export type Method =
  | "password"
  | "otp"
  | "magiclink"
  | "recovery"
  | "invite"
  | "email/signup"
  | "email_change"
  | "anonymous";

/** What an access token says of its session. */
export interface Session {
  id: string;
  aal: string;
  amr: { method: string; timestamp: number }[];
}

export interface NewSession extends Session {
  refreshToken: string;
}

export interface Opening {
  method: Method;
  /** The hash the password was checked against: a password changed meanwhile opens nothing. */
  passwordHash?: string | null;
}

/** 128 random bits. */
export const newRefreshToken = (): string => randomBytes(16).toString("base64url");

export function planSession(method: Method): NewSession {
  const timestamp = Math.floor(Date.now() / 1000);
  const amr = [{ method, timestamp }];
  return { id: crypto.randomUUID(), aal: "aal1", amr, refreshToken: newRefreshToken() };
}

/**
 * Opens the session in one statement. It asks again whether the person may: between the check of the
 * password and this, they may have been banned or erased.
 */
export async function openSession(
  sql: Sql,
  call: Call,
  user: User,
  { id, refreshToken }: NewSession,
  { method, passwordHash }: Opening,
): Promise<void> {
  const traits = method === "password" ? { provider: "email" } : undefined;
  const unchanged = passwordHash === undefined
    ? fragment`true`
    : fragment`encrypted_password is not distinct from ${passwordHash}`;
  const opened = await sql`
    with person as (
      update auth.users set last_sign_in_at = now(), updated_at = now()
      where id = ${user.id} and deleted_at is null and ${unchanged}
        and (banned_until is null or banned_until <= now())
      returning id
    ), session as (
      insert into auth.sessions (id, user_id, created_at, updated_at, aal, user_agent, ip)
      select ${id}::uuid, id, now(), now(), 'aal1', ${call.userAgent}::text, ${inetOf(call)}::inet
      from person
    ), claim as (
      insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
      select ${crypto.randomUUID()}::uuid, ${id}::uuid, now(), now(), ${method}::text from person
    ), entry as (${auditEntry(user, "login", traits)})
    insert into auth.refresh_tokens (
      instance_id, token, user_id, revoked, parent, session_id, created_at, updated_at
    )
    select ${instance}::uuid, ${refreshToken}::text, id, false, '', ${id}::uuid, now(), now()
    from person
    returning session_id`;
  if (opened.length === 0) throw await refusal(sql, user);
}

async function refusal(sql: Sql, user: User): Promise<AuthError> {
  const [row] = await sql`
    select from auth.users where id = ${user.id} and deleted_at is null and banned_until > now()`;
  return row ? banned() : new AuthError(400, "invalid_credentials", "Invalid login credentials");
}

const banned = () => new AuthError(400, "user_banned", "User is banned");

export type Scope = "global" | "local" | "others";

/** Ends sessions of a person; their refresh tokens go with them. */
export async function endSessions(
  sql: Sql,
  userId: string,
  scope: Scope,
  sessionId: string | null,
): Promise<void> {
  const which = {
    global: fragment`true`,
    local: fragment`id = ${sessionId}`,
    others: fragment`id <> ${sessionId}`,
  }[scope];
  await sql`delete from auth.sessions where user_id = ${userId} and ${which}`;
}
