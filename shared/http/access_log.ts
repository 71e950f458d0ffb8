import { createMiddleware } from "hono/factory";
import { routePath } from "hono/route";
import type { ProblemError } from "../errors/problem.ts";
import type { Env } from "./env.ts";

/**
 * One line a request: what was asked, how it ended, how long it took. The route's pattern stands for
 * the path, which may hold ids of people; bodies, tokens and addresses are never part of it.
 */
export const accessLog = createMiddleware<Env>(async (c, next) => {
  const started = performance.now();
  await next();
  const duration = Math.round((performance.now() - started) * 10) / 10;
  c.res.headers.set("server-timing", `app;dur=${duration}`);
  c.var.services.log("info", "request", {
    request_id: c.var.requestId,
    method: c.req.method,
    route: routePath(c, -1),
    status: c.res.status,
    duration_ms: duration,
    ...outcome(c.var.problem),
  });
});

/** Why a token was refused is told to us alone: the client learns no more than that it was. */
function outcome(problem: ProblemError | undefined) {
  if (!problem) return {};
  const reason = problem.status === 401 && problem.cause instanceof Error
    ? { reason: problem.cause.message }
    : {};
  return { code: problem.code, ...reason };
}
