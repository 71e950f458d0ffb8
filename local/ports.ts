import { StackError } from "./part.ts";
import { pause } from "./process.ts";
import { say } from "./terminal.ts";

interface Wait {
  /** In milliseconds. */
  patience?: number;
  tell?: (line: string) => void;
}

/**
 * Fails with what to do when something listens on `port`, where `what` is to listen. The ports of
 * `config.toml` are also among those that Linux gives to outgoing connections, and a connection
 * keeps its port for a minute after its end: for that there is nothing to do but wait.
 */
export async function requireFreePort(
  port: number,
  what: string,
  { patience = 65_000, tell = say }: Wait = {},
): Promise<void> {
  const deadline = Date.now() + patience;
  for (let told = false; !isFree(port); told = true) {
    if (await accepts(port) || Date.now() > deadline) {
      throw new StackError(
        `Port ${port}, where ${what} should listen, is taken: ` +
          "end what uses it, or start with --port-offset 100.",
      );
    }
    if (!told) tell(`  Port ${port} belongs to a connection that ends: waiting up to a minute`);
    await pause(100);
  }
}

/** Whether one could listen on a port at this moment. */
export function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
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
