import { parse } from "smol-toml";
import { StackError } from "./part.ts";
import { dirname, fromFileUrl, join, resolve } from "./paths.ts";

/** One `[functions.*]` entry of `supabase/config.toml`, its paths resolved from `supabase/`. */
export interface FunctionConfig {
  name: string;
  entrypoint: string;
  importMap: string | undefined;
  verifyJwt: boolean;
}

/** One enabled `[auth.hook.*]`; `uri` is `pg-functions://…` or `http(s)://…`, `secrets` as hosted writes them. */
export interface HookConfig {
  uri: string;
  secrets: string | undefined;
}

export type HookName = "custom_access_token" | "before_user_created" | "send_email";

/** What the Auth stand-in reads of `[auth]`; durations in seconds. */
export interface AuthConfig {
  siteUrl: string;
  redirectUrls: string[];
  jwtExpiry: number;
  refreshReuseInterval: number;
  signupEnabled: boolean;
  anonymousEnabled: boolean;
  manualLinkingEnabled: boolean;
  minimumPasswordLength: number;
  passwordRequirements: string;
  securePasswordChange: boolean;
  doubleConfirmChanges: boolean;
  confirmationsEnabled: boolean;
  maxFrequency: number;
  otpLength: number;
  otpExpiry: number;
  rateLimits: {
    emailSent: number;
    tokenRefresh: number;
    signInSignUps: number;
    tokenVerifications: number;
    anonymousUsers: number;
  };
  hooks: Partial<Record<HookName, HookConfig>>;
}

/** `supabase/config.toml`, the one source of ports, auth settings and functions. */
export interface ProjectConfig {
  projectId: string;
  ports: { api: number; db: number; studio: number; mail: number };
  api: {
    schemas: string[];
    extraSearchPath: string[];
    maxRows: number;
    autoExposeNewTables: boolean;
  };
  auth: AuthConfig;
  /** The largest upload, in bytes. */
  storage: { fileSizeLimit: number };
  functions: FunctionConfig[];
}

/** How one run of the stack was asked for: options over environment over `config.toml`. */
export interface Settings {
  root: string;
  home: string;
  ports: ProjectConfig["ports"];
  dbUrl: string | undefined;
  reset: boolean;
  seed: boolean;
  config: ProjectConfig;
}

/** An option or setting that cannot be understood. */
export class SettingsError extends StackError {}

export const root: string = resolve(dirname(fromFileUrl(import.meta.url)), "..");

type Toml = Record<string, unknown>;

/** Reads the options of `start`; throws `SettingsError` with one sentence about the first wrong one. */
export function readSettings(
  args: string[] = [],
  env: Record<string, string> = Deno.env.toObject(),
): Settings {
  const options = readOptions(args);
  const config = readProjectConfig(root, env);
  const offset = readOffset(options.portOffset ?? env.NEXUS_PORT_OFFSET ?? "0");
  const ports = Object.fromEntries(
    Object.entries(config.ports).map(([name, port]) => [name, port + offset]),
  ) as ProjectConfig["ports"];
  return {
    root,
    home: resolve(root, env.NEXUS_HOME ?? ".nexus"),
    ports,
    dbUrl: options.dbUrl,
    reset: options.reset,
    seed: options.seed,
    config,
  };
}

function readOptions(args: string[]) {
  const options = {
    reset: false,
    seed: true,
    dbUrl: undefined as string | undefined,
    portOffset: undefined as string | undefined,
  };
  const rest = [...args];
  while (rest.length > 0) {
    const [name, inline] = rest.shift()!.split(/=(.*)/s) as [string, string | undefined];
    const value = () => {
      const given = inline ?? rest.shift();
      if (!given) throw new SettingsError(`${name} needs a value.`);
      return given;
    };
    if (name === "--reset") options.reset = true;
    else if (name === "--no-seed") options.seed = false;
    else if (name === "--db-url") options.dbUrl = value();
    else if (name === "--port-offset") options.portOffset = value();
    else {
      throw new SettingsError(
        `Unknown option ${name}. Known: --reset, --no-seed, --db-url URL, --port-offset N.`,
      );
    }
  }
  // Said before anything is done: the folder of the embedded database is emptied first of all.
  if (options.reset && options.dbUrl !== undefined) {
    throw new SettingsError("--reset does not empty a database of your own: leave out --db-url.");
  }
  return options;
}

function readOffset(text: string): number {
  const offset = Number(text);
  if (!Number.isInteger(offset) || offset < 0 || offset > 10_000) {
    throw new SettingsError(
      `The port offset must be a whole number from 0 to 10000, and is "${text}".`,
    );
  }
  return offset;
}

/** Reads `supabase/config.toml`, `env(NAME)` resolved as the CLI does. */
export function readProjectConfig(folder: string, env: Record<string, string>): ProjectConfig {
  const file = join(folder, "supabase", "config.toml");
  const toml = section({ toml: parse(Deno.readTextFileSync(file)) }, "toml");
  const from = (path: string) => path.split(".").reduce(section, toml);
  const api = from("api");
  return {
    projectId: String(toml.project_id),
    ports: {
      api: Number(api.port ?? 54321),
      db: Number(from("db").port ?? 54322),
      studio: Number(from("studio").port ?? 54323),
      mail: Number(from("local_smtp").port ?? 54324),
    },
    api: {
      schemas: strings(api.schemas ?? ["public", "graphql_public"]),
      extraSearchPath: strings(api.extra_search_path ?? ["public", "extensions"]),
      maxRows: Number(api.max_rows ?? 1000),
      autoExposeNewTables: api.auto_expose_new_tables === true,
    },
    auth: readAuth(from("auth"), env),
    storage: { fileSizeLimit: bytes(String(from("storage").file_size_limit ?? "50MiB")) },
    functions: Object.entries(from("functions"))
      .filter(([, entry]) => (entry as Toml).enabled !== false)
      .map(([name, entry]) => readFunction(join(folder, "supabase"), name, entry as Toml)),
  };
}

function readAuth(auth: Toml, env: Record<string, string>): AuthConfig {
  const email = section(auth, "email");
  const limits = section(auth, "rate_limit");
  return {
    siteUrl: String(auth.site_url ?? "http://127.0.0.1:3000"),
    redirectUrls: strings(auth.additional_redirect_urls ?? []),
    jwtExpiry: Number(auth.jwt_expiry ?? 3600),
    refreshReuseInterval: Number(auth.refresh_token_reuse_interval ?? 10),
    signupEnabled: auth.enable_signup !== false && email.enabled !== false,
    anonymousEnabled: auth.enable_anonymous_sign_ins === true,
    manualLinkingEnabled: auth.enable_manual_linking === true,
    minimumPasswordLength: Number(auth.minimum_password_length ?? 6),
    passwordRequirements: String(auth.password_requirements ?? ""),
    securePasswordChange: email.secure_password_change === true,
    doubleConfirmChanges: email.double_confirm_changes !== false,
    confirmationsEnabled: email.enable_confirmations === true,
    maxFrequency: seconds(String(email.max_frequency ?? "1s")),
    otpLength: Number(email.otp_length ?? 6),
    otpExpiry: Number(email.otp_expiry ?? 3600),
    rateLimits: {
      // As `supabase start` does: without a mail server of the user's own, mails are not rationed.
      emailSent: section(email, "smtp").enabled === true
        ? Number(limits.email_sent ?? 30)
        : 360_000,
      tokenRefresh: Number(limits.token_refresh ?? 150),
      signInSignUps: Number(limits.sign_in_sign_ups ?? 30),
      tokenVerifications: Number(limits.token_verifications ?? 30),
      anonymousUsers: Number(limits.anonymous_users ?? 30),
    },
    hooks: Object.fromEntries(
      Object.entries(section(auth, "hook"))
        .filter(([, hook]) => (hook as Toml).enabled === true)
        .map(([name, hook]) => [name, readHook(hook as Toml, env)]),
    ),
  };
}

function readHook(hook: Toml, env: Record<string, string>): HookConfig {
  const secrets = hook.secrets === undefined ? undefined : fromEnv(String(hook.secrets), env);
  return { uri: fromEnv(String(hook.uri), env), secrets };
}

function readFunction(folder: string, name: string, entry: Toml): FunctionConfig {
  const path = (value: unknown) => resolve(folder, String(value));
  return {
    name,
    entrypoint: path(entry.entrypoint ?? `functions/${name}/index.ts`),
    importMap: entry.import_map === undefined ? undefined : path(entry.import_map),
    verifyJwt: entry.verify_jwt !== false,
  };
}

function section(toml: Toml, name: string): Toml {
  const value = toml[name];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Toml : {};
}

const strings = (value: unknown): string[] => (value as unknown[]).map(String);

const fromEnv = (value: string, env: Record<string, string>): string =>
  value.replace(/^env\((\w+)\)$/, (_, name) => env[name] ?? "");

/** Go's duration notation, as far as the CLI's files use it: `1m30s` → 90. */
function seconds(duration: string): number {
  const unit: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };
  return [...duration.matchAll(/([\d.]+)(ms|s|m|h)/g)]
    .reduce((sum, [, amount, name]) => sum + Number(amount) * unit[name!]!, 0);
}

/** The CLI's notation of sizes: `10MiB` → 10485760, `10MB` → 10000000. */
function bytes(size: string): number {
  const [, amount, prefix, binary] = /^(\d+)\s*([KMG]?)(i?)B?$/i.exec(size) ?? [];
  if (amount === undefined) {
    throw new SettingsError(`file_size_limit is no size: "${size}".`);
  }
  const power = ["", "K", "M", "G"].indexOf(prefix!.toUpperCase());
  return Number(amount) * (binary ? 1024 : 1000) ** power;
}
