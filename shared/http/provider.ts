import { ProblemError } from "../errors/problem.ts";
import { describeError, type Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { span } from "../tracing.ts";
import { Circuits } from "./circuit.ts";
import { checkOutbound, type Resolve, resolveHost } from "./outbound.ts";

export interface ProviderCall {
  /** The provider's name: in logs, traces, and for its circuit. */
  name: string;
  /** Milliseconds a try may take, its body included. */
  timeout?: number;
  /** Whether a repetition does no harm. Default: by method, or because of an `Idempotency-Key`. */
  repeatable?: boolean;
  signal?: AbortSignal;
}

/**
 * Calls an outside provider. Resolves to its answer, whatever the status; what failed for passing
 * reasons was tried again before. Without an answer it ends as `unavailable`, and for an address
 * that is not public as `request.address_refused`.
 */
export type CallProvider = (
  url: string | URL,
  init: RequestInit,
  call: ProviderCall,
) => Promise<Response>;

interface Options {
  /** Origins of fakes on this machine that may be called although they are not public. */
  localProviders: readonly string[];
  log: Log;
  metrics?: Metrics;
  circuits?: Circuits;
  resolve?: Resolve;
  wait?: (milliseconds: number) => Promise<void>;
}

const tries = 3;
const tryWithin = 10_000;
const redirects = 3;

/** Longest pause before another try: who asks for a longer one is given up on. */
const longestPause = 5_000;

const sleep = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

export function createProviderClient(options: Options): CallProvider {
  const { circuits = new Circuits(), wait = sleep, log } = options;

  async function attempt(url: URL, init: RequestInit, call: ProviderCall): Promise<Response> {
    const left = circuits.wait(call.name);
    if (left > 0) {
      throw new ProblemError("unavailable", {
        retryAfter: Math.ceil(left / 1000),
        cause: new Error(`The circuit of ${call.name} is open.`),
      });
    }
    try {
      const response = await follow(url, init, call, options);
      if (response.status >= 500) circuits.failed(call.name);
      else circuits.succeeded(call.name);
      return response;
    } catch (error) {
      if (!(error instanceof ProblemError && error.status < 500)) circuits.failed(call.name);
      throw error;
    }
  }

  async function persist(url: URL, init: RequestInit, call: ProviderCall): Promise<Response> {
    const repeatable = isRepeatable(init, call);
    for (let number = 1;; number++) {
      const last = number === tries || !repeatable;
      const outcome = await attempt(url, init, call).catch((error: unknown) => ({ error }));
      const pause = pauseAfter(outcome, number);
      if (last || pause === undefined || call.signal?.aborted) return settle(outcome);
      log("warn", "provider failed, trying again", {
        provider: call.name,
        attempt: number,
        ...(outcome instanceof Response
          ? { provider_status: outcome.status }
          : describeError(outcome.error)),
      });
      if (outcome instanceof Response) await outcome.body?.cancel();
      await wait(pause);
    }
  }

  return (url, init, call) => {
    const target = new URL(url);
    const attributes = { "server.address": target.hostname, "nexus.provider": call.name };
    return span(`provider ${call.name}`, attributes, async () => {
      try {
        const response = await persist(target, init, call);
        options.metrics?.providerCall(call.name, String(response.status));
        return response;
      } catch (error) {
        const outcome = error instanceof ProblemError ? error.code : "internal";
        options.metrics?.providerCall(call.name, outcome);
        throw error;
      }
    });
  };
}

const harmless = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"];

function isRepeatable(init: RequestInit, { repeatable }: ProviderCall): boolean {
  if (init.body instanceof ReadableStream) return false;
  return repeatable ?? (harmless.includes((init.method ?? "GET").toUpperCase()) ||
    new Headers(init.headers).has("idempotency-key"));
}

type Outcome = Response | { error: unknown };

/** Milliseconds until another try makes sense; undefined when none does. */
function pauseAfter(outcome: Outcome, number: number): number | undefined {
  const backoff = 200 * 2 ** number * (0.5 + Math.random() / 2);
  if (!(outcome instanceof Response)) {
    // What we refused ourselves, and an open circuit, will not be better in a moment.
    return outcome.error instanceof ProblemError ? undefined : backoff;
  }
  if (outcome.status !== 429 && outcome.status < 500) return undefined;
  const asked = Number(outcome.headers.get("retry-after") ?? 0) * 1000;
  if (!Number.isFinite(asked)) return backoff;
  return asked > longestPause ? undefined : Math.max(asked, backoff);
}

function settle(outcome: Outcome): Response {
  if (outcome instanceof Response) return outcome;
  if (outcome.error instanceof ProblemError) throw outcome.error;
  throw new ProblemError("unavailable", { retryAfter: 5, cause: outcome.error });
}

/** Follows redirects of reading requests by hand, so that each address is checked before its call. */
async function follow(
  url: URL,
  init: RequestInit,
  { timeout = tryWithin, signal }: ProviderCall,
  { localProviders, resolve = resolveHost }: Options,
): Promise<Response> {
  const limit = AbortSignal.timeout(timeout);
  const request = {
    ...init,
    redirect: "manual" as const,
    signal: signal ? AbortSignal.any([limit, signal]) : limit,
  };
  const reads = ["GET", "HEAD"].includes((init.method ?? "GET").toUpperCase());
  let headers = new Headers(init.headers);
  for (let target = url, hops = 0;; hops++) {
    await checkOutbound(target, localProviders, resolve);
    const response = await fetch(target, { ...request, headers });
    const location = response.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(response.status) || !location || !reads) {
      return response;
    }
    await response.body?.cancel();
    if (hops === redirects) {
      throw new ProblemError("request.address_refused", { detail: "Too many redirects." });
    }
    const next = new URL(location, target);
    if (next.origin !== target.origin) headers = withoutCredentials(headers);
    target = next;
  }
}

function withoutCredentials(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of ["authorization", "apikey", "x-api-key", "cookie"]) kept.delete(name);
  return kept;
}
