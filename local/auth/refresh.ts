import { answer, type TokenAnswer } from "./access_tokens.ts";
import { auditEntry } from "./audit.ts";
import type { Auth } from "./auth.ts";
import { type Call, inetOf } from "./call.ts";
import type { Sql } from "./database.ts";
import { AuthError, type ErrorCode, invalid } from "./errors.ts";
import { newRefreshToken, type NewSession } from "./sessions.ts";
import { findUser, instance, isBanned, type User } from "./users.ts";

interface Used {
  id: string;
  session_id: string;
  user_id: string;
  revoked: boolean;
  /** Seconds since the token was made or rotated. */
  age: number;
  expired: boolean;
  aal: string;
  amr: NewSession["amr"];
  active: string | null;
  active_parent: string | null;
}

interface Refreshed {
  user: User;
  session: NewSession;
}

/** `grant_type=refresh_token`: a new access token, and the one live refresh token of the session. */
export async function refresh(auth: Auth, call: Call): Promise<TokenAnswer> {
  const token = call.body.text("refresh_token");
  if (!token) throw invalid("refresh_token required");
  // A client that asks twenty times at once waits here, not on twenty connections.
  const { user, session } = await auth.turns.take(token, () => rotate(auth, call, token));
  // Signed after the commit: a hook that fails costs nothing, as the parent of the live token may
  // ask again.
  return await answer(auth, auth.sql, call, user, session, "token_refresh");
}

async function rotate(auth: Auth, call: Call, token: string): Promise<Refreshed> {
  const refreshed = await auth.sql.transaction(async (sql) => {
    const used = await lockSession(sql, token);
    if (!used) throw refused("refresh_token_not_found", "Refresh Token Not Found");
    const user = await findUser(sql, used.user_id);
    if (!user || user.deleted_at) throw refused("session_not_found", "No Valid Session Found");
    if (isBanned(user)) throw refused("user_banned", "User Banned");
    if (used.expired) throw refused("session_expired", "Session Expired");
    const refreshToken = used.revoked
      ? liveInstead(auth, used, token)
      : await replace(sql, used, token);
    if (refreshToken === undefined) {
      await revokeFamily(sql, used);
      return undefined;
    }
    await touch(sql, call, used, user);
    return { user, session: { id: used.session_id, aal: used.aal, amr: used.amr, refreshToken } };
  });
  // Thrown only here, so that the end of its tokens is committed.
  if (!refreshed) throw refused("refresh_token_already_used", "Already Used");
  return refreshed;
}

/**
 * Locks the session first and reads its tokens in a second statement, which sees what a refresh that
 * held the lock before us has done.
 */
async function lockSession(sql: Sql, token: string): Promise<Used | undefined> {
  await sql`
    select from auth.sessions
    where id = (select session_id from auth.refresh_tokens where token = ${token})
    for update`;
  const [used] = await sql<Used>`
    select t.id, t.session_id, s.user_id, t.revoked,
      extract(epoch from now() - t.updated_at)::float as age,
      coalesce(s.not_after < now(), false) as expired, coalesce(s.aal::text, 'aal1') as aal,
      active.token as active, active.parent as active_parent,
      (
        select coalesce(jsonb_agg(jsonb_build_object(
          'method', c.authentication_method, 'timestamp', floor(extract(epoch from c.updated_at))
        ) order by c.updated_at desc), '[]')
        from auth.mfa_amr_claims c where c.session_id = s.id
      ) as amr
    from auth.refresh_tokens t
    join auth.sessions s on s.id = t.session_id
    left join lateral (
      select token, parent from auth.refresh_tokens
      where session_id = s.id and not revoked
      order by id desc limit 1
    ) active on true
    where t.token = ${token}`;
  return used;
}

/**
 * What a rotated token still gives: the live one, to a client that lost the answer (its token is the
 * parent of the live one) or asked several times at once. Undefined is theft.
 */
function liveInstead(auth: Auth, used: Used, token: string): string | undefined {
  const forgiven = used.active_parent === token || used.age < auth.config.refreshReuseInterval;
  return forgiven ? used.active ?? undefined : undefined;
}

/** As Auth does: the session stays, and nothing refreshes it any more. */
async function revokeFamily(sql: Sql, used: Used): Promise<void> {
  await sql`
    update auth.refresh_tokens set revoked = true, updated_at = now()
    where session_id = ${used.session_id} and not revoked`;
}

async function replace(sql: Sql, used: Used, token: string): Promise<string> {
  const next = newRefreshToken();
  await sql`
    with rotated as (
      update auth.refresh_tokens set revoked = true, updated_at = now() where id = ${used.id}
    )
    insert into auth.refresh_tokens (
      instance_id, token, user_id, revoked, parent, session_id, created_at, updated_at
    ) values (
      ${instance}, ${next}, ${used.user_id}, false, ${token}, ${used.session_id}, now(), now()
    )`;
  return next;
}

async function touch(sql: Sql, call: Call, used: Used, user: User): Promise<void> {
  await sql`
    with entry as (${auditEntry(user, "token_refreshed")})
    update auth.sessions set
      refreshed_at = now() at time zone 'utc', updated_at = now(),
      user_agent = ${call.userAgent}, ip = ${inetOf(call)}
    where id = ${used.session_id}`;
}

const refused = (code: ErrorCode, reason: string) =>
  new AuthError(400, code, `Invalid Refresh Token: ${reason}`);
