import { isIP } from "node:net";

/**
 * The client's address. A proxy or a test on this machine may speak for somebody else with
 * `X-Forwarded-For`; anybody further away is who they are.
 */
export function addressOf(headers: Headers, peer: string): string {
  if (!isLoopback(peer)) return peer;
  const claimed = headers.get("x-forwarded-for")?.split(",")[0]?.trim() ?? "";
  return isIP(claimed) ? claimed : peer;
}

const isLoopback = (address: string) =>
  address === "::1" || address.startsWith("127.") || address.startsWith("::ffff:127.");
