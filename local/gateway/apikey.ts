import type { Keys } from "../keys.ts";
import { roleOfKey } from "../tokens.ts";

/** The `apikey` of a request, which hosted takes from the header or from the query string. */
export function apikeyOf(request: Request): string | undefined {
  return request.headers.get("apikey") ?? new URL(request.url).searchParams.get("apikey") ??
    undefined;
}

/** Hosted's refusal of a request whose `apikey` is missing or no good; undefined when it is fine. */
export function refuseKey(keys: Keys, request: Request): Response | undefined {
  const apikey = apikeyOf(request);
  if (!apikey) {
    return unauthorized(
      "No API key found in request",
      "No `apikey` request header or url param was found.",
    );
  }
  if (roleOfKey(keys, apikey) === undefined) {
    return apikey.startsWith("sb_")
      ? unauthorized(
        "Unregistered API key",
        "Double check the provided API key as it is not registered for this project.",
      )
      : unauthorized(
        "Invalid API key",
        "Double check your Supabase `anon` or `service_role` API key.",
      );
  }
  // Hosted refuses secret keys to anything that says it is a browser: the key has leaked there.
  if (apikey === keys.secret && request.headers.get("user-agent")?.startsWith("Mozilla/")) {
    return unauthorized(
      "Forbidden use of secret API key in browser",
      "Secret API keys can only be used in a protected environment and should never be used in a browser. Delete this secret API key immediately.",
    );
  }
  return undefined;
}

const unauthorized = (message: string, hint: string): Response =>
  Response.json({ message, hint }, { status: 401 });
