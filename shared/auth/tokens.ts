import {
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
} from "jose";
import type { Config } from "../config.ts";
import type { Origin } from "../database/client.ts";
import { ProblemError } from "../errors/problem.ts";
import { Lru } from "./lru.ts";

/** Who a verified token speaks for. Whether the session still stands is the database's answer. */
export interface Caller {
  personId: string;
  sessionId: string;
  token: string;
  /** Where an API key speaks: what it is allowed of its person's requests. */
  budget?: Budget;
}

export interface Budget {
  apiKey: string;
  perMinute: number;
}

export interface Tokens {
  /**
   * Resolves to the caller, or fails with `auth.required` (or `unavailable` without the keys). What
   * has to be opened first, such as the session of an API key, is opened on behalf of `origin`.
   */
  verify(token: string, origin?: Origin): Promise<Caller>;
}

/** Algorithms that Supabase signs with; everything else, `none` included, is refused unread. */
const asymmetric = ["ES256", "RS256"];

/** Far above any token of Supabase Auth, far below what would be worth sending to fill the cache. */
const longestToken = 8192;

/** Verifies bearer tokens against the project's keys, each token once per isolate. */
export function createTokens(settings: Config["tokens"], cached = 1000): Tokens {
  const keys = keySource(settings);
  const secret = settings.sharedSecret &&
    new TextEncoder().encode(settings.sharedSecret.reveal());
  const known = new Lru<string, { caller: Caller; expires: number }>(cached);
  const options = {
    issuer: [...settings.issuers],
    audience: "authenticated",
    requiredClaims: ["exp", "sub", "session_id", "role"],
  };

  async function claimsOf(token: string): Promise<JWTPayload> {
    // The header decides only which of our own keys may be asked: a public key never verifies HS256.
    if (secret && decodeProtectedHeader(token).alg === "HS256") {
      return (await jwtVerify(token, secret, { ...options, algorithms: ["HS256"] })).payload;
    }
    return (await jwtVerify(token, keys, { ...options, algorithms: asymmetric })).payload;
  }

  return {
    async verify(token) {
      if (token.length > longestToken) throw refusal(new Error("The token is too long."));
      const hit = known.get(token);
      if (hit && hit.expires > Date.now() / 1000) return hit.caller;
      known.delete(token);
      const claims = await claimsOf(token).catch((error) => Promise.reject(refusal(error)));
      const caller = callerOf(claims, token);
      known.set(token, { caller, expires: claims.exp! });
      return caller;
    },
  };
}

/**
 * The keys given with the environment answer without a request; a key they do not know may have
 * been rotated in since, so the project is asked (jose caches, and waits 30 s between unknown keys).
 */
function keySource({ keySet, keySetUrl }: Config["tokens"]): JWTVerifyGetKey {
  const fetched = createRemoteJWKSet(new URL(keySetUrl), { timeoutDuration: 5000 });
  const remote: JWTVerifyGetKey = async (header, token) => {
    try {
      return await fetched(header, token);
    } catch (error) {
      if (isUnknownKey(error)) throw error;
      throw new ProblemError("unavailable", { retryAfter: 5, cause: error });
    }
  };
  if (!keySet) return remote;
  const local = createLocalJWKSet(keySet as JSONWebKeySet);
  return async (header, token) => {
    try {
      return await local(header, token);
    } catch (error) {
      if (isUnknownKey(error)) return await remote(header, token);
      throw error;
    }
  };
}

const isUnknownKey = (error: unknown) => error instanceof errors.JWKSNoMatchingKey;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function callerOf({ sub, session_id, role }: JWTPayload, token: string): Caller {
  const isId = (value: unknown): value is string => typeof value === "string" && uuid.test(value);
  if (role !== "authenticated" || !isId(sub) || !isId(session_id)) {
    throw refusal(new Error("The token names no person and session."));
  }
  return { personId: sub, sessionId: session_id, token };
}

function refusal(cause: unknown): ProblemError {
  if (cause instanceof ProblemError) return cause;
  const detail = cause instanceof errors.JWTExpired
    ? "The token has expired."
    : "The token is not valid.";
  return new ProblemError("auth.required", { detail, cause });
}
