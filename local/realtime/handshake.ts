import type { Keys } from "../keys.ts";
import { Refusal } from "./refusal.ts";
import { serializerFor } from "./serializer.ts";
import { claimsOf } from "./tokens.ts";
import type { Serializer } from "./wire.ts";

/** Who opens a socket, and how it speaks. */
export interface Handshake {
  apiKey: string;
  /** The `x-*` headers, for the policies. */
  headers: Record<string, string>;
  serializer: Serializer;
}

/** Reads the request for a socket, or answers why there is none. */
export async function readHandshake(request: Request, keys: Keys): Promise<Handshake | Response> {
  const url = new URL(request.url);
  if (url.pathname !== "/realtime/v1/websocket") return refuse(404, "Not found");
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return refuse(400, "'upgrade' header must contain 'websocket'");
  }
  const serializer = serializerFor(url.searchParams.get("vsn") ?? "2.0.0");
  if (!serializer) return refuse(400, "The protocol version (vsn) is not supported");
  const apiKey = request.headers.get("x-api-key") ?? url.searchParams.get("apikey");
  if (!apiKey) return refuse(401, "API key is missing");
  try {
    await claimsOf(keys, apiKey);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return refuse(401, error.message.replace(/ \d+ seconds ago$/, ""));
  }
  return { apiKey, headers: extensionHeaders(request), serializer };
}

export function extensionHeaders(request: Request): Record<string, string> {
  return Object.fromEntries([...request.headers].filter(([name]) => name.startsWith("x-")));
}

export function refuse(status: number, error: string): Response {
  return Response.json({ error }, { status });
}
