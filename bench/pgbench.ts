import { StackError } from "../local/part.ts";

/** How often every question is asked, and how long. */
export interface Options {
  rounds: number;
  seconds: number;
}

/** How pgbench is run: with which script (or its own TPC-B), by how many clients, for how long. */
export interface Run {
  url: string;
  script?: string;
  clients: number;
  seconds: number;
  /** Instead of the seconds: so many calls of each client. */
  calls?: number;
}

/** Runs Debian's pgbench with prepared statements, and returns transactions a second. */
export async function pgbench({ url, script, clients, seconds, calls }: Run): Promise<number> {
  const output = await call([
    ...["--no-vacuum", "--protocol=prepared", "--jobs=2"],
    ...[`--client=${clients}`, calls ? `--transactions=${calls}` : `--time=${seconds}`],
    ...(script ? [`--file=${script}`] : []),
    url,
  ]);
  const [, rate] = /tps = ([\d.]+)/.exec(output) ?? [];
  if (!rate) throw new StackError(`pgbench told no rate:\n${output}`);
  return Number(rate);
}

/** Makes TPC-B's tables in a database of their own. */
export const initialise = (url: string, scale: number): Promise<string> =>
  call(["--initialize", "--quiet", `--scale=${scale}`, url]);

async function call(args: string[]): Promise<string> {
  try {
    const { success, stdout, stderr } = await new Deno.Command("pgbench", { args }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    if (!success) throw new StackError(`pgbench failed:\n${text(stderr).slice(-1_000)}`);
    return text(stdout);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new StackError("pgbench is missing: apt-get install postgresql-contrib");
  }
}
