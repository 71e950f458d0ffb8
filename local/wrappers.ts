import { pause } from "./process.ts";

interface Ancestor {
  pid: number;
  parent: number;
  /** When it began: the same number may belong to another program later. */
  began: string;
  command: string;
}

/**
 * Calls back when a program that only wraps this one has ended: `deno task`, or npm's `npx` and its
 * shell. npm does not hand a signal on to what its shell runs, so without this a stack whose
 * `npx … task start` was killed would go on for ever. (Where there is no /proc, it does.)
 */
export async function onWrapperEnd(callback: () => void, stopped: AbortSignal): Promise<void> {
  const wrappers = wrappersAmong(await ancestors(Deno.ppid));
  while (wrappers.length > 0 && !stopped.aborted) {
    for (const { pid, began } of wrappers) {
      if ((await read(pid))?.began !== began) return callback();
    }
    await pause(500, stopped);
  }
}

/**
 * Of a chain of ancestors, nearest first, those that are there for this program alone. A shell is
 * one only between npm and the task: that of a person or a script may end and leave the stack.
 */
export function wrappersAmong<T extends { command: string }>(chain: T[]): T[] {
  const task = /^(\S*\/)?deno task /.test(chain[0]?.command ?? "") ? 1 : 0;
  const shell = /^(\S*\/)?sh -c /.test(chain[task]?.command ?? "") ? 1 : 0;
  const npm = /^(npm|npx) /.test(chain[task + shell]?.command ?? "");
  return chain.slice(0, npm ? task + shell + 1 : task);
}

async function ancestors(pid: number): Promise<Ancestor[]> {
  const chain: Ancestor[] = [];
  for (let next = await read(pid); next && chain.length < 3; next = await read(next.parent)) {
    chain.push(next);
  }
  return chain;
}

async function read(pid: number): Promise<Ancestor | undefined> {
  try {
    const [status, command] = await Promise.all([
      Deno.readTextFile(`/proc/${pid}/stat`),
      Deno.readTextFile(`/proc/${pid}/cmdline`),
    ]);
    // The second field is the program's name in brackets, with whatever that may contain.
    const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
    // A program that has ended but was not asked for its exit code is still listed, as Z.
    if (fields[0] === "Z") return undefined;
    return {
      pid,
      parent: Number(fields[1]),
      began: fields[19]!,
      command: command.replaceAll("\0", " "),
    };
  } catch {
    return undefined;
  }
}
