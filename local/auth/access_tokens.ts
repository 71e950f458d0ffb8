import { signToken } from "../tokens.ts";
import type { Auth } from "./auth.ts";
import type { Json } from "./body.ts";
import type { Call } from "./call.ts";
import type { Sql } from "./database.ts";
import { type NewSession, type Opening, openSession, planSession } from "./sessions.ts";
import { present, type User } from "./users.ts";

export interface TokenAnswer extends Json {
  access_token: string;
  token_type: "bearer";
  expires_in: number;
  expires_at: number;
  refresh_token: string;
  user: Json;
}

/** Opens a session and answers with its tokens; a hook that refuses leaves none behind. */
export async function signInAs(
  auth: Auth,
  call: Call,
  user: User,
  opening: Opening,
): Promise<TokenAnswer> {
  // A hook in the database may read the session, so it is asked after it is made.
  if (auth.hooks.inDatabase("custom_access_token")) {
    return await auth.sql.transaction((sql) => signInWithin(auth, sql, call, user, opening));
  }
  // One over HTTP cannot see it before the commit anyway, and no connection waits for its answer.
  const session = planSession(opening.method);
  const tokens = await answer(auth, auth.sql, call, seen(user), session, opening.method);
  await openSession(auth.sql, call, user, session, opening);
  return tokens;
}

/** As `signInAs`, within a transaction that did more. */
export async function signInWithin(
  auth: Auth,
  sql: Sql,
  call: Call,
  user: User,
  opening: Opening,
): Promise<TokenAnswer> {
  const session = planSession(opening.method);
  await openSession(sql, call, user, session, opening);
  return await answer(auth, sql, call, seen(user), session, opening.method);
}

const seen = (user: User): User => ({ ...user, last_sign_in_at: new Date() });

/** Signs an access token for the session, with what `custom_access_token` makes of its claims. */
export async function answer(
  auth: Auth,
  sql: Sql,
  call: Call,
  user: User,
  session: NewSession,
  method: string,
): Promise<TokenAnswer> {
  const { jwtExpiry } = auth.config;
  const iat = Math.floor(Date.now() / 1000);
  const claims = await auth.hooks.customizeAccessToken(
    sql,
    call,
    user.id,
    claimsOf(auth, user, session, iat),
    method,
  );
  return {
    access_token: await signToken(auth.keys, claims),
    token_type: "bearer",
    expires_in: jwtExpiry,
    expires_at: iat + jwtExpiry,
    refresh_token: session.refreshToken,
    user: present(user),
  };
}

function claimsOf(auth: Auth, user: User, session: NewSession, iat: number): Json {
  return {
    iss: auth.keys.issuer,
    sub: user.id,
    aud: user.aud,
    exp: iat + auth.config.jwtExpiry,
    iat,
    email: user.email ?? "",
    phone: user.phone ?? "",
    app_metadata: user.raw_app_meta_data ?? {},
    user_metadata: user.raw_user_meta_data ?? {},
    role: user.role,
    aal: session.aal,
    amr: session.amr,
    session_id: session.id,
    is_anonymous: user.is_anonymous,
  };
}
