import { createLocalJWKSet, importJWK, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { type Keys, publicJwks } from "./keys.ts";

/** Signs claims as they are (no claim is added): ES256, or HS256 with the legacy secret. */
export async function signToken(
  keys: Pick<Keys, "signing"> & Partial<Pick<Keys, "jwtSecret">>,
  claims: JWTPayload,
  { legacy = false }: { legacy?: boolean } = {},
): Promise<string> {
  if (legacy) {
    const secret = new TextEncoder().encode(keys.jwtSecret);
    return await new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(secret);
  }
  const header = { alg: "ES256", typ: "JWT", kid: keys.signing.kid };
  return await new SignJWT(claims).setProtectedHeader(header)
    .sign(await importJWK(keys.signing, "ES256"));
}

const jwksOf = new WeakMap<Keys, ReturnType<typeof createLocalJWKSet>>();

/**
 * Verifies a token against the project's keys (`alg` allow-list ES256, and HS256 where a shared
 * secret is configured). Throws jose's errors: `JWTExpired` for an old one.
 */
export async function verifyToken(keys: Keys, token: string): Promise<JWTPayload> {
  if (keys.jwtSecret !== undefined && isSharedSecretToken(token)) {
    const secret = new TextEncoder().encode(keys.jwtSecret);
    return (await jwtVerify(token, secret, { algorithms: ["HS256"] })).payload;
  }
  let jwks = jwksOf.get(keys);
  if (!jwks) jwksOf.set(keys, jwks = createLocalJWKSet(publicJwks(keys)));
  return (await jwtVerify(token, jwks, { algorithms: ["ES256"] })).payload;
}

function isSharedSecretToken(token: string): boolean {
  try {
    const [header = ""] = token.split(".");
    return JSON.parse(atob(header.replaceAll("-", "+").replaceAll("_", "/"))).alg === "HS256";
  } catch {
    return false;
  }
}

/** The role an `apikey` stands for: the new keys and the legacy tokens; undefined for anything else. */
export function roleOfKey(keys: Keys, apikey: string): "anon" | "service_role" | undefined {
  if (apikey === keys.publishable || apikey === keys.anon) return "anon";
  if (apikey === keys.secret || apikey === keys.serviceRole) return "service_role";
  return undefined;
}
