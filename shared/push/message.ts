import type { Config } from "../config.ts";
import type { Brand } from "../email/brand.ts";
import { oneLine } from "../email/headers.ts";
import { filler, valuesOf, wordingOf } from "../email/wording.ts";

/** A browser or an app that is to be told. */
export interface Target {
  id: string;
  kind: "web" | "fcm";
  /** The endpoint of a subscription, or an FCM token. */
  address: string;
  p256dh: string | null;
  auth: string | null;
}

/** A notice as the database opens it at the time of pushing. */
export interface OpenedPush {
  id: string;
  tenant_id: string;
  locale: string | null;
  brand: Brand | null;
  template: string;
  kind: string;
  data: Record<string, unknown>;
  security: boolean;
  expires_at: string | null;
  /** How many notices the person has not read, in all tenants. */
  unread: number;
  targets: Target[];
}

/** What a device shows, and what its app is told along with it. */
export interface PushMessage {
  title: string;
  body: string;
  language: string;
  direction: "ltr" | "rtl";
  /** What a tap opens. */
  link: string;
  unread: number;
  /** A notice that comes again replaces itself: 32 characters, as RFC 8030 allows a topic. */
  tag: string;
  /** Seconds that a push service keeps it for a device that is off. */
  ttl: number;
  urgent: boolean;
  data: { event_id: string; tenant_id: string; kind: string };
}

const longestText = 500;
const dayInSeconds = 86_400;

/** The wording of a notice as a device shows it. Throws `UnsendableMail` for one with a gap in it. */
export function composePush(notice: OpenedPush, config: Config, now = Date.now()): PushMessage {
  const { template, data, brand, locale, expires_at } = notice;
  const { tag, words, wording } = wordingOf(template, locale);
  const sender = oneLine(brand?.name ?? (config.email.from?.name || "Nexus"));
  const fill = filler({ ...valuesOf(data), sender }, template);
  const link = typeof data.link === "string" && /^https?:\/\//.test(data.link)
    ? data.link
    : brand?.app_url ?? config.publicUrl;
  const left = expires_at ? Math.ceil((Date.parse(expires_at) - now) / 1000) : dayInSeconds;
  return {
    title: fill(wording.subject).slice(0, longestText),
    body: fill(wording.paragraphs[0] ?? "").slice(0, longestText),
    language: tag,
    direction: words.direction ?? "ltr",
    link,
    unread: notice.unread,
    tag: notice.id.replaceAll("-", ""),
    ttl: Math.min(Math.max(left, 0), 28 * dayInSeconds),
    urgent: notice.security,
    data: { event_id: notice.id, tenant_id: notice.tenant_id, kind: notice.kind },
  };
}
