/** Every living process below `pid`, children of children included. */
export async function descendants(pid: number): Promise<number[]> {
  const children = Map.groupBy(await living(), ({ parent }) => parent);
  const below = (parent: number): number[] =>
    (children.get(parent) ?? []).flatMap(({ pid }) => [pid, ...below(pid)]);
  return below(pid);
}

export async function livingOf(pids: number[]): Promise<number[]> {
  const all = new Set((await living()).map(({ pid }) => pid));
  return pids.filter((pid) => all.has(pid));
}

/** The memory of these processes in MB, what they share counted once (PSS). */
export async function memoryOf(pids: number[]): Promise<number> {
  const kilobytes = await Promise.all(pids.map(async (pid) => {
    const rollup = await Deno.readTextFile(`/proc/${pid}/smaps_rollup`).catch(() => "");
    return Number(rollup.match(/^Pss:\s+(\d+)/m)?.[1] ?? 0);
  }));
  return Math.round(kilobytes.reduce((sum, value) => sum + value, 0) / 1024);
}

async function living(): Promise<{ pid: number; parent: number }[]> {
  const all = await Array.fromAsync(Deno.readDir("/proc"), async ({ name }) => {
    const status = /^\d+$/.test(name)
      ? await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "")
      : "";
    // The second field is the program's name in brackets, with whatever that may contain.
    const [state, parent] = status.slice(status.lastIndexOf(")") + 2).split(" ");
    return { pid: Number(name), parent: Number(parent), state };
  });
  // A zombie has ended: only its parent has not asked for its exit code yet.
  return all.filter(({ state }) => state && state !== "Z");
}
