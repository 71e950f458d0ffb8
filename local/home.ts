import { type Log, StackError } from "./part.ts";
import { join } from "./paths.ts";
import { pause } from "./process.ts";
import { taskRunner } from "./terminal.ts";

/** What the running stack leaves for `status` and `stop`, and nothing else reads. */
export interface State {
  pid: number;
  url: string;
  publishableKey: string;
  secretKey: string;
  databaseUrl: string;
}

/** The folder of one stack's data, held by one process at a time. */
export interface Home {
  log: Log;
  publish(state: State): Promise<void>;
  /** Forgets the state, closes the log and lets go of the folder. */
  close(): Promise<void>;
}

const kept = new Set(["lock", "keys.json", "nexus.log", "nexus.log.1"]);

/**
 * Makes the folder when it is missing and takes its lock. The lock is the operating system's, on an
 * open file: it is gone with the process, so a lock file left by a killed stack stops nobody.
 */
export async function openHome(folder: string, { reset = false } = {}): Promise<Home> {
  await Deno.mkdir(folder, { recursive: true });
  // Postgres runs as a user of its own where the stack is started by root, and must get through.
  await Deno.chmod(folder, 0o755);
  const lock = await takeLock(folder);
  if (reset) await empty(folder);
  const stateFile = join(folder, "state.json");
  await remove(stateFile);
  const log = await openLog(join(folder, "nexus.log"));
  return {
    log: log.line,
    async publish(state) {
      await Deno.writeTextFile(stateFile, JSON.stringify(state, null, 2), { mode: 0o600 });
    },
    async close() {
      await remove(stateFile);
      log.close();
      lock.close();
    },
  };
}

/** The state of the stack that runs in `folder`, or undefined when none does. */
export async function readState(folder: string): Promise<State | undefined> {
  if (!await isHeld(folder)) return undefined;
  try {
    return JSON.parse(await Deno.readTextFile(join(folder, "state.json")));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The process that holds the folder, be it starting, running or stopping. */
export async function holderOf(folder: string): Promise<number | undefined> {
  return await isHeld(folder) ? Number(await Deno.readTextFile(join(folder, "lock"))) : undefined;
}

/** Whether a process holds the folder. */
export async function isHeld(folder: string): Promise<boolean> {
  try {
    using file = await Deno.open(join(folder, "lock"), { read: true });
    return !await file.tryLock();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function takeLock(folder: string): Promise<Deno.FsFile> {
  const path = join(folder, "lock");
  const file = await Deno.open(path, { create: true, read: true, write: true });
  if (await tryFor(500, () => file.tryLock(true))) {
    await file.truncate();
    await file.write(new TextEncoder().encode(String(Deno.pid)));
    return file;
  }
  const pid = (await Deno.readTextFile(path)).trim();
  file.close();
  throw new StackError(
    `Nexus is already running in ${folder} (process ${pid}). ` +
      `See it with \`${taskRunner()} status\`, end it with \`${taskRunner()} stop\`, ` +
      "or set NEXUS_HOME and NEXUS_PORT_OFFSET for a second one.",
  );
}

// A `status` that looks at the lock in this very moment holds it too, for less than a millisecond.
async function tryFor(milliseconds: number, attempt: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + milliseconds;
  while (!await attempt()) {
    if (Date.now() > deadline) return false;
    await pause(20);
  }
  return true;
}

async function openLog(path: string): Promise<{ line: Log; close(): void }> {
  await Deno.rename(path, `${path}.1`).catch(() => {});
  const file = await Deno.open(path, { create: true, append: true, mode: 0o600 });
  const encoder = new TextEncoder();
  let open = true;
  return {
    line(text) {
      if (open) file.writeSync(encoder.encode(`${new Date().toISOString()} ${text}\n`));
    },
    close() {
      open = false;
      file.close();
    },
  };
}

async function empty(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!kept.has(name)) await remove(join(folder, name));
  }
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
