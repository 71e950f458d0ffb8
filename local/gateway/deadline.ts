/**
 * Gives a part `milliseconds` to begin its answer, and tells it by the signal when it is too late
 * or the client has gone: nobody waits for ever, whatever hangs behind.
 */
export async function withDeadline(
  milliseconds: number,
  clientGone: AbortSignal,
  work: (signal: AbortSignal) => Promise<Response>,
): Promise<Response> {
  const late = new AbortController();
  const timeout = Promise.withResolvers<Response>();
  const timer = setTimeout(() => {
    timeout.resolve(
      Response.json({ message: "The upstream server is timing out" }, { status: 504 }),
    );
    late.abort();
  }, milliseconds);
  try {
    return await Promise.race([
      work(AbortSignal.any([clientGone, late.signal])),
      timeout.promise,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
