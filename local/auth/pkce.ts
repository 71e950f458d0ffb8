import { createHash, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import { signInWithin, type TokenAnswer } from "./access_tokens.ts";
import type { Auth } from "./auth.ts";
import type { Body } from "./body.ts";
import type { Call } from "./call.ts";
import type { Sql } from "./database.ts";
import { AuthError, invalid } from "./errors.ts";
import { pkcePrefix } from "./one_time_tokens.ts";
import type { Method } from "./sessions.ts";
import { findUser, isBanned } from "./users.ts";

/** Minutes between the start of a flow (or, for a link, its opening) and the exchange of its code. */
const flowMinutes = 5;

export interface Challenge {
  challenge: string;
  method: "s256" | "plain";
}

/** The code challenge of a request; undefined for one that wants the implicit flow. */
export function challengeOf(body: Body): Challenge | undefined {
  const challenge = body.text("code_challenge");
  const method = body.text("code_challenge_method")?.toLowerCase();
  if (!challenge !== !method) {
    throw invalid("PKCE flow requires code_challenge_method and code_challenge");
  }
  if (!challenge) return undefined;
  if (challenge.length < 43 || challenge.length > 128) {
    throw invalid("code challenge has to be between 43 and 128 characters");
  }
  if (!/^[a-zA-Z._~0-9-]+$/.test(challenge)) {
    throw invalid(
      "code challenge can only contain alphanumeric characters, hyphens, periods, underscores and tildes",
    );
  }
  if (method !== "s256" && method !== "plain") {
    throw invalid(`unsupported code_challenge method "${method}"`);
  }
  return { challenge, method };
}

/** Remembers who may exchange the code that the link of a mail will end in. */
export async function startFlow(
  sql: Sql,
  userId: string,
  method: Method,
  { challenge, method: challengeMethod }: Challenge,
): Promise<void> {
  const provider = method === "email/signup" ? "email" : method;
  await sql`
    insert into auth.flow_state (
      id, user_id, auth_code, code_challenge_method, code_challenge, provider_type,
      authentication_method, provider_access_token, provider_refresh_token, created_at, updated_at
    ) values (
      ${crypto.randomUUID()}, ${userId}, ${crypto.randomUUID()}, ${challengeMethod}, ${challenge},
      ${provider}, ${method}, '', '', now(), now()
    )`;
}

export const markFor = (hash: string, challenge: Challenge | undefined): string =>
  challenge ? pkcePrefix + hash : hash;

/** The code of the person's newest flow of this kind. */
export async function issueCode(sql: Sql, userId: string, method: Method): Promise<string> {
  const [flow] = await sql<{ auth_code: string }>`
    update auth.flow_state set auth_code_issued_at = now(), updated_at = now()
    where id = (
      select id from auth.flow_state
      where user_id = ${userId} and authentication_method = ${method}
      order by created_at desc limit 1
    )
    returning auth_code`;
  if (flow) return flow.auth_code;
  const message = "No associated flow state found. 422: No valid flow state found for user.";
  throw new AuthError(400, "flow_state_not_found", message);
}

interface Flow {
  user_id: string;
  code_challenge: string;
  code_challenge_method: "s256" | "plain";
  authentication_method: Method;
  expired: boolean;
}

/** `grant_type=pkce`: a session for the code, once, to whoever knows the verifier. */
export async function exchangeCode(auth: Auth, call: Call): Promise<TokenAnswer> {
  const code = call.body.text("auth_code");
  const verifier = call.body.text("code_verifier");
  if (!code || !verifier) {
    throw invalid("invalid request: both auth code and code verifier should be non-empty");
  }
  return await auth.sql.transaction(async (sql) => {
    const [flow] = await sql<Flow>`
      delete from auth.flow_state where auth_code = ${code} and user_id is not null
      returning user_id, code_challenge, code_challenge_method, authentication_method,
        now() > coalesce(auth_code_issued_at, created_at) + make_interval(mins => ${flowMinutes})
          as expired`;
    const user = flow && await findUser(sql, flow.user_id);
    if (!flow || !user || user.deleted_at) {
      const message = "invalid flow state, no valid flow state found";
      throw new AuthError(404, "flow_state_not_found", message);
    }
    if (flow.expired) {
      const message = "invalid flow state, flow state has expired";
      throw new AuthError(422, "flow_state_expired", message);
    }
    requireVerifier(flow, verifier);
    if (isBanned(user)) throw new AuthError(403, "user_banned", "User is banned");
    return await signInWithin(auth, sql, call, user, { method: flow.authentication_method });
  });
}

function requireVerifier(flow: Flow, verifier: string): void {
  const computed = flow.code_challenge_method === "plain"
    ? verifier
    : createHash("sha256").update(verifier).digest("base64url");
  const [given, expected] = [Buffer.from(computed), Buffer.from(flow.code_challenge)];
  if (given.length === expected.length && timingSafeEqual(given, expected)) return;
  const message = "code challenge does not match previously saved code verifier";
  throw new AuthError(400, "bad_code_verifier", message);
}
