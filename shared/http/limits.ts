import type { Context, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { Lru } from "../auth/lru.ts";
import type { Caller } from "../auth/tokens.ts";
import type { Config } from "../config.ts";
import { ProblemError } from "../errors/problem.ts";
import { describeError } from "../log.ts";
import { addressBlock } from "./addresses.ts";
import { declare, declaredBy, type NamedLimit } from "./declared.ts";
import type { Env } from "./env.ts";
import { clientAddress, originOf } from "./origin.ts";

/** What holds on every route: by person where a good token names one, else by address. */
const everywhere: Record<"ip" | "person", NamedLimit> = {
  ip: { name: "ip", by: "ip", limit: 100, window: 60 },
  person: { name: "person", by: "person", limit: 300, window: 60 },
};

/** A stricter limit for one route, on top of what holds everywhere. */
export const limited = (limit: NamedLimit): MiddlewareHandler<Env> => declare({ limit });

/** For routes that monitors ask all the time and that cost nothing. */
export const unlimited: MiddlewareHandler<Env> = declare({ unlimited: true });

/** For routes that tell about a database that does not answer. */
export const lenient: MiddlewareHandler<Env> = declare({ lenient: true });

interface Verdict {
  allowed: boolean;
  limit: number;
  remaining: number;
  reset_at: string;
  retry_after: number;
}

interface Take {
  key: string;
  limit: number;
  seconds: number;
}

/** Milliseconds: who waits longer than this for the count has met an overloaded database. */
const patience = 3_000;

/**
 * Counts every request before its route runs, in one call of the database for all limits that apply.
 * A key that was refused is refused from memory until its time is over, which lets nobody through
 * who would not be anyway. Where nobody can be asked because there is no database, what holds
 * everywhere is waived, for the routes need it themselves; a limit that a route declares stays shut,
 * and so does everything while the database is too busy to count.
 */
export function limits(config: Config["http"]): MiddlewareHandler<Env> {
  const refusedUntil = new Lru<string, { until: number; verdict: Verdict }>(10_000);
  let refusedBefore = 0;

  async function ask(
    c: Context<Env>,
    takes: Take[],
    mayWaive: (error: unknown) => boolean,
  ): Promise<Verdict | undefined> {
    const { database, log } = c.var.services;
    const reported = refusedBefore;
    refusedBefore = 0;
    try {
      return await database.asService(originOf(c.req, c.var)).rpc<Verdict>(
        "limits_take",
        { takes, refused_before: reported },
        patience,
      );
    } catch (error) {
      refusedBefore += reported;
      if (!mayWaive(error)) throw new ProblemError("unavailable", { retryAfter: 1, cause: error });
      log("warn", "limits cannot be asked", describeError(error));
      return undefined;
    }
  }

  function remembered(takes: Take[]): Verdict | undefined {
    for (const { key } of takes) {
      const hit = refusedUntil.get(key);
      const left = hit ? Math.ceil((hit.until - Date.now()) / 1000) : 0;
      if (hit && left > 0) {
        refusedBefore++;
        return { ...hit.verdict, retry_after: left };
      }
      if (hit) refusedUntil.delete(key);
    }
    return undefined;
  }

  return createMiddleware<Env>(async (c, next) => {
    const declared = declaredBy(c);
    if (declared.some(({ unlimited }) => unlimited)) return await next();
    const strict = declared.flatMap(({ limit }) => limit ?? []);
    const takes = await takesFor(c, strict, config);
    const known = remembered(takes);
    const verdict = known ??
      await ask(
        c,
        takes,
        (error) =>
          declared.some(({ lenient }) => lenient) || (strict.length === 0 && !isOverload(error)),
      );
    if (!verdict) return await next();
    describe(c, verdict, takes);
    if (!verdict.allowed) {
      if (!known) remember(refusedUntil, takes, verdict);
      throw new ProblemError("limits.exceeded", { retryAfter: verdict.retry_after });
    }
    await next();
  });
}

const isOverload = (error: unknown) => error instanceof ProblemError && error.code === "timeout";

/** With several keys the refusal does not tell which one it was; then the next request asks again. */
function remember(
  refusedUntil: Lru<string, { until: number; verdict: Verdict }>,
  takes: Take[],
  verdict: Verdict,
): void {
  const [only, ...others] = takes;
  if (!only || others.length > 0) return;
  refusedUntil.set(only.key, { until: Date.now() + verdict.retry_after * 1000, verdict });
}

async function takesFor(
  c: Context<Env>,
  strict: NamedLimit[],
  { limits, clientAddressHeader }: Config["http"],
): Promise<Take[]> {
  const caller = await callerOf(c);
  const person = caller?.personId;
  // Whoever comes without an address shares one count with all the others who do.
  const address = addressBlock(clientAddress(c.req, clientAddressHeader) ?? "unknown");
  const applying = [
    person === undefined ? everywhere.ip : everywhere.person,
    ...strict.filter(({ by }) => by === "ip" || person !== undefined),
  ];
  const takes = applying.map(({ name, by, ...fallback }) => {
    const { limit, window } = limits[name] ?? fallback;
    return { key: `${name}:${by === "ip" ? address : person}`, limit, seconds: window };
  });
  const budget = caller?.budget;
  return budget === undefined
    ? takes
    : [...takes, { key: `api_key:${budget.apiKey}`, limit: budget.perMinute, seconds: 60 }];
}

/** Who speaks by a good token: a bad one counts by address, like none, so that nobody uses up another's. */
async function callerOf(c: Context<Env>): Promise<Caller | undefined> {
  const token = /^bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  if (token === undefined) return undefined;
  return await c.var.services.tokens.verify(token, originOf(c.req, c.var)).catch(() => undefined);
}

/** The headers of draft-ietf-httpapi-ratelimit-headers-06, which most clients know; times in seconds. */
function describe(c: Context<Env>, verdict: Verdict, takes: Take[]): void {
  const { limit, remaining, reset_at } = verdict;
  const reset = Math.max(0, Math.ceil((Date.parse(reset_at) - Date.now()) / 1000));
  c.header("ratelimit-limit", String(limit));
  c.header("ratelimit-remaining", String(remaining));
  c.header("ratelimit-reset", String(verdict.allowed ? reset : verdict.retry_after));
  c.header("ratelimit-policy", takes.map((take) => `${take.limit};w=${take.seconds}`).join(", "));
}
