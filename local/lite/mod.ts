import type { Log, Part } from "../part.ts";
import { fromFileUrl, join } from "../paths.ts";
import { accepts, freePort } from "../ports.ts";
import type { Database } from "../postgres/mod.ts";
import { Supervised } from "../process.ts";
import { proxy } from "../proxy.ts";
import type { Settings } from "../settings.ts";
import type { DataApiOptions } from "./mend.ts";

export interface LiteOptions {
  settings: Settings;
  database: Pick<Database, "host" | "port" | "url">;
  /** Signs the tokens by which the gateway names the caller. */
  internalSecret: string;
  log: Log;
  /** Milliseconds after which a request is given up. */
  answerWithin?: number;
}

/** The Data API (`/rest/v1/*`), in a process of its own that is started again when it dies. */
export async function startLite(options: LiteOptions): Promise<Part> {
  const { answerWithin = 15_000 } = options;
  let port = 0;
  const child = new Supervised({
    name: "data api",
    command: () => commandFor(port = freePort(), options),
    ready: () => accepts(port),
    log: options.log,
  });
  await child.started();
  return {
    async fetch(request) {
      if (!child.isReady) return down();
      return await forward(request, port, answerWithin);
    },
    stop: () => child.stop(),
  };
}

function commandFor(port: number, { settings, database, internalSecret }: LiteOptions) {
  const { schemas, extraSearchPath, maxRows } = settings.config.api;
  const options: Omit<DataApiOptions, "log"> = {
    databaseUrl: database.url("authenticator"),
    catalogueUrl: database.url("supabase_admin"),
    secret: internalSecret,
    schemas,
    extraSearchPath,
    maxRows,
    connections: 30,
  };
  const server = `${database.host}:${database.port}`;
  return {
    program: Deno.execPath(),
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      `--config=${join(settings.root, "deno.json")}`,
      "--v8-flags=--max-old-space-size=192",
      // The database and its own door: lite cannot report to anybody.
      `--allow-net=${server},127.0.0.1:${port}`,
      "--allow-env",
      fromFileUrl(import.meta.resolve("./main.ts")),
    ],
    env: { NEXUS_DATA_API: JSON.stringify({ port, ...options }) },
  };
}

async function forward(request: Request, port: number, within: number): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const late = AbortSignal.timeout(within);
  try {
    const signal = AbortSignal.any([request.signal, late]);
    return await proxy(request, port, pathname + search, signal);
  } catch (error) {
    if (late.aborted) return tooLate();
    if (error instanceof TypeError) return down();
    throw error;
  }
}

const down = () => failure(503, "PGRST000", "Database connection error. Retrying the connection.");

const tooLate = () => failure(504, "PGRST003", "The Data API did not answer in time.");

function failure(status: number, code: string, message: string): Response {
  const body = { code, details: null, hint: null, message };
  const headers = { "Retry-After": "1", "Proxy-Status": `PostgREST; error=${code}` };
  return Response.json(body, { status, headers });
}
