import { z } from "@hono/zod-openapi";

/** Forms of single configuration values. Messages never repeat the value: it may be a secret. */

const placeholder =
  /change[-_ ]?me|replace[-_ ]?me|placeholder|\byour[-_ ]|<[^>@]*>|^(x{3,}|todo|secret|password|example)$/i;

/** Whether somebody copied a value from a template and never filled it in. */
export const placeholderIn = (value: string): boolean => placeholder.test(value);

const isOrigin = (text: string) => URL.canParse(text) && new URL(text).origin === text;
const isHttpUrl = (text: string) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

const list = (valid: (text: string) => boolean, message: string) =>
  z.string().transform((text) => text.split(",").map((item) => item.trim()).filter(Boolean))
    .refine((items) => items.length > 0 && items.every(valid), message);

const localHosts = /^(localhost|127(\.\d+){3}|\[::1\]|kong|host\.docker\.internal)$/;

/** Whether the project runs on this machine, seen from here or from inside a container of it. */
export const isLocal = (url: string): boolean =>
  URL.canParse(url) && localHosts.test(new URL(url).hostname);

export const projectUrl = z.string()
  .refine(isHttpUrl, "must be an http(s) address")
  .refine((url) => url.startsWith("https:") || isLocal(url), "must use https")
  .transform((text) => text.replace(/\/+$/, ""));

export const httpUrl = z.string().refine(isHttpUrl, "must be an http(s) address")
  .transform((text) => text.replace(/\/+$/, ""));

/** Exact origins only: `*` would let any page use a visitor's token it got hold of. */
export const originList = list(
  isOrigin,
  "must list origins such as https://app.example.org, without path",
);

export const issuerList = list(isHttpUrl, "must list http(s) addresses");

export const addressHeader = z.string().regex(/^[A-Za-z0-9-]+$/, "must be the name of a header")
  .transform((name) => name.toLowerCase());

const limit = /^([a-z_]+)=([1-9]\d{0,6})\/([1-9]\d{0,6})$/;

/** `ip=100/60,auth=10/900`: limits by name, a count of requests in so many seconds. */
export const limitList = list(
  (text) => limit.test(text),
  "must list limits such as ip=100/60",
).transform((items) =>
  Object.fromEntries(items.map((item) => {
    const [, name = "", count, window] = limit.exec(item) ?? [];
    return [name, { limit: Number(count), window: Number(window) }];
  }))
);

/** `Name <address>`, or an address alone. */
export const mailbox = z.string()
  .regex(
    /^(?:[^<>@"\r\n]+ )?<?[^\s<>@,;"]+@[^\s<>@,;"]+>?$/,
    "must be a sender such as Nexus <mail@example.org>",
  )
  .transform((text) => {
    const [, name = "", address = text] = /^(.*?) ?<(.+)>$/.exec(text) ?? [];
    return { name, address };
  });

/** Secrets of Standard Webhooks, as Auth (`v1,whsec_…`) and Resend (`whsec_…`) write them, several with `|` between; each as base64 alone. */
export const hookSecrets = z.string().transform((text) => text.split("|"))
  .refine(
    (secrets) => secrets.every((secret) => /^(v1,)?whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(secret)),
    "must be v1,whsec_<base64 of at least 24 bytes>",
  )
  .transform((secrets) => secrets.map((secret) => secret.replace(/^(v1,)?whsec_/, "")));

/** Public keys of SendGrid's event webhook, several with `|` between; each as base64. */
export const webhookKeys = z.string().transform((text) => text.split("|"))
  .refine(
    (keys) => keys.every((key) => /^[A-Za-z0-9+/]{100,200}={0,2}$/.test(key)),
    "must be a public key as base64",
  );

/** The SNS topics whose word about mails is taken. */
export const topicList = list(
  (text) => /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]{1,256}$/.test(text),
  "must list topics as arn:aws:sns:<region>:<account>:<name>",
);

/** `smtps://user:password@host:465`; `smtp:` is for a server on this machine. */
export const smtpServer = z.string()
  .refine((text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, hostname } = new URL(text);
    const near = /^(localhost|127(\.\d+){3})$/.test(hostname);
    return hostname !== "" && (protocol === "smtps:" || protocol === "smtp:" && near);
  }, "must be smtps://user:password@host:465")
  .transform((text) => {
    const { protocol, hostname, port, username, password } = new URL(text);
    const secure = protocol === "smtps:";
    return {
      secure,
      host: hostname,
      port: Number(port) || (secure ? 465 : 25),
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
    };
  });

/** `resend,smtp`: whom to send mail by, the first one first. */
export const mailProviders = list(
  (text) => ["resend", "smtp", "gmail"].includes(text),
  "must list resend, smtp or gmail",
).transform((items) => [...new Set(items)] as ("resend" | "smtp" | "gmail")[]);

const ringKey = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)$/;

/** `2026:<base64>,2025:<base64>`: AES-256 keys by name. The first encrypts, all of them decrypt. */
export const keyRing = list(
  (text) => ringKey.test(text),
  "must list keys as name:<base64 of 32 bytes>",
).transform((items) =>
  items.map((item) => {
    const [, name = "", key = ""] = ringKey.exec(item) ?? [];
    return { name, key };
  })
).refine(
  (keys) => new Set(keys.map(({ name }) => name)).size === keys.length,
  "must give each key a name of its own",
);

const hashCost = /^m=(\d{1,6}),t=(\d{1,2})$/;

/** `m=8192,t=3`: memory in KiB and passes of argon2id. */
export const argon2Cost = z.string().regex(hashCost, "must be a cost such as m=8192,t=3")
  .transform((text) => {
    const [, memory, passes] = hashCost.exec(text) ?? [];
    return { memory: Number(memory), passes: Number(passes) };
  })
  .refine(
    // Beyond this an edge function has neither the memory nor the time.
    ({ memory, passes }) => memory >= 1024 && memory <= 65_536 && passes >= 1 && passes <= 10,
    "must be within m=1024..65536 and t=1..10",
  );

export const appleId = z.string().regex(/^[A-Z0-9]{10}$/, "must be ten letters and digits");

/** PKCS #8 in PEM. Line breaks as `\\n` are what is left of it in many a list of variables. */
export const privateKey = z.string().transform((text) => text.replaceAll("\\n", "\n"))
  .refine(
    (text) => /^-----BEGIN PRIVATE KEY-----\s[\w+/=\s]+-----END PRIVATE KEY-----\s*$/.test(text),
    "must be a key as PEM, from BEGIN PRIVATE KEY on",
  );

const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: "custom", message: "must be JSON" });
    return z.NEVER;
  }
});

/** The key file of a Google service account. */
export const serviceAccount = json.pipe(
  z.object({
    project_id: z.string().min(1),
    private_key_id: z.string().min(1),
    private_key: z.string().startsWith("-----BEGIN PRIVATE KEY-----"),
    client_email: z.email(),
    token_uri: httpUrl.default("https://oauth2.googleapis.com/token"),
  }, { error: "must be the JSON key of a service account" }),
);

/** A raw P-256 key as base64url: 65 bytes of a public one, 32 of a private one. */
export const vapidKey = (bytes: 65 | 32) =>
  z.string().regex(
    bytes === 65 ? /^B[A-Za-z0-9_-]{86}$/ : /^[A-Za-z0-9_-]{43}$/,
    `must be base64url of ${bytes} bytes`,
  );

/** Whom push services write to about our messages; Apple's takes no inner address. */
export const vapidSubject = z.string().regex(
  /^(mailto:[^\s<>@,;"]+@[^\s<>@,;"]+|https:\/\/[^\s]+)$/,
  "must be mailto:… or https://…",
);

export const keysByName = json.pipe(
  z.record(z.string(), z.string().min(20, "each key must have at least 20 characters"), {
    error: "must be a JSON object of keys by name",
  }).refine((keys) => Object.keys(keys).length > 0, "must hold at least one key"),
);

/** `{"keys": […]}` or the bare list: the platform has used both. */
export const keySet = json.pipe(
  z.preprocess(
    (value) => Array.isArray(value) ? { keys: value } : value,
    z.object({
      keys: z.array(z.looseObject({ kty: z.string(), kid: z.string().optional() })),
    }, { error: "must be a JSON Web Key Set" }),
  ),
);
