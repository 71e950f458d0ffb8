import { ApiKeys, withApiKeys } from "./auth/api_keys.ts";
import { createTokens, type Tokens } from "./auth/tokens.ts";
import type { Config } from "./config.ts";
import { createDoors, type Doors } from "./database/client.ts";
import { type CallProvider, createProviderClient } from "./http/provider.ts";
import { createLog, type Log } from "./log.ts";
import { Metrics } from "./metrics.ts";

/** What every function works with: made once at start, handed in, and replaced piecewise by tests. */
export interface Services {
  config: Config;
  log: Log;
  metrics: Metrics;
  /** Takes API keys as well. */
  tokens: Tokens;
  apiKeys: ApiKeys;
  database: Doors;
  /** The one way to outside providers: with a time limit, further tries and a guard. */
  callProvider: CallProvider;
}

export function createServices(name: string, config: Config): Services {
  const log = createLog(name);
  const metrics = new Metrics(name);
  const { localProviders } = config.http;
  const database = createDoors(config);
  const apiKeys = new ApiKeys({ config, database });
  return {
    config,
    log,
    metrics,
    tokens: withApiKeys(createTokens(config.tokens), apiKeys),
    apiKeys,
    database,
    callProvider: createProviderClient({ localProviders, log, metrics }),
  };
}
