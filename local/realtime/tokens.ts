import { errors, type JWTPayload } from "jose";
import { type Keys } from "../keys.ts";
import { roleOfKey, verifyToken } from "../tokens.ts";
import { Refusal } from "./refusal.ts";

/** The claims every token must have here, and whatever else it carries for the policies. */
export interface Claims extends JWTPayload {
  role: string;
  exp: number;
}

/** True for the new API keys, which are no tokens: hosted's gateway translates them. */
export const isApiKey = (token: string): boolean => token.startsWith("sb_");

/** Reads an API key or token; throws a `Refusal` in hosted's words when it does not hold (any more). */
export async function claimsOf(keys: Keys, token: string): Promise<Claims> {
  if (isApiKey(token)) return claimsOfKey(keys, token);
  let claims: JWTPayload;
  try {
    claims = await verifyToken(keys, token);
  } catch (error) {
    throw refusalFor(error);
  }
  const { role, exp } = claims;
  if (typeof role !== "string" || exp === undefined) {
    throw new Refusal("InvalidJWTToken", "Fields `role` and `exp` are required in JWT");
  }
  return { ...claims, role, exp };
}

function claimsOfKey(keys: Keys, key: string): Claims {
  const role = roleOfKey(keys, key);
  if (!role) throw malformed();
  return { iss: "supabase", role, exp: Math.floor(Date.now() / 1000) + 3600 };
}

const malformed = () => new Refusal("MalformedJWT", "The token provided is not a valid JWT");

function refusalFor(error: unknown): Refusal {
  if (error instanceof errors.JWTExpired) {
    const seconds = Math.floor(Date.now() / 1000) - Number(error.payload.exp);
    return new Refusal("InvalidJWTToken", `Token has expired ${seconds} seconds ago`);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return new Refusal("JwtSignatureError", "Failed to validate JWT signature");
  }
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JOSEAlgNotAllowed) {
    return new Refusal(
      "JwtSignerError",
      "Failed to generate JWT signer, check your JWT secret or JWKS configuration",
    );
  }
  return malformed();
}
