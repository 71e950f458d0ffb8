import { isIP } from "node:net";
import type { Keys } from "../keys.ts";
import type { Caller } from "../part.ts";
import { Body } from "./body.ts";

/** One request, as the flows see it. */
export interface Call {
  headers: Headers;
  query: URLSearchParams;
  params: Record<string, string>;
  body: Body;
  /** Where the person sits: limits count by it, sessions and hooks keep it. */
  address: string;
  userAgent: string | null;
}

export async function openCall(
  keys: Keys,
  request: Request,
  caller: Caller,
  params: Record<string, string>,
): Promise<Call> {
  const { headers } = request;
  return {
    headers,
    query: new URL(request.url).searchParams,
    params,
    body: request.method === "GET" ? new Body({}) : await Body.read(request),
    address: forwardedAddress(keys, headers) ?? caller.address,
    userAgent: headers.get("user-agent"),
  };
}

/** `Sb-Forwarded-For`: a server that holds the secret key may say for whom it asks. */
function forwardedAddress(keys: Keys, headers: Headers): string | undefined {
  if (![headers.get("apikey"), bearerOf(headers)].includes(keys.secret)) return undefined;
  const address = headers.get("sb-forwarded-for")?.split(",")[0]?.trim() ?? "";
  return isIP(address) ? address : undefined;
}

export const bearerOf = (headers: Headers): string | undefined =>
  /^[Bb]earer (\S+)$/.exec(headers.get("authorization") ?? "")?.[1];

/** The address as a column of type inet takes it. */
export const inetOf = ({ address }: Call): string | null => isIP(address) ? address : null;
