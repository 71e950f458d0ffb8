import type { Keys } from "../keys.ts";
import type { Deliver } from "../mail/mail.ts";
import type { Log, Part } from "../part.ts";
import type { AuthConfig, Settings } from "../settings.ts";
import type { Auth } from "./auth.ts";
import { openDatabase } from "./database.ts";
import { Hooks } from "./hooks/mod.ts";
import { Limits } from "./limits.ts";
import { Passwords } from "./passwords.ts";
import { createRoutes } from "./routes.ts";
import { Turns } from "./turns.ts";

export interface AuthContext {
  settings: Settings;
  keys: Keys;
  database: { url(role: "supabase_auth_admin" | "postgres"): string };
  deliver: Deliver;
  log: Log;
}

/**
 * The Auth stand-in: GoTrue's surface over hosted's own schema `auth`. It reads `Authorization`,
 * `apikey` and the other headers as the client sent them; of the gateway it needs the caller's address.
 */
export async function createAuth(context: AuthContext): Promise<Part> {
  const { settings, keys, database, deliver, log } = context;
  const { auth: config } = settings.config;
  const sql = openDatabase(database.url("supabase_auth_admin"), 8, log);
  // Each hashing fills a core, so more at once would only slow one another. They have connections of
  // their own: the role that owns the schema auth may not use pgcrypto on hosted, where the Auth
  // server hashes by itself, and a flood of logins leaves the others free.
  const slots = Math.min(4, Math.max(2, navigator.hardwareConcurrency));
  const hashing = openDatabase(database.url("postgres"), slots, log);
  const end = async () => {
    await Promise.all([sql.end(), hashing.end()]);
  };
  const auth: Auth = {
    config,
    keys,
    sql,
    passwords: new Passwords(hashing, slots),
    limits: new Limits(config),
    turns: new Turns(),
    hooks: new Hooks(hooksOf(settings), sql, log),
    deliver,
    log,
  };
  try {
    // A stack whose accounts cannot be reached should say so at the start.
    await sql`select 1`;
  } catch (error) {
    await end();
    throw error;
  }
  const routes = createRoutes(auth);
  return {
    fetch: async (request, caller) => await routes.fetch(request, { caller }),
    stop: end,
  };
}

/**
 * The hooks, as this run reaches them: one that `config.toml` puts behind this stack's own API (for
 * the CLI's container, `host.docker.internal`) is there on the port that this run has.
 */
function hooksOf({ config, ports }: Settings): AuthConfig["hooks"] {
  const local = ["127.0.0.1", "localhost", "host.docker.internal"];
  return Object.fromEntries(
    Object.entries(config.auth.hooks).map(([name, hook]) => {
      const uri = new URL(hook.uri);
      if (local.includes(uri.hostname) && uri.port === String(config.ports.api)) {
        uri.host = `127.0.0.1:${ports.api}`;
      }
      return [name, { ...hook, uri: uri.href }];
    }),
  );
}
