import type { Keys } from "../keys.ts";
import type { Log, Part } from "../part.ts";
import type { Database } from "../postgres/mod.ts";
import type { Settings } from "../settings.ts";
import { functionEnvironment, readSecrets } from "./environment.ts";
import { FunctionProcess } from "./function_process.ts";
import { onChange } from "./on_change.ts";
import { refuseToken } from "./verify_jwt.ts";

export interface FunctionsOptions {
  settings: Settings;
  keys: Keys;
  database: Pick<Database, "url">;
  /** What `supabase secrets set` would have been told of this stack. */
  secrets?: Record<string, string>;
  log: Log;
}

const prefix = "/functions/v1";

/**
 * Runs every function of `config.toml`, unchanged, in a process of its own, and hands requests on
 * to them. They start in the background: a request that comes early waits for its function.
 */
export function startFunctions(options: FunctionsOptions): Promise<Part> {
  const { settings, keys, log } = options;
  const functions = new Map(settings.config.functions.map((config) => {
    const environment = () =>
      functionEnvironment(options, config.name, readSecrets(settings.root, log));
    return [config.name, new FunctionProcess(config, settings.root, environment, log)];
  }));
  const watcher = onChange(settings, (changed) => {
    for (const [name, process] of functions) {
      if (!changed.has(name)) continue;
      log(`[function ${name}] changed`);
      process.restart();
    }
  });

  return Promise.resolve({
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const path = pathname.slice(prefix.length);
      const target = functions.get(path.split("/")[1] ?? "");
      if (!target) return notFound();
      if (target.config.verifyJwt && request.method !== "OPTIONS") {
        const refused = await refuseToken(keys, request.headers.get("authorization"));
        if (refused) return refused;
      }
      return asHosted(request, await target.fetch(request, path + search));
    },
    async stop() {
      watcher.close();
      await Promise.all([...functions.values()].map((process) => process.stop()));
    },
  });
}

const notFound = (): Response =>
  Response.json({ code: "NOT_FOUND", message: "Requested function was not found" }, {
    status: 404,
  });

/** Hosted serves no pages from its domain: what says it is HTML arrives as plain text. */
function asHosted(request: Request, response: Response): Response {
  const type = response.headers.get("content-type") ?? "";
  if (request.method !== "GET" || !type.startsWith("text/html")) return response;
  const headers = new Headers(response.headers);
  headers.set("content-type", type.replace("text/html", "text/plain"));
  return new Response(response.body, { status: response.status, headers });
}
