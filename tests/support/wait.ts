/**
 * Asks until the answer is truthy and returns it; fails when that takes longer than `timeout`
 * milliseconds, with the last error the question itself threw, if any.
 */
export async function until<T>(
  ask: () => T | Promise<T>,
  { timeout = 20_000, every = 20, message = "" } = {},
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeout;
  let cause: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer) return answer;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > deadline) {
      const what = message || ask.toString();
      throw new Error(`still waiting after ${timeout} ms for: ${what}`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
