import { createTokens, type Tokens } from "./auth/tokens.ts";
import type { Config } from "./config.ts";
import { createDoors, type Doors } from "./database/client.ts";
import { createLog, type Log } from "./log.ts";

/** What every function works with: made once at start, handed in, and replaced piecewise by tests. */
export interface Services {
  config: Config;
  log: Log;
  tokens: Tokens;
  database: Doors;
}

export function createServices(name: string, config: Config): Services {
  return {
    config,
    log: createLog(name),
    tokens: createTokens(config.tokens),
    database: createDoors(config),
  };
}
