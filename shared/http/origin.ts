import { isIP } from "node:net";
import type { HonoRequest } from "hono";
import type { Origin } from "../database/client.ts";
import type { Env } from "./env.ts";

/**
 * The client's address from the one header that the proxy in front of us writes. Of a list, the
 * first entry: the configured header must be one that the proxy overwrites, not one it appends to.
 */
export function clientAddress(request: HonoRequest, header: string): string | undefined {
  const value = request.header(header);
  const address = value?.split(",")[0]?.trim() ?? "";
  return isIP(address) ? address : undefined;
}

/** What the database learns about the request behind a call: for the audit trail, and its trace. */
export function originOf(
  request: HonoRequest,
  { services, requestId, trace }: Env["Variables"],
): Origin {
  const address = clientAddress(request, services.config.http.clientAddressHeader);
  const userAgent = request.header("user-agent");
  return {
    "x-request-id": requestId,
    ...(trace.traceparent === undefined ? {} : { traceparent: trace.traceparent }),
    ...(address === undefined ? {} : { "x-forwarded-for": address }),
    ...(userAgent === undefined ? {} : { "user-agent": userAgent }),
  };
}

/** The country of the client, where the proxy in front of us writes one: ISO 3166, two letters. */
export function clientPlace(request: HonoRequest, header: string | undefined): string | undefined {
  const place = header === undefined ? undefined : request.header(header)?.trim().toUpperCase();
  // What Cloudflare writes where it does not know, and for Tor.
  return place === undefined || !/^[A-Z]{2}$/.test(place) || place === "XX" ? undefined : place;
}
