import { isHeld, readState } from "./home.ts";
import { StackError } from "./part.ts";
import { readSettings } from "./settings.ts";
import type { StackInfo } from "./stack.ts";
import { taskRunner, warn } from "./terminal.ts";

/**
 * Where the project is: as SUPABASE_URL and its companions say, else the stack that runs here.
 * Throws `StackError` when there is neither.
 */
export async function findStack(
  env: Record<string, string> = Deno.env.toObject(),
): Promise<StackInfo> {
  if (env.SUPABASE_URL) {
    return {
      url: env.SUPABASE_URL,
      publishableKey: env.SUPABASE_PUBLISHABLE_KEY ?? "",
      secretKey: env.SUPABASE_SECRET_KEY ?? "",
      databaseUrl: env.SUPABASE_DB_URL ?? "",
    };
  }
  return await runningStack(readSettings([], env).home);
}

/** The stack that runs in `home`; throws `StackError` when there is none, or none yet. */
export async function runningStack(home: string): Promise<StackInfo> {
  const state = await readState(home);
  if (state) return state;
  throw new StackError(
    await isHeld(home)
      ? `Nexus in ${home} is starting or stopping: ask again in a moment.`
      : `Nexus does not run in ${home}. Start it with \`${taskRunner()} start\`.`,
  );
}

/** Runs a command: its own failures are told in one line, others with their trace; the code is 1. */
export async function runCommand(command: () => Promise<void>): Promise<never> {
  try {
    await command();
  } catch (error) {
    const text = error instanceof StackError
      ? error.message
      : String((error as Error).stack ?? error);
    warn(text);
    Deno.exit(1);
  }
  Deno.exit(0);
}
