import { ConfigError, readConfig, variables } from "shared/config.ts";
import { StackError } from "../part.ts";

/** A hosted project, and what it is to be told. */
export interface Target {
  ref: string;
  /** What follows `--remote` for the database: the project, or a URL where its own is out of reach. */
  database: string;
  siteUrl: string;
  functionsUrl: string;
  /** The worker's secret, where a new one is wanted. */
  workerSecret: string | undefined;
  /** Of `[auth.external.*]`, those whose keys are given. */
  providers: string[];
  /** What the functions read of their environment, beyond what the platform gives them. */
  secrets: Record<string, string>;
}

const required: [name: string, meaning: string][] = [
  ["SUPABASE_ACCESS_TOKEN", "a token of your account: supabase.com/dashboard/account/tokens"],
  ["SUPABASE_PROJECT_REF", "the twenty letters of the project's address"],
  [
    "SUPABASE_DB_PASSWORD",
    "the database's password (or SUPABASE_DB_URL, the session pooler's URL)",
  ],
  ["NEXUS_SITE_URL", "where the app is: links in mails lead there"],
  [
    "SEND_EMAIL_HOOK_SECRET",
    "what Auth proves itself by when it hands over mails: v1,whsec_ and 32 random bytes in base64",
  ],
];

/** Reads the target from the environment; throws one message with everything that is missing or wrong. */
export function readTarget(env: Record<string, string>): Target {
  const secrets = secretsOf(env);
  const ref = env.SUPABASE_PROJECT_REF ?? "";
  const url = env.SUPABASE_URL || `https://${ref}.supabase.co`;
  const problems = [
    ...missing(env),
    ...halfGiven(env),
    ...(ref && !/^[a-z]{20}$/.test(ref) ? ["SUPABASE_PROJECT_REF is twenty small letters"] : []),
    ...(env.NEXUS_SITE_URL && !URL.canParse(env.NEXUS_SITE_URL)
      ? ["NEXUS_SITE_URL is no URL"]
      : []),
    ...configProblems({ ...secrets, SUPABASE_URL: url }),
  ];
  if (problems.length > 0) {
    throw new StackError(`To deploy, set in the environment:\n  ${problems.join("\n  ")}`);
  }
  return {
    ref,
    database: env.SUPABASE_DB_URL || ref,
    siteUrl: env.NEXUS_SITE_URL!.replace(/\/$/, ""),
    functionsUrl: `${url}/functions/v1`,
    workerSecret: env.WORKER_SECRET || undefined,
    providers: providers.filter((name) => keysOf(name).every((key) => env[key])),
    secrets,
  };
}

/** Providers of `config.toml` that a deployment switches on by their keys. */
const providers = ["google", "github"];

const keysOf = (provider: string) =>
  ["CLIENT_ID", "CLIENT_SECRET"].map((key) => `${provider.toUpperCase()}_${key}`);

function halfGiven(env: Record<string, string>): string[] {
  return providers.map(keysOf).filter((keys) => keys.some((key) => env[key]))
    .flatMap((keys) => keys.filter((key) => !env[key]))
    .map((key) => `${key}: the other half of the provider's keys is given`);
}

function missing(env: Record<string, string>): string[] {
  return required
    .filter(([name]) => !env[name] && !(name === "SUPABASE_DB_PASSWORD" && env.SUPABASE_DB_URL))
    .map(([name, meaning]) => `${name}: ${meaning}`);
}

/** What the functions would refuse to start with, told before anything is changed. */
function configProblems(env: Record<string, string>): string[] {
  const given = {
    SUPABASE_PUBLISHABLE_KEYS: '{"default":"sb_publishable_given_by_the_platform"}',
    SUPABASE_SECRET_KEYS: '{"default":"sb_secret_given_by_the_platform"}',
  };
  try {
    readConfig({ ...given, ...env });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return [...error.problems];
    throw error;
  }
}

/** The platform gives the functions their SUPABASE_ variables, and lets nobody set them. */
function secretsOf(env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.keys(variables.shape)
      .filter((name) => !name.startsWith("SUPABASE_") && env[name])
      .map((name) => [name, env[name]!]),
  );
}
