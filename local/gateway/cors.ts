const exposed: Record<string, string> = {
  "/rest/v1": "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, " +
    "Server, Transfer-Encoding, Range-Unit",
  "/auth/v1": "X-Total-Count, Link, X-Supabase-Api-Version",
};

export const isPreflight = (request: Request): boolean =>
  request.method === "OPTIONS" && request.headers.has("origin") &&
  request.headers.has("access-control-request-method");

/** Hosted's gateway answers preflights itself: every origin, every method, the headers asked for. */
export function preflightAnswer(request: Request): Response {
  const headers = new Headers({
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT",
    "access-control-max-age": "3600",
  });
  const asked = request.headers.get("access-control-request-headers");
  if (asked) headers.set("access-control-allow-headers", asked);
  return new Response(null, { status: 200, headers });
}

/** Lets pages of every origin read the answer, and the headers the service's clients need. */
export function allowEveryOrigin(headers: Headers, prefix: string): void {
  headers.set("access-control-allow-origin", "*");
  const names = exposed[prefix];
  if (names && !headers.has("access-control-expose-headers")) {
    headers.set("access-control-expose-headers", names);
  }
}
