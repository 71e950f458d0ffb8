/** Waits, or less where the signal says so. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}

/** Whether something happens within so many milliseconds; nobody waits longer, nor after `signal`. */
export async function inTime(
  happening: Promise<unknown>,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const decided = new AbortController();
  const signals = signal ? [decided.signal, signal] : [decided.signal];
  const late = pause(milliseconds, AbortSignal.any(signals));
  try {
    return await Promise.race([happening.then(() => true), late.then(() => false)]);
  } finally {
    decided.abort();
  }
}
