import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { ProblemError } from "../errors/problem.ts";
import { isPublicAddress } from "./addresses.ts";

/** All addresses of a host; undefined where the runtime has no means to ask. */
export type Resolve = (hostname: string) => Promise<string[] | undefined>;

/** The system's own resolver, so that what is checked is what `fetch` would connect to. */
export const resolveHost: Resolve = async (hostname) => {
  try {
    return (await lookup(hostname, { all: true })).map(({ address }) => address);
  } catch (error) {
    const { code } = error as { code?: unknown };
    // A name that is not known now is a failure like any other; a runtime without a resolver is not.
    if (code === "ENOTFOUND" || code === "EAI_AGAIN") throw error;
    return undefined;
  }
};

/** Names that only an inner network answers to. */
const innerName = /(^|\.)(localhost|local|internal|intranet|lan|home\.arpa)$/;

function refuse(detail: string): never {
  throw new ProblemError("request.address_refused", { detail });
}

/**
 * Lets a request out only to the public Internet over HTTPS, or to a fake that the configuration
 * names by its origin. `fetch` resolves the name once more, so a server that answers differently
 * each time is held off by TLS alone: nothing within has a certificate for the attacker's name.
 */
export async function checkOutbound(
  url: URL,
  localProviders: readonly string[],
  resolve: Resolve = resolveHost,
): Promise<void> {
  if (localProviders.includes(url.origin)) return;
  if (url.protocol !== "https:") refuse("Only https addresses are called.");
  if (url.username || url.password) refuse("Credentials do not belong in an address.");
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  if (isIP(host)) {
    if (!isPublicAddress(host)) refuse("The address is not public.");
    return;
  }
  if (innerName.test(host) || !host.includes(".")) refuse("The host is not public.");
  const addresses = await resolve(host);
  if (addresses && !addresses.every(isPublicAddress)) refuse("The host is not public.");
}
