import { createMiddleware } from "hono/factory";
import { routePath } from "hono/route";
import type { ProblemError } from "../errors/problem.ts";
import { describeSpan, requestSpan, traceOf } from "../tracing.ts";
import type { Env } from "./env.ts";

/**
 * One line, one span and one count a request: what was asked, how it ended, how long it took. The
 * route's pattern stands for the path, which may hold ids of people; bodies, tokens and addresses
 * are never part of it.
 */
export const accessLog = createMiddleware<Env>((c, next) =>
  requestSpan(async () => {
    const started = performance.now();
    c.set("trace", traceOf(c.req.header("traceparent")));
    await next();
    const milliseconds = performance.now() - started;
    const duration = Math.round(milliseconds * 10) / 10;
    const { services, requestId, trace, caller, tenant, problem } = c.var;
    const { method } = c.req;
    const { status } = c.res;
    const route = routePath(c, -1);
    c.res.headers.set("server-timing", `app;dur=${duration}`);
    describeSpan(`${method} ${route}`, {
      "http.route": route,
      "http.response.status_code": status,
      "nexus.request_id": requestId,
    });
    services.metrics.request({ method, route, status, seconds: milliseconds / 1000 });
    services.log("info", "request", {
      request_id: requestId,
      trace_id: trace.traceId,
      ...(tenant && { tenant: tenant.id }),
      ...(caller && { person: caller.personId }),
      method,
      route,
      status,
      duration_ms: duration,
      ...outcome(problem),
    });
  })
);

/** Why a token was refused is told to us alone: the client learns no more than that it was. */
function outcome(problem: ProblemError | undefined) {
  if (!problem) return {};
  const reason = problem.status === 401 && problem.cause instanceof Error
    ? { reason: problem.cause.message }
    : {};
  return { code: problem.code, ...reason };
}
