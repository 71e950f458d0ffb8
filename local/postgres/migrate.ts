import type { Log } from "../part.ts";
import type { Settings } from "../settings.ts";
import type { Database } from "./mod.ts";

/** Applies the migrations. */
export function migrate(_d: Database, _s: Settings, _log: Log): Promise<string[]> {
  return Promise.resolve([]);
}
