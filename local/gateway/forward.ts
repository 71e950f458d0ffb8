import type { Caller } from "../part.ts";

const hopByHop = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** The headers a service sees: the client's own, and who asks by which door as hosted tells it. */
export function forwardedHeaders(request: Request, caller: Caller, id: string): Headers {
  const headers = new Headers(request.headers);
  dropHopByHop(headers);
  const { host, port, protocol } = new URL(request.url);
  headers.set("x-forwarded-for", caller.address);
  headers.set("x-real-ip", caller.address);
  headers.set("cf-connecting-ip", caller.address);
  headers.set("x-forwarded-host", host);
  headers.set("x-forwarded-port", port);
  headers.set("x-forwarded-proto", protocol.slice(0, -1));
  headers.set("sb-request-id", id);
  if (!headers.has("x-request-id")) headers.set("x-request-id", id);
  return headers;
}

export function dropHopByHop(headers: Headers): void {
  const named = headers.get("connection")?.split(",") ?? [];
  for (const name of [...hopByHop, ...named.map((name) => name.trim())]) {
    if (name) headers.delete(name);
  }
}

/** A body longer than the service takes. */
export class BodyTooLarge extends Error {}

/** The request's body; reading it fails with `BodyTooLarge` once it is longer than `limit` bytes. */
export function limitedBody(request: Request, limit: number): ReadableStream<Uint8Array> | null {
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw new BodyTooLarge();
  // A body of declared length cannot grow: the server reads no more of it than was declared.
  if (request.body === null || request.headers.has("content-length")) return request.body;
  let length = 0;
  return request.body.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        length += chunk.byteLength;
        if (length > limit) controller.error(new BodyTooLarge());
        else controller.enqueue(chunk);
      },
    }),
  );
}
