/**
 * Loaded into a function's process before the function: what hosted's runtime has and Deno has not.
 * `EdgeRuntime.waitUntil` keeps a worker alive until the promise has settled.
 */
const pending = new Set<Promise<unknown>>();
const longestWait = 2_000;

Object.assign(globalThis, {
  EdgeRuntime: {
    waitUntil<T>(promise: Promise<T>): Promise<T> {
      const settled = promise.then(() => {}, report).finally(() => pending.delete(settled));
      pending.add(settled);
      return promise;
    },
  },
});

function report(error: unknown): void {
  const text = `background work failed: ${error instanceof Error ? error.stack : error}\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}

// A worker that is shut down is told by `beforeunload`, and may finish what it said it was doing.
Deno.addSignalListener("SIGTERM", async () => {
  globalThis.dispatchEvent(new Event("beforeunload"));
  await Promise.race([
    Promise.all(pending),
    new Promise((resolve) => setTimeout(resolve, longestWait)),
  ]);
  Deno.exit(0);
});
