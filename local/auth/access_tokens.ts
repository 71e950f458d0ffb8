import { signToken } from "../tokens.ts";
import type { Auth } from "./auth.ts";
import type { Json } from "./body.ts";
import type { Call } from "./call.ts";
import type { Sql } from "./database.ts";
import { type NewSession, type Opening, openSession, type Session } from "./sessions.ts";
import { present, type User } from "./users.ts";

export interface TokenAnswer extends Json {
  access_token: string;
  token_type: "bearer";
  expires_in: number;
  expires_at: number;
  refresh_token: string;
  user: Json;
}

/** Opens a session and answers with its tokens; a hook that refuses undoes it. */
export async function signInAs(
  auth: Auth,
  call: Call,
  user: User,
  opening: Opening,
): Promise<TokenAnswer> {
  if (auth.hooks.has("custom_access_token")) {
    return await auth.sql.transaction((sql) => signInWithin(auth, sql, call, user, opening));
  }
  return await signInWithin(auth, auth.sql, call, user, opening);
}

/** As `signInAs`, within a transaction that did more. */
export async function signInWithin(
  auth: Auth,
  sql: Sql,
  call: Call,
  user: User,
  opening: Opening,
): Promise<TokenAnswer> {
  const session = await openSession(sql, call, user, opening);
  return await answer(auth, sql, call, user, session, opening.method);
}

/** Signs an access token for the session, with what `custom_access_token` makes of its claims. */
export async function answer(
  auth: Auth,
  sql: Sql,
  call: Call,
  user: User,
  session: Pick<NewSession, "refreshToken"> & Session,
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

function claimsOf(auth: Auth, user: User, session: Session, iat: number): Json {
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
