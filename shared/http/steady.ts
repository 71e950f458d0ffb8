/** Settles like `work`, but not before so many milliseconds: what the time told is no longer there. */
export async function noSooner<T>(milliseconds: number, work: () => Promise<T>): Promise<T> {
  const [outcome] = await Promise.allSettled([work(), pause(milliseconds)]);
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}

/** As `noSooner` where `work` fails; what succeeds does so at once. */
export async function refuseNoSooner<T>(milliseconds: number, work: () => Promise<T>): Promise<T> {
  const over = performance.now() + milliseconds;
  try {
    return await work();
  } catch (error) {
    await pause(over - performance.now());
    throw error;
  }
}

const pause = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));
