/**
 * Hands a request on to a child of this stack, and its answer back as it comes. Rejects with
 * `TypeError` when the child is gone, with the signal's reason when that was quicker.
 */
export function proxy(
  request: Request,
  port: number,
  path: string,
  signal: AbortSignal = request.signal,
): Promise<Response> {
  const headers = new Headers(request.headers);
  // Compressing between two processes of one machine would only cost time.
  headers.set("accept-encoding", "identity");
  return fetch(`http://127.0.0.1:${port}${path}`, {
    method: request.method,
    headers,
    body: request.body,
    redirect: "manual",
    signal,
  });
}
