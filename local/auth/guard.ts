import { roleOfKey, verifyToken } from "../tokens.ts";
import type { Auth } from "./auth.ts";
import type { Json } from "./body.ts";
import { bearerOf, type Call } from "./call.ts";
import { AuthError } from "./errors.ts";
import { instance, isBanned, type User, userColumns } from "./users.ts";

/** Somebody whose token is good, and whose session still exists. */
export interface SignedIn {
  user: User;
  /** Null for a token that names no session, such as one made by hand. */
  session: { id: string; created_at: Date } | null;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const isUuid = (text: unknown): text is string =>
  typeof text === "string" && uuid.test(text);

/** The person behind the request's token. */
export async function requireUser(auth: Auth, call: Call): Promise<SignedIn> {
  const { sub, session_id } = await claimsOf(auth, call);
  if (!sub) throw badToken("invalid claim: missing sub claim");
  if (!isUuid(sub)) {
    throw new AuthError(400, "bad_jwt", "invalid claim: sub claim must be a UUID");
  }
  const sessionId = session_id && session_id !== instance ? session_id : undefined;
  if (sessionId !== undefined && !isUuid(sessionId)) {
    throw badToken("invalid claim: session_id claim must be a UUID");
  }
  const [found] = await auth.sql<User & { session: string | null; session_created_at: Date }>`
    select ${userColumns}, s.id as session, s.created_at as session_created_at
    from auth.users u
    left join auth.sessions s on s.id = ${sessionId}::uuid and s.user_id = u.id
    where u.instance_id = ${instance} and u.id = ${sub}`;
  if (!found || found.deleted_at) {
    throw new AuthError(403, "user_not_found", "User from sub claim in JWT does not exist");
  }
  if (isBanned(found)) throw new AuthError(403, "user_banned", "User is banned");
  const { session, session_created_at, ...user } = found;
  if (sessionId !== undefined && session === null) {
    const message = "Session from session_id claim in JWT does not exist";
    throw new AuthError(403, "session_not_found", message);
  }
  return { user, session: session ? { id: session, created_at: session_created_at } : null };
}

/** Lets only the project's own servers pass: the secret key, or a token with the role service_role. */
export async function requireAdmin(auth: Auth, call: Call): Promise<void> {
  const { role } = await claimsOf(auth, call);
  if (role !== "service_role") throw new AuthError(403, "not_admin", "User not allowed");
}

/**
 * What the credentials claim. A bearer goes before the `apikey`, as on hosted, so that a server which
 * carries a person's token acts as that person; a key in place of a token stands for its role.
 */
async function claimsOf(auth: Auth, call: Call): Promise<Json> {
  const apikey = call.headers.get("apikey") ?? call.query.get("apikey") ?? "";
  const isServer = roleOfKey(auth.keys, apikey) === "service_role";
  const bearer = bearerOf(call.headers) ?? (isServer ? apikey : undefined);
  if (bearer === undefined) {
    throw new AuthError(401, "no_authorization", "This endpoint requires a Bearer token");
  }
  const role = roleOfKey(auth.keys, bearer);
  if (role) return { role };
  try {
    return await verifyToken(auth.keys, bearer);
  } catch (error) {
    const expired = (error as { code?: string }).code === "ERR_JWT_EXPIRED";
    const reason = expired ? "token has invalid claims: token is expired" : "signature is invalid";
    throw badToken(`invalid JWT: unable to parse or verify signature, ${reason}`);
  }
}

const badToken = (message: string) => new AuthError(403, "bad_jwt", message);
