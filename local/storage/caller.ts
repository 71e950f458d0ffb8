import type { JWTPayload } from "jose";
import type { Keys } from "../keys.ts";
import { roleOfKey, verifyToken } from "../tokens.ts";
import { refusal, tokenFault } from "./errors.ts";

/** Whom the database is to see: a role, and the claims that policies read. */
export interface StorageCaller {
  role: string;
  claims: JWTPayload;
  /** Who owns what is uploaded. */
  owner: string | undefined;
}

/** The caller by bearer token or key; undefined when there is neither. */
export async function callerOf(keys: Keys, headers: Headers): Promise<StorageCaller | undefined> {
  const bearer = /^bearer\s+(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  const credential = bearer ?? headers.get("apikey") ?? undefined;
  if (credential === undefined) return undefined;
  const role = roleOfKey(keys, credential);
  if (role !== undefined) return { role, claims: { role }, owner: undefined };
  try {
    const claims = await verifyToken(keys, credential);
    return {
      role: typeof claims.role === "string" ? claims.role : "anon",
      claims,
      owner: claims.sub,
    };
  } catch (error) {
    throw refusal.badToken(tokenFault(error));
  }
}
