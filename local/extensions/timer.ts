import { pause } from "../process.ts";

/**
 * Does some work again and again with a pause between, one at a time. A failure is told once, until
 * the work succeeds again: a database that is away would fill the log.
 */
export function everyNowAndThen(
  milliseconds: number,
  work: () => Promise<void>,
  complain: (message: string) => void,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let complained = false;
  const run = async () => {
    while (!stopping.signal.aborted) {
      try {
        await work();
        complained = false;
      } catch (error) {
        if (!complained && !stopping.signal.aborted) complain(String(error));
        complained = true;
      }
      await pause(milliseconds, stopping.signal);
    }
  };
  const done = run();
  return {
    async stop() {
      stopping.abort();
      await done;
    },
  };
}
