import { parseArgs } from "node:util";
import { StackError } from "../../local/part.ts";
import { bootstrap } from "../../local/postgres/bootstrap.ts";
import { sharedFolder } from "../../local/postgres/cluster.ts";
import { join } from "../../local/paths.ts";
import { readProjectConfig, root } from "../../local/settings.ts";
import { say, warn } from "../../local/terminal.ts";
import { freeOffset } from "../support/ports.ts";
import { makeProject, supabase } from "../support/supabase_cli.ts";
import { type Chroot, ensureChroot, Unable } from "./chroot.ts";
import { createPrivilegedExtensions } from "./privileged.ts";
import { type RealPostgres, startRealPostgres } from "./server.ts";

/** Tests of the embedded stack's own parts and of code without a database prove nothing new here. */
const elsewhere = ["local", "shared", "support"];

/**
 * `deno task test:extensions [path …]`: the product's tests once more on Debian's PostgreSQL with
 * the real extensions, and those in this folder. The migrations are applied by the Supabase CLI.
 */
async function main(paths: string[], stopped: AbortSignal): Promise<number> {
  const chroot = await ensureChroot(sharedFolder, say);
  const port = readProjectConfig(root, {}).ports.db + freeOffset();
  await using server = await startRealPostgres(chroot, port, () => {});
  const { autoExposeNewTables: autoExpose } = readProjectConfig(root, {}).api;
  await bootstrap(server.superuserUrl, { password: "postgres", autoExpose }, say);
  await createPrivilegedExtensions(server.superuserUrl);
  await push(server);
  return await runTests(paths.length > 0 ? paths : testFolders(), chroot, server, stopped);
}

/** What `supabase db push` does to a project made by hosted Supabase. */
async function push({ port }: RealPostgres): Promise<void> {
  await using project = await makeProject(port);
  const { code, stdout, stderr } = await supabase(project.folder, ["db", "push", "--yes"]);
  if (code !== 0) throw new StackError(`supabase db push failed:\n${stdout}${stderr}`);
}

function testFolders(): string[] {
  return Array.from(Deno.readDirSync(join(root, "tests")))
    .filter(({ name, isDirectory }) => isDirectory && !elsewhere.includes(name))
    .map(({ name }) => join("tests", name))
    .sort();
}

async function runTests(
  paths: string[],
  chroot: Chroot,
  server: RealPostgres,
  signal: AbortSignal,
): Promise<number> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "tests/run.ts", `--db-url=${server.superuserUrl}`, ...paths],
    cwd: root,
    env: {
      NEXUS_TEST_CHROOT: chroot.folder,
      NEXUS_TEST_SUPERUSER_URL: server.superuserUrl,
    },
    signal,
  }).spawn().status;
  return code;
}

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => stop.abort());
}
try {
  const { positionals } = parseArgs({ args: Deno.args, allowPositionals: true });
  Deno.exit(await main(positionals, stop.signal));
} catch (error) {
  if (error instanceof Unable) {
    say(`Skipped the tests on real extensions: ${error.message}.`);
    Deno.exit(0);
  }
  warn(error instanceof StackError ? error.message : String((error as Error).stack ?? error));
  say("0 passed, 1 failed");
  Deno.exit(1);
}
