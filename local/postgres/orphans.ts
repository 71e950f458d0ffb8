import { join } from "../paths.ts";
import { type Log, StackError } from "../part.ts";
import { pause } from "../process.ts";

/**
 * Ends what a killed stack left running on `data`: a postmaster, or the backends of one that was
 * killed itself. Nobody else can be meant, the caller holds the lock of the home.
 */
export async function stopOrphans(data: string, log: Log): Promise<void> {
  const postmaster = await postmasterOf(data);
  if (postmaster !== undefined) {
    log(`An earlier Postgres (process ${postmaster}) still runs on ${data} and is stopped.`);
    send(postmaster, "SIGINT");
    await until(async () => await postmasterOf(data) === undefined, 10_000);
  }
  endBackends(data);
  if (!await until(() => processesIn(data).length === 0, 5_000)) {
    throw new StackError(`An earlier Postgres on ${data} does not end: end its processes first.`);
  }
  await forgetKilled(data);
}

/**
 * A postmaster that was killed stays a zombie where nobody reaps it, as in containers without an
 * init, and Postgres takes the process its pid file names for a living one. None is at work here.
 */
async function forgetKilled(data: string): Promise<void> {
  if (Deno.build.os !== "linux") return;
  await Deno.remove(join(data, "postmaster.pid")).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/**
 * Ends the backends that outlived their postmaster: they can only finish what nobody waits for, and
 * keep a new postmaster out until then.
 */
export function endBackends(data: string): void {
  for (const pid of processesIn(data)) send(pid, "SIGKILL");
}

/** The process named by the pid file, if it is really at work on `data` and not a later namesake. */
async function postmasterOf(data: string): Promise<number | undefined> {
  const text = await Deno.readTextFile(join(data, "postmaster.pid")).catch(() => "");
  const pid = Number(text.split("\n")[0]);
  if (!pid) return undefined;
  const there = Deno.build.os === "linux"
    ? processesIn(data).includes(pid)
    : (await commandOf(pid)).includes(data);
  return there ? pid : undefined;
}

/** Every process of a cluster works in its data folder. Known on Linux only, from /proc. */
function processesIn(data: string): number[] {
  if (Deno.build.os !== "linux") return [];
  return [...Deno.readDirSync("/proc")]
    .map(({ name }) => Number(name))
    .filter((pid) => pid > 0 && pid !== Deno.pid && worksIn(pid, data));
}

function worksIn(pid: number, data: string): boolean {
  try {
    const folder = Deno.readLinkSync(`/proc/${pid}/cwd`);
    // A reset may have removed the folder under it.
    return folder === data || folder === `${data} (deleted)`;
  } catch {
    return false;
  }
}

async function commandOf(pid: number): Promise<string> {
  const { stdout } = await new Deno.Command("ps", {
    args: ["-p", String(pid), "-o", "args="],
    stdout: "piped",
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

function send(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function until(done: () => boolean | Promise<boolean>, timeout: number): Promise<boolean> {
  const deadline = Date.now() + timeout;
  while (!await done()) {
    if (Date.now() > deadline) return false;
    await pause(50);
  }
  return true;
}
