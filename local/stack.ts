import { type AuthContext, createAuth } from "./auth/mod.ts";
import { startExtensions } from "./extensions/mod.ts";
import { keepSecrets } from "./extensions/secrets.ts";
import { type FunctionsOptions, startFunctions } from "./functions/mod.ts";
import { type GatewayOptions, startGateway } from "./gateway/mod.ts";
import { loadKeys, twoFactorKeys } from "./keys.ts";
import { type LiteOptions, startLite } from "./lite/mod.ts";
import { startMail } from "./mail/mod.ts";
import { outgoingMail } from "./outgoing.ts";
import type { Log, Part } from "./part.ts";
import { requireFreePort } from "./ports.ts";
import { migrate, startDatabase } from "./postgres/mod.ts";
import { createRealtime } from "./realtime/mod.ts";
import { seedStack } from "./seed.ts";
import type { HookConfig, Settings } from "./settings.ts";
import { createStorage, type StorageContext } from "./storage/mod.ts";

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

/** Starts everything in order; what has started is stopped again when a later part fails. */
export async function startStack(given: Settings, step: Step, log: Log): Promise<Stack> {
  await requireFreePort(given.ports.api, "the API");
  await requireFreePort(given.ports.mail, "the mail inbox");
  await using started = new AsyncDisposableStack();
  started.defer(surviveStrayErrors(log));
  const url = `http://127.0.0.1:${given.ports.api}`;
  const keys = await loadKeys(given.home, `${url}/auth/v1`);
  const { settings, apiKey, secrets: ofMail } = outgoingMail(given, keys);
  const database = await step("Postgres", () => startDatabase(settings, log));
  started.defer(() => database.stop());
  await step("Migrations", () => migrate(database, settings, log));

  const mail = startMail({ settings, apiKey });
  started.defer(() => mail.stop());
  const { deliver } = mail;
  const internalSecret = crypto.randomUUID() + crypto.randomUUID();
  const secrets = {
    ...ofMail,
    ...await keepSecrets(database, `${url}/functions/v1`),
    TWO_FACTOR_KEYS: twoFactorKeys(keys),
  };
  const context = { settings, keys, database, internalSecret, deliver, secrets, log };
  const parts = await step("Services", () => startParts(context, started));
  const gateway = startGateway({ ...context, parts });
  started.defer(() => gateway.stop());
  const extensions = await startExtensions(context);
  started.defer(() => extensions.stop());
  // Auth gives its hook five seconds; a function that still starts could need more.
  const mailing = wake(settings.config.auth.hooks.send_email);

  const info = {
    url,
    publishableKey: keys.publishable,
    secretKey: keys.secret,
    databaseUrl: database.url("postgres"),
  };
  if (settings.seed) await step("Demo data", () => seedStack(info, log));
  await step("Mail", () => mailing);
  const running = started.move();
  return { info, stop: () => running.disposeAsync() };
}

/** Starts the parts side by side. When one fails, those that did start are stopped all the same. */
async function startParts(
  context: AuthContext & FunctionsOptions & LiteOptions & StorageContext,
  started: AsyncDisposableStack,
): Promise<GatewayOptions["parts"]> {
  const running: Part[] = [];
  started.defer(async () => {
    await Promise.all(running.map((part) => part.stop()));
  });
  const start = async (part: Promise<Part>) => {
    running.push(await part);
    return part;
  };
  const starting = [startLite, createAuth, createRealtime, startFunctions, createStorage]
    .map((factory) => start(factory(context)));
  await Promise.allSettled(starting);
  const [rest, auth, realtime, functions, storage] = await Promise.all(starting);
  return { rest, auth, realtime, functions, storage } as GatewayOptions["parts"];
}

/** Waits until the function behind a hook answers at all; what it answers is not for us. */
async function wake(hook: HookConfig | undefined): Promise<void> {
  if (!hook?.uri.startsWith("http://127.0.0.1:")) return;
  const response = await fetch(hook.uri, { method: "POST" }).catch(() => undefined);
  await response?.body?.cancel();
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
