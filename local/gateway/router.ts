import type { Keys } from "../keys.ts";
import type { Caller, Log, Part } from "../part.ts";
import { apikeyOf, refuseKey } from "./apikey.ts";
import { allowEveryOrigin, isPreflight, preflightAnswer } from "./cors.ts";
import type { Authorize } from "./data_api.ts";
import { withDeadline } from "./deadline.ts";
import { BodyTooLarge, dropHopByHop, forwardedHeaders, limitedBody } from "./forward.ts";
import { type Service, serviceOf } from "./services.ts";

export type Parts = Record<"rest" | "auth" | "realtime" | "functions" | "storage", Part>;

export interface RouterOptions {
  keys: Keys;
  parts: Parts;
  authorizeDataApi: Authorize;
  log: Log;
}

export type Route = (request: Request, caller: Caller, id: string) => Promise<Response>;

/** Takes a request through what hosted's gateway does to it: route, CORS, key, limits, deadline. */
export function createRouter(options: RouterOptions): Route {
  return async (request, caller, id) => {
    const url = new URL(request.url);
    url.pathname = url.pathname.replace(/\/{2,}/g, "/");
    const service = serviceOf(url.pathname);
    if (!service) return finished(unknownPath(), undefined, id);
    // An upgraded connection belongs to the part: neither request nor response may be copied.
    if (service.part === "realtime" && request.headers.has("upgrade")) {
      return await options.parts.realtime.fetch(request, caller);
    }
    if (service.cors && isPreflight(request)) return preflightAnswer(request);
    const response = await answer(options, service, url, request, caller, id);
    return finished(response, service, id);
  };
}

async function answer(
  { keys, parts, authorizeDataApi, log }: RouterOptions,
  service: Service,
  url: URL,
  request: Request,
  caller: Caller,
  id: string,
): Promise<Response> {
  if (service.needsKey(url.pathname)) {
    const refused = refuseKey(keys, request);
    if (refused) return refused;
  }
  const headers = forwardedHeaders(request, caller, id);
  const apikey = apikeyOf(request);
  if (apikey !== undefined) headers.set("apikey", apikey);
  // The services would take it for a filter. (Touching the query rewrites it, so only when needed.)
  if (url.searchParams.has("apikey")) url.searchParams.delete("apikey");
  if (service.part === "rest") {
    const refused = await authorizeDataApi(headers, apikey ?? "");
    if (refused) return refused;
  }
  try {
    return await withDeadline(service.deadline, request.signal, (signal) => {
      const body = limitedBody(request, service.bodyLimit);
      const forwarded = new Request(url, { method: request.method, headers, body, signal });
      return parts[service.part].fetch(forwarded, caller);
    });
  } catch (error) {
    if (isTooLarge(error)) {
      return Response.json({ message: "Request size limit exceeded" }, { status: 413 });
    }
    log(`[gateway] ${id} ${error instanceof Error ? error.stack : error}`);
    return Response.json({ message: "An unexpected error occurred" }, { status: 500 });
  }
}

function isTooLarge(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof BodyTooLarge) return true;
  }
  return false;
}

const unknownPath = (): Response =>
  Response.json({ error: "requested path is invalid" }, { status: 404 });

function finished(response: Response, service: Service | undefined, id: string): Response {
  const headers = new Headers(response.headers);
  dropHopByHop(headers);
  headers.set("sb-request-id", id);
  if (service?.cors) allowEveryOrigin(headers, service.prefix);
  return new Response(response.body, { status: response.status, headers });
}
