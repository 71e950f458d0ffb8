import { errors, type JWTPayload, SignJWT } from "jose";
import type { Keys } from "../keys.ts";
import { roleOfKey, verifyToken } from "../tokens.ts";
import { TokenCache } from "./token_cache.ts";

/** Why PostgREST refuses a token: PGRST301 when it cannot be trusted, PGRST303 for its claims. */
class TokenRefused extends Error {
  constructor(
    readonly code: "PGRST301" | "PGRST303",
    message: string,
    readonly details: string | null = null,
  ) {
    super(message);
  }
}

/** Replaces the credentials in `headers`, or answers why they are refused. */
export type Authorize = (headers: Headers, apikey: string) => Promise<Response | undefined>;

/**
 * Verifies the caller as PostgREST would, and names them to the Data API by a token of ours with
 * the same claims: that process knows neither the project's keys nor its signing key.
 */
export function dataApiAuthorization(keys: Keys, internalSecret: string): Authorize {
  const secret = new TextEncoder().encode(internalSecret);
  const sign = (claims: JWTPayload) =>
    new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(secret);
  const ofRole = new TokenCache(async (role) => ({
    value: await sign({ iss: "supabase", role }),
    expires: Infinity,
  }));
  const ofToken = new TokenCache(async (token) => {
    const claims = await verified(keys, token);
    return {
      value: await sign({ ...claims, role: claims.role ?? "anon" }),
      expires: claims.exp ?? Infinity,
    };
  });

  return async (headers, apikey) => {
    const authorization = headers.get("authorization");
    const bearer = authorization?.match(/^bearer\s+(.*)$/i)?.[1] ?? "";
    const byKey = authorization === null || bearer === apikey;
    try {
      const token = byKey
        ? await ofRole.get(roleOfKey(keys, apikey) ?? "anon")
        : await ofToken.get(bearer);
      headers.set("authorization", `Bearer ${token}`);
      headers.delete("apikey");
      return undefined;
    } catch (error) {
      if (error instanceof TokenRefused) return refusal(error);
      throw error;
    }
  };
}

async function verified(keys: Keys, token: string): Promise<JWTPayload & { role?: unknown }> {
  if (token === "") {
    throw new TokenRefused("PGRST301", "Empty JWT is sent in Authorization header");
  }
  const parts = token.split(".").length;
  if (parts !== 3) {
    throw new TokenRefused("PGRST301", `Expected 3 parts in JWT; got ${parts}`);
  }
  try {
    return await verifyToken(keys, token);
  } catch (error) {
    throw asRefusal(error);
  }
}

function asRefusal(error: unknown): TokenRefused {
  if (error instanceof errors.JWTExpired) return new TokenRefused("PGRST303", "JWT expired");
  if (error instanceof errors.JWTClaimValidationFailed) {
    const early = error.claim === "nbf" && error.reason === "check_failed";
    return new TokenRefused("PGRST303", early ? "JWT not yet valid" : "Parsing claims failed");
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return new TokenRefused("PGRST301", "Wrong or unsupported encoding algorithm");
  }
  if (error instanceof errors.JWTInvalid) {
    return new TokenRefused("PGRST303", "Parsing claims failed");
  }
  return new TokenRefused(
    "PGRST301",
    "No suitable key or wrong key type",
    "None of the keys was able to decode the JWT",
  );
}

function refusal({ code, message, details }: TokenRefused): Response {
  return Response.json({ code, message, details, hint: null }, {
    status: 401,
    headers: {
      "www-authenticate": `Bearer error="invalid_token", error_description="${message}"`,
      "proxy-status": `PostgREST; error=${code}`,
    },
  });
}
