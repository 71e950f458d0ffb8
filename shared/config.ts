import { z } from "@hono/zod-openapi";
import {
  addressHeader,
  argon2Cost,
  hookSecrets,
  httpUrl,
  isLocal,
  issuerList,
  keyRing,
  keysByName,
  keySet,
  limitList,
  originList,
  placeholderIn,
  projectUrl,
} from "./config_values.ts";
import {
  type AccountConfig,
  accountConfig,
  accountVariables,
  type AppleConfig,
  appleConfig,
  appleVariables,
  incompleteApple,
  type MailConfig,
  mailConfig,
  mailVariables,
  type PushConfig,
  pushConfig,
  pushVariables,
} from "./config_providers.ts";
import { Secret } from "./secret.ts";

/** Every variable the functions read, once: its meaning, its form and its default. */
export const variables = z.object({
  SUPABASE_URL: projectUrl
    .describe("Address of the Supabase project. Given by the platform."),
  SUPABASE_PUBLISHABLE_KEYS: keysByName.optional()
    .describe("JSON object of publishable keys by name. Given by the platform."),
  SUPABASE_ANON_KEY: z.string().min(20).optional()
    .describe("Legacy publishable key, used where SUPABASE_PUBLISHABLE_KEYS is missing."),
  SUPABASE_SECRET_KEYS: keysByName.optional()
    .describe("JSON object of secret keys by name. Given by the platform."),
  SUPABASE_SERVICE_ROLE_KEY: z.string().min(20).optional()
    .describe("Legacy secret key, used where SUPABASE_SECRET_KEYS is missing."),
  SUPABASE_JWKS: keySet.optional()
    .describe("Public keys of the project's tokens. Default: fetched from the project and cached."),
  JWT_SECRET: z.string().min(32).optional()
    .describe("Shared secret of projects that still sign HS256. Default: HS256 is refused."),
  NEXUS_TOKEN_ISSUERS: issuerList.optional()
    .describe("Comma-separated issuers of accepted tokens. Default: SUPABASE_URL + /auth/v1."),
  NEXUS_PUBLIC_URL: httpUrl.optional()
    .describe(
      "Address that people's mail programs and browsers reach this project by. Default: SUPABASE_URL.",
    ),
  NEXUS_CORS_ORIGINS: originList.optional()
    .describe(
      "Comma-separated origins of browser apps. Default: none; local ports on a local one.",
    ),
  NEXUS_BODY_LIMIT: z.coerce.number().int().min(1024).max(20_971_520).default(1_048_576)
    .describe("Largest accepted request body, in bytes."),
  NEXUS_CLIENT_ADDRESS_HEADER: addressHeader.optional()
    .describe(
      "Header with the client's address, one that the proxy in front overwrites. " +
        "Default: cf-connecting-ip; x-forwarded-for on a local project.",
    ),
  NEXUS_CLIENT_PLACE_HEADER: addressHeader.optional()
    .describe(
      "Header with the client's country, one that the proxy in front overwrites. " +
        "Default: cf-ipcountry; on a local project nobody knows it.",
    ),
  NEXUS_LIMITS: limitList.optional()
    .describe(
      "Comma-separated request limits as name=count/seconds, in place of those in the code. " +
        "Default: ip=100/60,person=300/60 and what routes declare.",
    ),
  NEXUS_LOCAL_PROVIDERS: originList.optional()
    .describe(
      "Comma-separated origins of provider fakes on this machine, for a local project only. " +
        "Default: none, so that no inner address is ever called.",
    ),
  ...accountVariables,
  ...mailVariables,
  SEND_EMAIL_HOOK_SECRET: hookSecrets.optional()
    .describe(
      "Secret of Auth's send_email hook, as `v1,whsec_<base64>`; two with `|` between while it " +
        "is changed. Default: the hook is refused.",
    ),
  TWO_FACTOR_KEYS: keyRing.optional()
    .describe(
      "Comma-separated keys that encrypt authenticator secrets, as name:<base64 of 32 bytes>. The " +
        "first encrypts; keep an old one behind it until `two_factor_enrolments` says that nothing " +
        "is under it. Default: nobody can set up a second factor.",
    ),
  TWO_FACTOR_ISSUER: z.string().regex(/^[^:\p{C}]{1,60}$/u, "must be a short name without a colon")
    .default("Nexus")
    .describe("What authenticator apps call this project."),
  TWO_FACTOR_HASH_COST: argon2Cost.prefault("m=8192,t=3")
    .describe("Cost of hashing backup codes by argon2id: memory in KiB and passes."),
  ...pushVariables,
  ...appleVariables,
  WORKER_SECRET: z.string().min(32).optional()
    .describe(
      "What the database proves itself by to the worker, the same as `worker_secret` in its vault. " +
        "Default: every call of the worker is refused.",
    ),
});

/** What the functions know of their environment: resolved once at start, then handed in. */
export interface Config {
  /** The project runs on this machine: plain HTTP, development origins. */
  readonly local: boolean;
  readonly supabaseUrl: string;
  /** Where people outside reach this project: for links in mails. */
  readonly publicUrl: string;
  readonly publishableKey: string;
  /** The key that the functions themselves use. */
  readonly secretKey: Secret;
  /** Every key that proves its bearer to be the operator of the project. */
  readonly secretKeys: readonly Secret[];
  readonly tokens: {
    readonly issuers: readonly string[];
    readonly keySet: z.infer<typeof keySet> | undefined;
    readonly keySetUrl: string;
    readonly sharedSecret: Secret | undefined;
  };
  readonly http: {
    readonly origins: readonly string[];
    readonly bodyLimit: number;
    readonly clientAddressHeader: string;
    /** Undefined: nobody in front of us says where clients are. */
    readonly clientPlaceHeader: string | undefined;
    /** Limits by name, where the configuration says otherwise than the code. */
    readonly limits: z.infer<typeof limitList>;
    readonly localProviders: readonly string[];
  };
  readonly accounts: AccountConfig;
  readonly email: MailConfig & {
    /** What signs the calls of Auth's send_email hook. */
    readonly hookSecrets: readonly Secret[];
  };
  readonly push: PushConfig;
  readonly twoFactor: {
    /** The keys of authenticator secrets, the one that encrypts first; none where it is off. */
    readonly keys: readonly { readonly name: string; readonly key: Secret }[];
    readonly issuer: string;
    readonly hashCost: z.infer<typeof argon2Cost>;
  };
  /** How this project signs people in with Apple; undefined where it does not. */
  readonly apple: AppleConfig | undefined;
  /** What the database proves itself by to the worker. */
  readonly workerSecret: Secret | undefined;
}

export class ConfigError extends Error {
  override name = "ConfigError";

  constructor(readonly problems: readonly string[]) {
    super(`The configuration has ${problems.length} problem(s):\n- ${problems.join("\n- ")}`);
  }
}

const localOrigins = [3000, 5173, 8080]
  .flatMap((port) => [`http://localhost:${port}`, `http://127.0.0.1:${port}`]);

/** The secret that every `supabase start` shares, so worth nothing anywhere else. */
const publicSharedSecret = "super-secret-jwt-token-with-at-least-32-characters-long";

/** What `supabase/config.toml` has for this machine. */
const publicHookSecret = "v1,whsec_a25vd24tdG8tZXZlcnlib2R5LWZvci10aGlzLW1hY2hpbmUtYWxvbmU=";

/** Reads the configuration, or fails with one message that lists every problem and no value. */
export function readConfig(env: Record<string, string>): Config {
  const given = Object.fromEntries(
    Object.keys(variables.shape).filter((name) => env[name]?.trim())
      .map((name) => [name, env[name]!.trim()]),
  );
  const parsed = variables.safeParse(given);
  const problems = [
    ...missingKeys(given),
    ...publicSecrets(given),
    ...localOnly(given),
    ...incompleteApple(given),
    ...Object.entries(given).filter(([, value]) => placeholderIn(value))
      .map(([name]) => `${name} still holds a placeholder`),
    ...(parsed.error?.issues ?? []).map((issue) => explain(issue, given)),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return resolve(parsed.data);
}

function missingKeys(given: Record<string, string>): string[] {
  return [
    ["SUPABASE_PUBLISHABLE_KEYS", "SUPABASE_ANON_KEY"],
    ["SUPABASE_SECRET_KEYS", "SUPABASE_SERVICE_ROLE_KEY"],
  ].filter((names) => !names.some((name) => given[name]))
    .map((names) => `${names.join(" or ")} is missing`);
}

function publicSecrets(given: Record<string, string>): string[] {
  if (isLocal(given.SUPABASE_URL ?? "")) return [];
  const known = {
    JWT_SECRET: given.JWT_SECRET === publicSharedSecret,
    SEND_EMAIL_HOOK_SECRET: given.SEND_EMAIL_HOOK_SECRET?.includes(publicHookSecret),
  };
  return Object.entries(known).filter(([, isPublic]) => isPublic)
    .map(([name]) => `${name} is the publicly known one of a local project`);
}

function localOnly(given: Record<string, string>): string[] {
  return given.NEXUS_LOCAL_PROVIDERS && !isLocal(given.SUPABASE_URL ?? "")
    ? ["NEXUS_LOCAL_PROVIDERS is for a local project"]
    : [];
}

function explain(issue: z.core.$ZodIssue, given: Record<string, string>): string {
  const name = String(issue.path[0]);
  return given[name] === undefined ? `${name} is missing` : `${name}: ${issue.message}`;
}

function resolve(env: z.infer<typeof variables>): Config {
  const url = env.SUPABASE_URL;
  const local = isLocal(url);
  const secretKeys = [
    ...ordered(env.SUPABASE_SECRET_KEYS ?? {}),
    ...(env.SUPABASE_SERVICE_ROLE_KEY ? [env.SUPABASE_SERVICE_ROLE_KEY] : []),
  ].map((key) => new Secret(key));
  return {
    local,
    supabaseUrl: url,
    publicUrl: env.NEXUS_PUBLIC_URL ?? url,
    publishableKey: ordered(env.SUPABASE_PUBLISHABLE_KEYS ?? {})[0] ?? env.SUPABASE_ANON_KEY!,
    secretKey: secretKeys[0]!,
    secretKeys,
    tokens: {
      issuers: env.NEXUS_TOKEN_ISSUERS ?? [`${url}/auth/v1`],
      keySet: env.SUPABASE_JWKS,
      keySetUrl: `${url}/auth/v1/.well-known/jwks.json`,
      sharedSecret: env.JWT_SECRET ? new Secret(env.JWT_SECRET) : undefined,
    },
    http: {
      origins: env.NEXUS_CORS_ORIGINS ?? (local ? localOrigins : []),
      bodyLimit: env.NEXUS_BODY_LIMIT,
      clientAddressHeader: env.NEXUS_CLIENT_ADDRESS_HEADER ??
        (local ? "x-forwarded-for" : "cf-connecting-ip"),
      clientPlaceHeader: env.NEXUS_CLIENT_PLACE_HEADER ?? (local ? undefined : "cf-ipcountry"),
      limits: env.NEXUS_LIMITS ?? {},
      localProviders: env.NEXUS_LOCAL_PROVIDERS ?? [],
    },
    accounts: accountConfig(env),
    email: {
      ...mailConfig(env),
      hookSecrets: (env.SEND_EMAIL_HOOK_SECRET ?? []).map((secret) => new Secret(secret)),
    },
    push: pushConfig(env),
    twoFactor: {
      keys: (env.TWO_FACTOR_KEYS ?? []).map(({ name, key }) => ({ name, key: new Secret(key) })),
      issuer: env.TWO_FACTOR_ISSUER,
      hashCost: env.TWO_FACTOR_HASH_COST,
    },
    apple: appleConfig(env, url),
    workerSecret: env.WORKER_SECRET ? new Secret(env.WORKER_SECRET) : undefined,
  };
}

/** The key named `default` first: it is the one the platform makes by itself. */
function ordered(keys: Record<string, string>): string[] {
  return Object.entries(keys).sort(([a], [b]) => Number(b === "default") - Number(a === "default"))
    .map(([, key]) => key);
}
