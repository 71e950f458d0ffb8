import type { Keys } from "../keys.ts";
import { verifyToken } from "../tokens.ts";

/** What hosted does before a function with `verify_jwt = true`; undefined when the token is good. */
export async function refuseToken(
  keys: Keys,
  authorization: string | null,
): Promise<Response | undefined> {
  if (!authorization) return unauthorized("Missing authorization header");
  const [scheme, token = ""] = authorization.split(" ");
  if (scheme?.toLowerCase() !== "bearer") return unauthorized("Invalid JWT");
  try {
    await verifyToken(keys, token);
    return undefined;
  } catch {
    return unauthorized("Invalid JWT");
  }
}

const unauthorized = (message: string): Response =>
  Response.json({ code: 401, message }, { status: 401 });
