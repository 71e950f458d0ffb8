import { StackError } from "./part.ts";

/** Fails with what to do when something already listens on `port`, where `what` is to listen. */
export function requireFreePort(port: number, what: string): void {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new StackError(
      `Port ${port}, where ${what} should listen, is taken: ` +
        "end what uses it, or start with --port-offset 100.",
    );
  }
}

/** Whether something accepts connections there: the readiness of most children. */
export async function accepts(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** A port that nothing listens on at this moment. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}
