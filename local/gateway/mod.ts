import type { Keys } from "../keys.ts";
import { type Log, StackError } from "../part.ts";
import { pause } from "../process.ts";
import type { Settings } from "../settings.ts";
import { accessLine } from "./access_log.ts";
import { addressOf } from "./address.ts";
import { dataApiAuthorization } from "./data_api.ts";
import { createRouter, type Parts } from "./router.ts";

export interface GatewayOptions {
  settings: Settings;
  keys: Keys;
  /** Signs the tokens by which the Data API knows its callers: it never sees the project's keys. */
  internalSecret: string;
  parts: Parts;
  log: Log;
}

const drainFor = 4_000;

/** The one door of the stack: listens on the API port and answers like hosted's gateway. */
export function startGateway(options: GatewayOptions): { stop(): Promise<void> } {
  const { settings, keys, internalSecret, parts, log } = options;
  const route = createRouter({
    keys,
    parts,
    authorizeDataApi: dataApiAuthorization(keys, internalSecret),
    log,
  });
  const server = listen(settings.ports.api, async (request, info) => {
    const began = performance.now();
    const caller = { address: addressOf(request.headers, info.remoteAddr.hostname) };
    const id = crypto.randomUUID();
    const response = await route(request, caller, id);
    log(accessLine(request, response, caller, id, performance.now() - began));
    return response;
  });
  return {
    // What is still being answered then, is cut short when its part stops.
    async stop() {
      const drained = new AbortController();
      await Promise.race([server.shutdown(), pause(drainFor, drained.signal)]);
      drained.abort();
    },
  };
}

function listen(
  port: number,
  handler: Deno.ServeHandler<Deno.NetAddr>,
): Deno.HttpServer {
  try {
    return Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, handler);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new StackError(`Port ${port} is taken.`, { cause: error });
  }
}
