import { startGateway } from "./gateway/mod.ts";
import { type Keys, loadKeys } from "./keys.ts";
import type { Log, Part } from "./part.ts";
import { requireFreePort } from "./ports.ts";
import { type Database, migrate, startDatabase } from "./postgres/mod.ts";
import type { Settings } from "./settings.ts";

/** Where a running stack is reached, by people and by tests. */
export interface StackInfo {
  url: string;
  publishableKey: string;
  secretKey: string;
  databaseUrl: string;
}

export interface Stack {
  info: StackInfo;
  stop(): Promise<void>;
}

/** Runs one part of the start, and may tell somebody how long it took. */
export type Step = <T>(title: string, work: () => Promise<T>) => Promise<T>;

// Until every part is there: what is missing answers 503.
interface Context {
  settings: Settings;
  keys: Keys;
  database: Database;
  internalSecret: string;
  deliver?: unknown;
  log: Log;
}
async function optional<T>(path: string, name: string): Promise<T | undefined> {
  try {
    return (await import(path))[name];
  } catch (error) {
    if ((error as { code?: string }).code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
const missing: Part = {
  fetch: () => Promise.resolve(Response.json({ message: "not there yet" }, { status: 503 })),
  stop: () => Promise.resolve(),
};

/** Starts everything in order; what has started is stopped again when a later part fails. */
export async function startStack(settings: Settings, step: Step, log: Log): Promise<Stack> {
  requireFreePort(settings.ports.api, "the API");
  requireFreePort(settings.ports.mail, "the mail inbox");
  await using started = new AsyncDisposableStack();
  started.defer(surviveStrayErrors(log));
  const url = `http://127.0.0.1:${settings.ports.api}`;
  const keys = await loadKeys(settings.home, `${url}/auth/v1`);
  const database = await step("Postgres", () => startDatabase(settings, log));
  started.defer(() => database.stop());
  await step("Migrations", () => migrate(database, settings, log));

  const internalSecret = crypto.randomUUID() + crypto.randomUUID();
  const context: Context = { settings, keys, database, internalSecret, log };
  const mail = await optional<
    (context: Context) => Promise<{ deliver: unknown; stop(): Promise<void> }>
  >(
    "./mail/mod.ts",
    "startMail",
  );
  if (mail) {
    const inbox = await mail(context);
    started.defer(() => inbox.stop());
    context.deliver = inbox.deliver;
  }
  const part = async (path: string, name: string) => {
    const start = await optional<(context: Context) => Promise<Part>>(path, name);
    const running = await start?.(context) ?? missing;
    started.defer(() => running.stop());
    return running;
  };
  const [rest, auth, realtime, functions] = await step("Services", () =>
    Promise.all([
      part("./lite/mod.ts", "startLite"),
      part("./auth/mod.ts", "createAuth"),
      part("./realtime/mod.ts", "createRealtime"),
      part("./functions/mod.ts", "startFunctions"),
    ]));
  const gateway = startGateway({
    settings,
    keys,
    internalSecret,
    parts: { rest, auth, realtime, functions },
    log,
  });
  started.defer(() => gateway.stop());

  const info = {
    url,
    publishableKey: keys.publishable,
    secretKey: keys.secret,
    databaseUrl: database.url("postgres"),
  };
  if (settings.seed) {
    const seedStack = await optional<(info: StackInfo, log: Log) => Promise<void>>(
      "./seed.ts",
      "seedStack",
    );
    await step("Demo data", async () => await seedStack?.(info, log));
  }
  const running = started.move();
  return { info, stop: () => running.disposeAsync() };
}

/**
 * A database client that loses its server in the middle of a statement throws where nobody can
 * catch it. One such error must not end the gateway and every connection it holds.
 */
function surviveStrayErrors(log: Log): () => void {
  const survive = (event: ErrorEvent | PromiseRejectionEvent) => {
    event.preventDefault();
    const error = event instanceof ErrorEvent ? event.error : event.reason;
    log(`[stray] ${error instanceof Error ? error.stack : error}`);
  };
  globalThis.addEventListener("error", survive);
  globalThis.addEventListener("unhandledrejection", survive);
  return () => {
    globalThis.removeEventListener("error", survive);
    globalThis.removeEventListener("unhandledrejection", survive);
  };
}
