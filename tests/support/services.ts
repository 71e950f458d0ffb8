import { readConfig } from "shared/config.ts";
import type { Level } from "shared/log.ts";
import { createLog } from "shared/log.ts";
import { createServices, type Services } from "shared/services.ts";

/** A complete environment of a project on this machine where nobody listens. */
export const deadEnvironment: Record<string, string> = {
  SUPABASE_URL: "http://127.0.0.1:9",
  SUPABASE_PUBLISHABLE_KEYS: '{"default":"sb_publishable_of_nobody_at_all"}',
  SUPABASE_SECRET_KEYS: '{"default":"sb_secret_of_nobody_at_all"}',
};

export interface LogLine {
  level: Level;
  event: Record<string, unknown>;
}

/** Real services on a changed environment, and the log lines they write. */
export function createTestServices(
  env: Record<string, string> = {},
): { services: Services; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const log = createLog("test", (level, line) => lines.push({ level, event: JSON.parse(line) }));
  const services = createServices("test", readConfig({ ...deadEnvironment, ...env }));
  return { services: { ...services, log }, lines };
}
