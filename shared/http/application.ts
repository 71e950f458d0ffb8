import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { problemAnswer, ProblemError } from "../errors/problem.ts";
import { describeError } from "../log.ts";
import type { Services } from "../services.ts";
import { accessLog } from "./access_log.ts";
import { declaredBy } from "./declared.ts";
import type { Env } from "./env.ts";
import { isForm } from "./forms.ts";
import { limits } from "./limits.ts";
import { pagePolicy } from "./page.ts";
import { router } from "./router.ts";

/** Headers that browser apps send, beyond those that need no permission. */
const sentHeaders = [
  "authorization",
  "apikey",
  "content-type",
  "idempotency-key",
  "if-match",
  "if-none-match",
  "nexus-tenant",
  "x-client-info",
  "x-region",
  "x-request-id",
  "x-retry-count",
  "x-supabase-api-version",
  "traceparent",
  "tracestate",
  "baggage",
];

/** Headers of answers that browser apps may read. */
const readHeaders = [
  "etag",
  "location",
  "ratelimit-limit",
  "ratelimit-policy",
  "ratelimit-remaining",
  "ratelimit-reset",
  "retry-after",
  "x-request-id",
];

/**
 * The one place where a function's application is put together: every answer carries a request id
 * and the security headers, every failure leaves as problem+json, every request is one log line.
 */
export function application(services: Services): OpenAPIHono<Env> {
  const { http, local } = services.config;
  const app = router();
  app.use(async (c, next) => {
    c.set("services", services);
    await next();
  });
  app.use(requestId({ limitLength: 64 }));
  app.use(accessLog);
  app.use(pages);
  app.use(secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
    strictTransportSecurity: local ? false : "max-age=63072000; includeSubDomains",
    xFrameOptions: "DENY",
  }));
  app.use(notCached);
  app.use(cors({
    origin: [...http.origins],
    allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    allowHeaders: sentHeaders,
    exposeHeaders: readHeaders,
    maxAge: 3600,
  }));
  if (!local) app.use(encrypted);
  app.use(limits(http));
  app.use(methodNotAllowed({ app, onMethodNotAllowed }));
  app.use((c, next) => {
    const form = isForm(c);
    const limits = declaredBy(c).map((d) =>
      Math.max(d.bodyLimit ?? 0, form ? d.formLimit ?? 0 : 0)
    );
    const maxSize = Math.max(http.bodyLimit, ...limits);
    return bodyLimit({ maxSize, onError: refuseBody })(c, next);
  });
  app.notFound((c) => answer(c, new ProblemError("request.not_found")));
  app.onError((error, c) => answer(c, problemOf(error)));
  return app;
}

/** Around the headers of everything else: what routes with a page may do besides. */
async function pages(c: Context<Env>, next: () => Promise<void>) {
  await next();
  if (declaredBy(c).some(({ page }) => page)) {
    c.res.headers.set("content-security-policy", pagePolicy);
  }
}

/** Answers are personal unless a route says otherwise. */
async function notCached(c: Context<Env>, next: () => Promise<void>) {
  await next();
  if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
}

/** A redirect would come too late: what had to stay secret was on its way already. */
async function encrypted(c: Context<Env>, next: () => Promise<void>) {
  if (c.req.header("x-forwarded-proto")?.split(",")[0]?.trim() === "http") {
    throw new ProblemError("request.https_required");
  }
  await next();
}

function onMethodNotAllowed(c: Context, methods: string[]): Response {
  const response = answer(c, new ProblemError("request.method_not_allowed"));
  response.headers.set("allow", methods.join(", "));
  return response;
}

function refuseBody(): never {
  throw new ProblemError("request.too_large");
}

/** Everything that is not a problem already: what Hono refuses on its own, and the unforeseen. */
function problemOf(error: Error): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof HTTPException && error.status === 415) {
    return new ProblemError("request.unsupported_media_type");
  }
  if (error instanceof HTTPException && error.status < 500) {
    return new ProblemError("request.invalid", { detail: error.message });
  }
  return new ProblemError("internal", { cause: error });
}

function answer(c: Context<Env>, problem: ProblemError): Response {
  const { body, status, headers } = problemAnswer(problem);
  const { requestId, services } = c.var;
  if (status >= 500) {
    services.log(status === 500 ? "error" : "warn", problem.code, {
      request_id: requestId,
      ...describeError(problem.cause ?? problem),
    });
  }
  c.set("problem", problem);
  return c.json({ ...body, request_id: requestId }, status, headers);
}
