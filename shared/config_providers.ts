import { z } from "@hono/zod-openapi";
import {
  appleId,
  hookSecrets,
  httpUrl,
  mailbox,
  mailProviders,
  privateKey,
  serviceAccount,
  smtpServer,
  topicList,
  vapidKey,
  vapidSubject,
  webhookKeys,
} from "./config_values.ts";
import { Secret } from "./secret.ts";

/** The part of the environment that is about accounts. */
export const accountVariables = {
  NEXUS_SITE_URL: httpUrl.default("http://127.0.0.1:3000")
    .describe(
      "Where the app is: links in mails lead there, unless a tenant's own app_url is nearer.",
    ),
  PASSWORD_BREACH_URL: httpUrl.optional()
    .describe(
      "Address of a range service that knows breached passwords by the first five digits of their " +
        "SHA-1, such as https://api.pwnedpasswords.com. Default: nobody outside is asked.",
    ),
};

export interface AccountConfig {
  /** Where the app is, without a slash at its end. */
  readonly siteUrl: string;
  /** What knows breached passwords; undefined where nobody is asked. */
  readonly breachUrl: string | undefined;
}

export const accountConfig = (env: Environment<typeof accountVariables>): AccountConfig => ({
  siteUrl: env.NEXUS_SITE_URL,
  breachUrl: env.PASSWORD_BREACH_URL,
});

/** The part that is about providers of mail. */
export const mailVariables = {
  EMAIL_FROM: mailbox.optional()
    .describe(
      "Sender of all mail, as `Name <address>`; the domain is verified with the provider. " +
        "Default: no mail is sent.",
    ),
  EMAIL_PROVIDERS: mailProviders.prefault("resend,smtp,gmail")
    .describe(
      "Comma-separated mail providers, the first asked first; those that are not configured are " +
        "passed over.",
    ),
  RESEND_API_KEY: z.string().min(8).optional()
    .describe("Key of the mail provider Resend. Default: not used."),
  RESEND_API_URL: httpUrl.default("https://api.resend.com")
    .describe("Address of Resend's API, or of something that speaks it."),
  RESEND_WEBHOOK_SECRET: hookSecrets.optional()
    .describe(
      "Secret of Resend's webhook, `whsec_<base64>`; two with `|` between while it is changed. " +
        "Default: bounces and complaints are not heard of.",
    ),
  SMTP_URL: smtpServer.optional()
    .describe(
      "A mail server such as smtps://user:password@smtp.example.org:465, encrypted from the start; " +
        "what is special in user and password is percent-encoded. Default: not used.",
    ),
  SENDGRID_WEBHOOK_KEY: webhookKeys.optional()
    .describe(
      "Where SMTP_URL is SendGrid: the public key of its signed event webhook; two with `|` " +
        "between while it is changed. Default: its bounces and complaints are not heard of.",
    ),
  SES_TOPIC_ARNS: topicList.optional()
    .describe(
      "Where SMTP_URL is Amazon SES: comma-separated SNS topics that it tells of bounces and " +
        "complaints. Default: they are not heard of.",
    ),
  GMAIL_SERVICE_ACCOUNT: serviceAccount.optional()
    .describe(
      "JSON key of a Google service account that may send as the address of EMAIL_FROM. " +
        "Default: Gmail is not used.",
    ),
  GMAIL_API_URL: httpUrl.default("https://gmail.googleapis.com")
    .describe("Address of the Gmail API, or of something that speaks it."),
};

/** The part that is about push. */
export const pushVariables = {
  VAPID_PUBLIC_KEY: vapidKey(65).optional()
    .describe("Public key of web push, as base64url. Default: no browser is pushed to."),
  VAPID_PRIVATE_KEY: vapidKey(32).optional()
    .describe("Private key that belongs to VAPID_PUBLIC_KEY."),
  VAPID_SUBJECT: vapidSubject.optional()
    .describe("Whom push services write to about our messages, as mailto:… or https://…"),
  FCM_SERVICE_ACCOUNT: serviceAccount.optional()
    .describe("JSON key of the Firebase project's service account. Default: no app is pushed to."),
  FCM_API_URL: httpUrl.default("https://fcm.googleapis.com")
    .describe("Address of Firebase Cloud Messaging, or of something that speaks it."),
};

type Environment<Variables extends z.ZodRawShape> = z.infer<z.ZodObject<Variables>>;

export interface GoogleAccount {
  readonly project: string;
  readonly email: string;
  readonly keyId: string;
  readonly privateKey: Secret;
  readonly tokenUrl: string;
}

export interface MailConfig {
  /** The sender of all mail; undefined where no mail is sent. */
  readonly from: z.infer<typeof mailbox> | undefined;
  readonly order: readonly ("resend" | "smtp" | "gmail")[];
  readonly resend: { readonly url: string; readonly key: Secret | undefined };
  /** What signs Resend's calls. */
  readonly resendSecrets: readonly Secret[];
  /** What SendGrid's calls are checked by, as base64 of SPKI. */
  readonly sendgridKeys: readonly string[];
  /** The only SNS topics that are listened to. */
  readonly sesTopics: readonly string[];
  readonly smtp:
    | {
      readonly host: string;
      readonly port: number;
      readonly secure: boolean;
      readonly user: string;
      readonly password: Secret;
    }
    | undefined;
  readonly gmail: { readonly url: string; readonly account: GoogleAccount } | undefined;
}

export interface PushConfig {
  readonly vapid:
    | { readonly publicKey: string; readonly privateKey: Secret; readonly subject: string }
    | undefined;
  readonly fcm: { readonly url: string; readonly account: GoogleAccount } | undefined;
}

export function mailConfig(env: Environment<typeof mailVariables>): MailConfig {
  const { SMTP_URL: server, GMAIL_SERVICE_ACCOUNT: gmail } = env;
  return {
    from: env.EMAIL_FROM,
    order: env.EMAIL_PROVIDERS,
    resend: {
      url: env.RESEND_API_URL,
      key: env.RESEND_API_KEY ? new Secret(env.RESEND_API_KEY) : undefined,
    },
    resendSecrets: (env.RESEND_WEBHOOK_SECRET ?? []).map((secret) => new Secret(secret)),
    sendgridKeys: env.SENDGRID_WEBHOOK_KEY ?? [],
    sesTopics: env.SES_TOPIC_ARNS ?? [],
    smtp: server && { ...server, password: new Secret(server.password) },
    gmail: gmail && { url: env.GMAIL_API_URL, account: accountOf(gmail) },
  };
}

export function pushConfig(env: Environment<typeof pushVariables>): PushConfig {
  const { VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY, VAPID_SUBJECT, FCM_SERVICE_ACCOUNT } = env;
  return {
    vapid: VAPID_PUBLIC_KEY && VAPID_PRIVATE_KEY && VAPID_SUBJECT
      ? {
        publicKey: VAPID_PUBLIC_KEY,
        privateKey: new Secret(VAPID_PRIVATE_KEY),
        subject: VAPID_SUBJECT,
      }
      : undefined,
    fcm: FCM_SERVICE_ACCOUNT && { url: env.FCM_API_URL, account: accountOf(FCM_SERVICE_ACCOUNT) },
  };
}

const accountOf = (key: z.infer<typeof serviceAccount>): GoogleAccount => ({
  project: key.project_id,
  email: key.client_email,
  keyId: key.private_key_id,
  privateKey: new Secret(key.private_key),
  tokenUrl: key.token_uri,
});

/** The part that is about signing in with Apple. */
export const appleVariables = {
  APPLE_CLIENT_ID: z.string().min(3).max(200).optional()
    .describe(
      "Services ID of signing in with Apple. All four of APPLE_… are wanted. Default: it is off.",
    ),
  APPLE_TEAM_ID: appleId.optional().describe("Team at Apple that the key belongs to."),
  APPLE_KEY_ID: appleId.optional().describe("Name of the key at Apple."),
  APPLE_PRIVATE_KEY: privateKey.optional()
    .describe("The key itself, the `.p8` file's text; line breaks may be written as \\n."),
  APPLE_URL: httpUrl.default("https://appleid.apple.com")
    .describe("Address of Apple, or of something that speaks like it."),
};

const appleNames = ["CLIENT_ID", "TEAM_ID", "KEY_ID", "PRIVATE_KEY"].map((name) => `APPLE_${name}`);

/** What is missing of a configuration that was begun. */
export function incompleteApple(given: Record<string, string>): string[] {
  const missing = appleNames.filter((name) => !given[name]);
  return missing.length < appleNames.length ? missing.map((name) => `${name} is missing`) : [];
}

export interface AppleConfig {
  readonly clientId: string;
  readonly teamId: string;
  readonly keyId: string;
  readonly privateKey: Secret;
  readonly url: string;
  /** Where Apple sends the browser back to, as it is entered there. */
  readonly redirectUri: string;
}

export function appleConfig(
  env: Environment<typeof appleVariables>,
  supabaseUrl: string,
): AppleConfig | undefined {
  const { APPLE_CLIENT_ID: clientId, APPLE_TEAM_ID: teamId, APPLE_KEY_ID: keyId } = env;
  if (!clientId || !teamId || !keyId || !env.APPLE_PRIVATE_KEY) return undefined;
  return {
    clientId,
    teamId,
    keyId,
    privateKey: new Secret(env.APPLE_PRIVATE_KEY),
    url: env.APPLE_URL,
    redirectUri: `${supabaseUrl}/functions/v1/api/v1/auth/oauth/apple/callback`,
  };
}
