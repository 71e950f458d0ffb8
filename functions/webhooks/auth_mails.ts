import { z } from "@hono/zod-openapi";
import type { Config } from "shared/config.ts";

const text = z.string().default("");

/** The payload of Auth's send_email hook, as far as mails need it. */
export const SendEmail = z.object({
  metadata: z.object({ uuid: z.string().min(1).max(200) }).optional(),
  user: z.object({
    id: z.uuid(),
    email: text,
    new_email: text,
    user_metadata: z.object({ locale: z.string().max(35).optional().catch(undefined) })
      .nullish().transform((metadata) => metadata ?? {}),
  }),
  email_data: z.object({
    token: text,
    token_hash: text,
    token_new: text,
    token_hash_new: text,
    redirect_to: text,
    site_url: text,
    old_email: text,
    provider: text,
    email_action_type: z.enum([
      "signup",
      "invite",
      "magiclink",
      "recovery",
      "email_change",
      "reauthentication",
      "password_changed_notification",
      "email_changed_notification",
      "phone_changed_notification",
      "identity_linked_notification",
      "identity_unlinked_notification",
      "mfa_factor_enrolled_notification",
      "mfa_factor_unenrolled_notification",
    ]),
  }),
});

type Payload = z.infer<typeof SendEmail>;

export interface AuthMail {
  address: string;
  template: string;
  data: Record<string, string>;
  /** A mail with a code is of no use after the code. */
  lifetime_seconds: number;
}

/** Auth's own default; a code that lives shorter is refused by Auth itself. */
const codeLifetime = 3_600;
const noticeLifetime = 24 * 3_600;

/** The mails that one call of the hook asks for: two for a change of address that both must agree to. */
export function mailsOf(
  payload: Payload,
  config: Pick<Config, "local" | "supabaseUrl">,
): AuthMail[] {
  const { user, email_data: data } = payload;
  const action = data.email_action_type;
  const mail = (address: string, code: string, hash: string, values = {}): AuthMail => ({
    address,
    template: `auth.${action}`,
    data: { code, ...(hash && { link: linkOf(payload, config, hash) }), ...values },
    lifetime_seconds: codeLifetime,
  });
  if (action === "email_change") {
    const values = { old_email: user.email, new_email: user.new_email };
    // Auth pairs each code with the hash of the other one, and its hooks have to know.
    return data.token_hash_new
      ? [
        mail(user.email, data.token, data.token_hash_new, values),
        mail(user.new_email, data.token_new, data.token_hash, values),
      ]
      : [mail(user.new_email, data.token, data.token_hash, values)];
  }
  if (action === "reauthentication") return [mail(user.email, data.token, "")];
  if (!action.endsWith("_notification")) return [mail(user.email, data.token, data.token_hash)];
  return [{
    // Who lost an address has to hear of it where they still read.
    address: action === "email_changed_notification" ? data.old_email : user.email,
    template: `auth.${action.replace(/^mfa_/, "").replace(/_notification$/, "")}`,
    data: { old_email: data.old_email, provider: data.provider },
    lifetime_seconds: noticeLifetime,
  }];
}

/**
 * The link that Auth's own mails would carry. On a local project SUPABASE_URL may be a name that
 * only containers know; there the address is the one that Auth knows itself by.
 */
function linkOf(
  { email_data: data }: Payload,
  { local, supabaseUrl }: Pick<Config, "local" | "supabaseUrl">,
  hash: string,
): string {
  const origin = local && URL.canParse(data.site_url) ? new URL(data.site_url).origin : supabaseUrl;
  const query = new URLSearchParams({
    token: hash,
    type: data.email_action_type,
    redirect_to: data.redirect_to,
  });
  return `${origin}/auth/v1/verify?${query}`;
}
