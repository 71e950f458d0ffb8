import { join } from "../../local/paths.ts";
import { type Log, StackError } from "../../local/part.ts";

const suite = "trixie";
const packages = [
  "postgresql-17",
  "postgresql-17-cron",
  "postgresql-17-pgtap",
  "postgresql-17-pgvector",
  "postgresql-17-plpgsql-check",
  "libtap-parser-sourcehandler-pgtap-perl",
];

/** This machine cannot make the chroot, for a reason that is no fault of ours. */
export class Unable extends Error {}

/** A Debian 13 in a folder, with PostgreSQL 17 and its extensions installed. */
export class Chroot {
  constructor(readonly folder: string) {}

  /** How to run a program inside, as its user postgres. `chroot` becomes that program. */
  command(program: string, args: string[], env: Record<string, string> = {}) {
    return {
      program: "chroot",
      args: ["--userspec=postgres:postgres", this.folder, program, ...args],
      cwd: "/",
      env: { LC_ALL: "C.UTF-8", PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...env },
      clearEnv: true,
    };
  }

  /** Runs a program inside to its end and returns what it printed; throws what it complained of. */
  async run(program: string, args: string[], env?: Record<string, string>): Promise<string> {
    const { program: chroot, ...options } = this.command(program, args, env);
    return await output(chroot, options);
  }

  /** Runs a client program of PostgreSQL on the database at `url`; its password stays off the command line. */
  async onDatabase(url: string, program: string, ...args: string[]): Promise<string> {
    const { href, password } = withoutPassword(url);
    return await this.run(program, ["--dbname", href, ...args], { PGPASSWORD: password });
  }

  /** A new folder that belongs to its user postgres, named as it is seen from inside. */
  async makeFolder(): Promise<string> {
    const inside = `/srv/${crypto.randomUUID()}`;
    await output("chroot", { args: [this.folder, "install", "-d", "-o", "postgres", inside] });
    return inside;
  }

  async removeFolder(inside: string): Promise<void> {
    await Deno.remove(join(this.folder, inside), { recursive: true });
  }
}

/**
 * The chroot of this machine, made the first time (about a minute) and found again as long as the
 * list of packages is the same. Throws `Unable` where it cannot be made.
 */
export async function ensureChroot(parent: string, log: Log): Promise<Chroot> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) throw new Unable("it takes root on Debian");
  const folder = join(parent, `${suite}-${await digest(packages.join())}`);
  if (await exists(folder)) {
    await sweep(join(folder, "srv"));
    return new Chroot(folder);
  }
  log(`Making Debian ${suite} with PostgreSQL 17 in ${folder}, once`);
  await requireDebootstrap();
  const mirror = await findMirror();
  await Deno.mkdir(parent, { recursive: true, mode: 0o755 });
  const half = await Deno.makeTempDir({ dir: parent, prefix: ".chroot-" });
  try {
    await Deno.chmod(half, 0o755);
    await install(half, mirror);
    // Somebody else may have made the same one meanwhile.
    await Deno.rename(half, folder).catch(async (error) => {
      if (!await exists(folder)) throw error;
    });
  } catch (error) {
    if (await isReachable(mirror)) throw error;
    throw new Unable(`${mirror} does not answer`);
  } finally {
    await Deno.remove(half, { recursive: true }).catch(ignoreMissing);
  }
  return new Chroot(folder);
}

/** Removes what killed runs left behind: none takes a day. */
async function sweep(folder: string): Promise<void> {
  const yesterday = Date.now() - 24 * 60 * 60 * 1000;
  for await (const { name } of Deno.readDir(folder)) {
    const path = join(folder, name);
    // A run that ends now takes its folder away itself.
    const found = await Deno.stat(path).catch(ignoreMissing);
    if (found?.mtime && found.mtime.getTime() < yesterday) {
      await Deno.remove(path, { recursive: true });
    }
  }
}

function withoutPassword(url: string): { href: string; password: string } {
  const parsed = new URL(url);
  const password = decodeURIComponent(parsed.password);
  parsed.password = "";
  return { href: parsed.href, password };
}

async function requireDebootstrap(): Promise<void> {
  if (await succeeds("debootstrap", "--version")) return;
  if (!await exists("/etc/debian_version")) throw new Unable("it takes root on Debian");
  const got = await succeeds("apt-get", "update", "--quiet") &&
    await succeeds("apt-get", "install", "--yes", "--no-install-recommends", "debootstrap");
  if (!got) throw new Unable("debootstrap is not installed and cannot be");
}

/** Where this machine takes its own Debian from, whatever release it is. */
async function findMirror(): Promise<string> {
  // apt tells of a source only once it has read its lists.
  const mirror = await listedMirror() ??
    (await succeeds("apt-get", "update", "--quiet") ? await listedMirror() : undefined);
  if (mirror === undefined) throw new Unable("apt knows no mirror of Debian");
  return mirror;
}

async function listedMirror(): Promise<string | undefined> {
  const sources = await output("apt-get", {
    args: ["indextargets", "--format", "$(REPO_URI)", "Identifier: Packages"],
  });
  return sources.split("\n").find((uri) => /\/debian\/?$/.test(uri))?.replace(/\/$/, "");
}

async function install(folder: string, mirror: string): Promise<void> {
  await output("debootstrap", { args: ["--variant=minbase", suite, folder, mirror] });
  // No service is started inside, and no cluster made: each run makes its own.
  const policy = join(folder, "usr/sbin/policy-rc.d");
  await Deno.writeTextFile(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  const settings = join(folder, "etc/postgresql-common");
  await Deno.mkdir(settings, { recursive: true });
  await Deno.writeTextFile(join(settings, "createcluster.conf"), "create_main_cluster = false\n");
  await output("chroot", {
    args: [folder, "apt-get", "install", "--yes", "--no-install-recommends", ...packages],
    env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" },
  });
  await output("chroot", { args: [folder, "apt-get", "clean"] });
}

async function isReachable(mirror: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(10_000);
    const response = await fetch(`${mirror}/dists/${suite}/InRelease`, { signal });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

async function output(program: string, options: Deno.CommandOptions): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    ...options,
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (success) return text;
  const said = `${text}\n${new TextDecoder().decode(stderr)}`.trim().split("\n").slice(-20);
  throw new StackError(`${program} ${options.args?.join(" ")} failed:\n${said.join("\n")}`);
}

const succeeds = (program: string, ...args: string[]): Promise<boolean> =>
  output(program, { args }).then(() => true, () => false);

const exists = (path: string): Promise<boolean> => Deno.lstat(path).then(() => true, () => false);

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(bytes).slice(0, 6).toHex();
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
