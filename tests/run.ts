import { stripVTControlCharacters } from "node:util";
import { openHome } from "../local/home.ts";
import { StackError } from "../local/part.ts";
import { join, resolve } from "../local/paths.ts";
import { readSettings, root } from "../local/settings.ts";
import { type StackInfo, startStack } from "../local/stack.ts";
import { print, say, warn } from "../local/terminal.ts";
import { freeOffset } from "./support/ports.ts";

/**
 * Runs the tests (all, or those under the paths given; options go to `deno test`) against one
 * stack: the one named by SUPABASE_URL and its companions, else one of its own on free ports, in a
 * temporary folder that is removed afterwards, with the database of `--db-url=URL` if there is one.
 */
async function main(given: string[], stopped: AbortSignal): Promise<number> {
  const isOurs = (arg: string) => arg.startsWith("--db-url=");
  const args = given.filter((arg) => !isOurs(arg));
  if (Deno.env.has("SUPABASE_URL")) return await test(args, {}, stopped);
  const folder = await Deno.makeTempDir({ prefix: "nexus-test-" });
  const options = given.filter(isOurs);
  try {
    return await withStack(folder, options, (info) => test(args, environment(info), stopped));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function withStack(
  folder: string,
  given: string[],
  work: (info: StackInfo) => Promise<number>,
): Promise<number> {
  const options = ["--no-seed", "--port-offset", String(freeOffset()), ...given];
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

/** Tests in `*_alone_test.ts` harm the stack they share (they kill its backends), so they run last and alone. */
async function test(
  args: string[],
  env: Record<string, string>,
  stopped: AbortSignal,
): Promise<number> {
  const options = args.filter((arg) => arg.startsWith("-"));
  const paths = args.filter((arg) => !arg.startsWith("-"));
  const files = paths.length > 0
    ? testFiles(paths)
    // Those need another database: `deno task test:extensions` runs them.
    : testFiles(["tests"]).filter((file) => !file.startsWith(join(root, "tests", "extensions")));
  const alone = files.filter((file) => file.endsWith("_alone_test.ts"));
  const together = files.filter((file) => !alone.includes(file));
  const runs = [
    await runTests(["--parallel", ...options, ...together], together.length, env, stopped),
    await runTests([...options, ...alone], alone.length, env, stopped),
  ];
  const sum = (what: keyof Counts) => runs.reduce((total, run) => total + run[what], 0);
  const skipped = sum("skipped") > 0 ? `, ${sum("skipped")} skipped` : "";
  say(`${sum("passed")} passed, ${sum("failed")} failed${skipped}`);
  // A mistyped path or filter must not look like success.
  return sum("failed") > 0 || sum("passed") + sum("skipped") === 0 ? 1 : 0;
}

function testFiles(paths: string[]): string[] {
  return paths.flatMap((path) => {
    const full = resolve(root, path);
    if (!Deno.statSync(full).isDirectory) return [full];
    return testFiles(
      Array.from(Deno.readDirSync(full))
        .filter(({ name, isDirectory }) => isDirectory || name.endsWith("_test.ts"))
        .map(({ name }) => join(full, name)),
    );
  }).sort();
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

async function runTests(
  args: string[],
  files: number,
  env: Record<string, string>,
  stopped: AbortSignal,
): Promise<Counts> {
  if (files === 0 || stopped.aborted) return { passed: 0, failed: 0, skipped: 0 };
  const colourless = Deno.env.has("CI") || !Deno.stdout.isTerminal();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--quiet", "--no-check", ...args],
    cwd: root,
    env: { ...(colourless && { NO_COLOR: "1" }), ...env },
    stdout: "piped",
    signal: stopped,
  }).spawn();
  const counts = await passOn(child.stdout);
  const { success } = await child.status;
  // A run that broke before it could count, or failed outside a test, is a failure too.
  return success ? counts : { ...counts, failed: Math.max(counts.failed, 1) };
}

/** Shows the output as it comes, and reads from its last line how many tests passed and failed. */
async function passOn(output: ReadableStream<Uint8Array>): Promise<Counts> {
  let end = "";
  const decoder = new TextDecoder();
  for await (const chunk of output) {
    print(chunk);
    end = (end + decoder.decode(chunk, { stream: true })).slice(-4_000);
  }
  const [, summary = ""] = [
    ...stripVTControlCharacters(end).matchAll(/^(?:ok|FAILED) \| (.*)$/gm),
  ].at(-1) ?? [];
  const count = (what: string) => Number(summary.match(new RegExp(`(\\d+) ${what}`))?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed"), skipped: count("ignored") };
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
