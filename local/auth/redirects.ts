import { isIP } from "node:net";
import type { AuthConfig } from "../settings.ts";
import type { Call } from "./call.ts";

type Allowed = Pick<AuthConfig, "siteUrl" | "redirectUrls">;

/** Where a link leads in the end: as the client asks, where that is allowed, else the site. */
export function redirectOf(config: Allowed, call: Call): string {
  const asked = call.headers.get("redirect_to") || call.query.get("redirect_to");
  const referer = call.headers.get("referer");
  return [asked, referer].find((url): url is string => isAllowed(config, url)) ?? config.siteUrl;
}

/** GoTrue's rules: the site itself (a loopback site on any port), or a pattern of the allow list. */
export function isAllowed(config: Allowed, asked: string | null | undefined): boolean {
  if (!asked || hasControlCharacter(asked) || !URL.canParse(asked)) return false;
  const url = new URL(asked);
  const site = new URL(config.siteUrl);
  const sameOrigin = url.hostname === site.hostname && url.protocol === site.protocol;
  if (sameOrigin && (url.port === site.port || isLoopback(url.hostname))) return true;
  // A bare number is an address, too, and parsed as one; an address may only be this machine.
  if (isIP(url.hostname.replace(/^\[|\]$/g, ""))) return isLoopback(url.hostname);
  const [withoutFragment = ""] = asked.split("#");
  return config.redirectUrls.some((pattern) => matches(pattern, withoutFragment));
}

const hasControlCharacter = (text: string) =>
  [...text].some((character) => character <= " " || character === "\u007f");

const isLoopback = (hostname: string) =>
  hostname === "localhost" || hostname === "[::1]" || /^127\./.test(hostname);

/** A glob of the allow list: `*` stops at `.` and `/`, `**` does not, `?` is one character. */
function matches(pattern: string, text: string): boolean {
  const source = pattern.replace(/\*\*|[*?]|[^*?]+/g, (part) => {
    if (part === "**") return ".*";
    if (part === "*") return "[^./]*";
    if (part === "?") return "[^./]";
    return part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  });
  return new RegExp(`^${source}$`).test(text);
}
