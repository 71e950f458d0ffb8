import type { Config } from "../config.ts";
import type { Brand } from "./brand.ts";
import { type DigestItem, render } from "./render.ts";
import { trackerOf, type Tracking } from "./tracking.ts";
import type { Mail } from "./send.ts";

/** A mail as the database opens it at the time of sending. */
export interface OpenedMail {
  id: string;
  tenant_id: string;
  to: string;
  locale: string | null;
  /** The community's look; null for mails of the platform. */
  brand: Brand | null;
  template: string;
  kind: string;
  data: unknown;
  items: DigestItem[] | null;
  security: boolean;
  /** It goes to an address that is nobody's account here. */
  stranger: boolean;
  /** What somebody wrote for many readers; null: the wording of the template. */
  document: unknown;
  /** What the community knows the reader of a document by. */
  name: string | null;
  /** By what its links are counted; null: they are not. */
  tracking: Tracking | null;
  /** Opens this mail's own setting; null where there is none. */
  setting_token: string | null;
  /** Who may have taken it before. */
  provider: string | null;
}

/** Where a mail's own setting is read, and changed by one click of the mail program (RFC 8058). */
export const settingUrl = ({ publicUrl }: Config, token: string): string =>
  `${publicUrl}/functions/v1/api/v1/notifications/setting?token=${encodeURIComponent(token)}`;

/** Renders an opened mail, with all that goes along. Throws `UnsendableMail`. */
export function compose(mail: OpenedMail, config: Config): Mail {
  const settings = mail.setting_token ? settingUrl(config, mail.setting_token) : undefined;
  const rendered = render({
    ...mail,
    sender: mail.brand?.name ?? (config.email.from?.name || "Nexus"),
    settings,
    tracker: mail.tracking ? trackerOf(config, mail.tracking) : undefined,
  });
  return {
    ...rendered,
    to: mail.to,
    onBehalfOf: mail.brand?.name,
    template: mail.template,
    idempotencyKey: mail.id,
    headers: settings && !mail.security
      ? {
        "List-Unsubscribe": `<${settings}>`,
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
      }
      : {},
  };
}
