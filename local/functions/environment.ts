import { parseEnv } from "node:util";
import { publicJwks } from "../keys.ts";
import type { Log } from "../part.ts";
import { join } from "../paths.ts";
import type { FunctionsOptions } from "./mod.ts";

/** Where a developer keeps what `supabase secrets set` keeps on hosted. */
export const secretFiles = [".env", "supabase/functions/.env"];

// What Deno itself needs to find its cache and to reach the registry as this process does.
const passedOn = [
  "PATH",
  "HOME",
  "DENO_DIR",
  "XDG_CACHE_HOME",
  "NPM_CONFIG_REGISTRY",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "DENO_CERT",
  "DENO_TLS_CA_STORE",
];

/** Hosted's variables, the developer's secrets, and nothing else of the stack's environment. */
export function functionEnvironment(
  { settings, keys, database, secrets: ofStack }: FunctionsOptions,
  name: string,
  secrets: Record<string, string>,
): Record<string, string> {
  const own = Object.fromEntries(
    passedOn.flatMap((variable) => {
      const value = Deno.env.get(variable);
      return value === undefined ? [] : [[variable, value]];
    }),
  );
  return {
    ...secrets,
    ...ofStack,
    ...own,
    SUPABASE_URL: `http://127.0.0.1:${settings.ports.api}`,
    SUPABASE_DB_URL: database.url("postgres"),
    SUPABASE_JWKS: JSON.stringify(publicJwks(keys)),
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret }),
    SUPABASE_ANON_KEY: keys.anon,
    SUPABASE_SERVICE_ROLE_KEY: keys.serviceRole,
    SB_REGION: "local",
    SB_EXECUTION_ID: crypto.randomUUID(),
    DENO_DEPLOYMENT_ID: `${settings.config.projectId}_${name}_1`,
  };
}

/** Reads the secret files; names that hosted keeps for itself are refused as it refuses them. */
export function readSecrets(root: string, log: Log): Record<string, string> {
  const secrets: Record<string, string> = {};
  for (const file of secretFiles) {
    for (const [name, value] of Object.entries(parseEnv(readIfThere(join(root, file))))) {
      if (name.startsWith("SUPABASE_")) {
        log(`[functions] ${file}: names must not start with SUPABASE_, skipping ${name}`);
      } else if (value !== undefined) secrets[name] = value;
    }
  }
  return secrets;
}

function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
