import { type Home, openHome } from "./home.ts";
import { StackError } from "./part.ts";
import { readSettings, type Settings } from "./settings.ts";
import { type Stack, startStack, type Step } from "./stack.ts";
import { say, warn } from "./terminal.ts";
import { welcome } from "./welcome.ts";
import { onWrapperEnd } from "./wrappers.ts";

const stopWithin = 9_000;

/** `deno task start`: runs the stack until Ctrl-C or SIGTERM. Answers the exit code. */
async function main(): Promise<number> {
  const stopped = stopSignal();
  let settings: Settings | undefined;
  let home: Home | undefined;
  let stack: Stack | undefined;
  try {
    settings = readSettings(Deno.args);
    home = await openHome(settings.home, settings);
    say("Starting Nexus");
    stack = await startStack(settings, timed(stopped), home.log);
    await home.publish({ pid: Deno.pid, ...stack.info });
    say(welcome(stack.info, settings));
    await aborted(stopped);
    say("\nStopping");
    await stack.stop();
    return 0;
  } catch (error) {
    // What fails because it was asked to stop while starting has not failed.
    if (stopped.aborted && !stack) return 0;
    home?.log(`[start] ${error instanceof Error ? error.stack : error}`);
    warn(explanation(error, settings));
    return 1;
  } finally {
    await home?.close();
  }
}

/**
 * Aborted by the first signal, or when the program around this one was killed. A second Ctrl-C ends
 * the process at once, and so does the clock when something hangs: the watchdogs then end its
 * children.
 */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  let began = 0;
  const stop = () => {
    if (controller.signal.aborted) {
      // One Ctrl-C may come twice: from the terminal and through `deno task`.
      if (Date.now() - began > 500) Deno.exit(1);
      return;
    }
    began = Date.now();
    Deno.unrefTimer(setTimeout(() => Deno.exit(1), stopWithin));
    controller.abort();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(name, stop);
  onWrapperEnd(stop, controller.signal);
  return controller.signal;
}

/** Prints each step with the time it took; a stop asked for meanwhile takes effect between steps. */
function timed(stopped: AbortSignal): Step {
  return async (title, work) => {
    stopped.throwIfAborted();
    const began = performance.now();
    const result = await work();
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    say(`  ${title.padEnd(16)}${seconds.padStart(5)} s`);
    return result;
  };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
  });

function explanation(error: unknown, settings: Settings | undefined): string {
  if (error instanceof StackError) return error.message;
  const message = error instanceof Error ? error.message : String(error);
  const more = settings ? ` More is in ${settings.home}/nexus.log.` : "";
  return `Nexus could not start: ${message}.${more}`;
}

Deno.exit(await main());
