import type { Caller } from "../part.ts";

/** One line of the access log. Keys and tokens travel in query strings, so only harmless ones show. */
export function accessLine(
  request: Request,
  response: Response,
  caller: Caller,
  id: string,
  milliseconds: number,
): string {
  const { pathname, searchParams } = new URL(request.url);
  const shown = pathname.startsWith("/rest/v1/") ? withoutKey(searchParams) : masked(searchParams);
  const query = shown.length > 0 ? `?${shown.join("&")}` : "";
  const took = `${milliseconds.toFixed(1)}ms`;
  return `${caller.address} ${request.method} ${pathname}${query} ${response.status} ${took} ${id}`;
}

const withoutKey = (query: URLSearchParams): string[] =>
  [...query].map(([name, value]) => name === "apikey" ? "apikey=***" : `${name}=${value}`);

const masked = (query: URLSearchParams): string[] => [...query.keys()].map((name) => `${name}=***`);
