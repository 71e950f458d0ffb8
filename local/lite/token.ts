import { errors, jwtVerify } from "jose";

export type Claims = Record<string, unknown>;

const remembered = 1000;

/**
 * Reads the gateway's tokens: it has verified the caller and signed the claims anew for this
 * process alone. Without a token the caller is anonymous.
 */
export function tokenReader(secret: string) {
  const key = new TextEncoder().encode(secret);
  // The gateway sends the same token for the same caller: checking it once is enough while it lasts.
  const verified = new Map<string, Claims>();

  return async (authorization: string | null): Promise<Claims | Response> => {
    const token = authorization?.match(/^Bearer (.+)$/)?.[1];
    if (token === undefined) return {};
    const known = verified.get(token);
    if (known && (Number(known.exp ?? Infinity) > Date.now() / 1000)) return known;
    try {
      const { payload } = await jwtVerify(token, key, { algorithms: ["HS256"] });
      if (verified.size >= remembered) verified.clear();
      verified.set(token, payload);
      return payload;
    } catch (error) {
      verified.delete(token);
      return error instanceof errors.JWTExpired
        ? refusal("PGRST303", "JWT expired")
        : refusal("PGRST301", "No suitable key or wrong key type");
    }
  };
}

function refusal(code: string, message: string): Response {
  const body = { code, details: null, hint: null, message };
  const headers = { "WWW-Authenticate": "Bearer", "Proxy-Status": `PostgREST; error=${code}` };
  return Response.json(body, { status: 401, headers });
}
