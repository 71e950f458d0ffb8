import { stripVTControlCharacters } from "node:util";
import { openHome } from "../local/home.ts";
import { StackError } from "../local/part.ts";
import { readSettings, root } from "../local/settings.ts";
import { type StackInfo, startStack } from "../local/stack.ts";
import { print, say, warn } from "../local/terminal.ts";
import { freeOffset } from "./support/ports.ts";

/**
 * Runs the tests (all, or those under the paths given; options go to `deno test`) against one
 * stack: the one named by SUPABASE_URL and its companions, else one of its own on free ports, in a
 * temporary folder that is removed afterwards.
 */
async function main(args: string[], stopped: AbortSignal): Promise<number> {
  if (Deno.env.has("SUPABASE_URL")) return await test(args, {}, stopped);
  const folder = await Deno.makeTempDir({ prefix: "nexus-test-" });
  try {
    return await withStack(folder, (info) => test(args, environment(info), stopped));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function withStack(
  folder: string,
  work: (info: StackInfo) => Promise<number>,
): Promise<number> {
  const options = ["--no-seed", "--port-offset", String(freeOffset())];
  const settings = readSettings(options, { NEXUS_HOME: folder });
  const home = await openHome(folder);
  try {
    const stack = await startStack(settings, (_title, step) => step(), home.log);
    try {
      return await work(stack.info);
    } finally {
      await stack.stop();
    }
  } finally {
    await home.close();
  }
}

function environment(info: StackInfo): Record<string, string> {
  return {
    SUPABASE_URL: info.url,
    SUPABASE_PUBLISHABLE_KEY: info.publishableKey,
    SUPABASE_SECRET_KEY: info.secretKey,
    SUPABASE_DB_URL: info.databaseUrl,
  };
}

async function test(
  args: string[],
  env: Record<string, string>,
  stopped: AbortSignal,
): Promise<number> {
  const colourless = Deno.env.has("CI") || !Deno.stdout.isTerminal();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--quiet", "--no-check", "--parallel", ...args],
    cwd: root,
    env: { ...(colourless && { NO_COLOR: "1" }), ...env },
    stdout: "piped",
    signal: stopped,
  }).spawn();
  const counts = await passOn(child.stdout);
  const { code } = await child.status;
  say(counts ?? `0 passed, ${code === 0 ? 0 : 1} failed`);
  return code;
}

/** Shows the output as it comes, and reads from its last line how many tests passed and failed. */
async function passOn(output: ReadableStream<Uint8Array>): Promise<string | undefined> {
  let end = "";
  const decoder = new TextDecoder();
  for await (const chunk of output) {
    print(chunk);
    end = (end + decoder.decode(chunk, { stream: true })).slice(-4_000);
  }
  const summary = [...stripVTControlCharacters(end).matchAll(/^(?:ok|FAILED) \| (.*)$/gm)].at(-1)
    ?.[1];
  if (summary === undefined) return undefined;
  const count = (what: string) => Number(summary.match(new RegExp(`(\\d+) ${what}`))?.[1] ?? 0);
  const skipped = count("ignored");
  return `${count("passed")} passed, ${count("failed")} failed` +
    (skipped > 0 ? `, ${skipped} skipped` : "");
}

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => stop.abort());
}
try {
  Deno.exit(await main(Deno.args, stop.signal));
} catch (error) {
  warn(error instanceof StackError ? error.message : String((error as Error).stack ?? error));
  Deno.exit(1);
}
