import type { Keys } from "../keys.ts";
import type { Deliver } from "../mail/mail.ts";
import type { Log } from "../part.ts";
import type { AuthConfig } from "../settings.ts";
import type { Database } from "./database.ts";
import type { Hooks } from "./hooks/mod.ts";
import type { Limits } from "./limits.ts";
import type { Passwords } from "./passwords.ts";
import type { Turns } from "./turns.ts";

/** What every flow works with. */
export interface Auth {
  config: AuthConfig;
  keys: Keys;
  sql: Database;
  passwords: Passwords;
  limits: Limits;
  /** By refresh token. */
  turns: Turns;
  hooks: Hooks;
  deliver: Deliver;
  log: Log;
}
