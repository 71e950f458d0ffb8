import { join } from "../paths.ts";
import { type Log, StackError } from "../part.ts";
import { type Account, canWrite } from "./account.ts";
import type { Binaries } from "./binaries.ts";

/** Where root keeps what another account must reach although the project's folder is closed to it. */
export const sharedFolder = "/var/lib/nexus";

/** The superuser of the cluster, as on hosted Supabase: `postgres` is an ordinary role there. */
export const superuser = "supabase_admin";

/**
 * The folder of the data folder: `home`, or one named after `home` under `sharedFolder` when the
 * account cannot enter `home` (a checkout under a 0700 folder run by root).
 */
export async function placeFor(home: string, account: Account, log: Log): Promise<string> {
  await Deno.mkdir(home, { recursive: true, mode: 0o755 });
  const inside = await ownFolder(join(home, "postgres"), account);
  if (await canWrite(account, inside)) return inside;
  const place = join(sharedFolder, await hash(home));
  await Deno.mkdir(sharedFolder, { recursive: true, mode: 0o755 });
  const outside = await ownFolder(place, account);
  if (!await canWrite(account, outside)) {
    throw new StackError(
      `The user ${
        account.name ?? "running this"
      } can write neither in ${inside} nor in ${outside}: ` +
        "set NEXUS_HOME to a folder it can reach.",
    );
  }
  log(`The user ${account.name} cannot reach ${home}: the database is kept in ${outside}.`);
  return outside;
}

async function ownFolder(folder: string, account: Account): Promise<string> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o755 });
  if (account.ids.uid !== undefined) await Deno.chown(folder, account.ids.uid, account.ids.gid!);
  return folder;
}

async function hash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest).slice(0, 8)]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Where the data lies under `place`. */
export const dataFolder = (place: string): string => join(place, "data");

/** Forgets all data under `place`. */
export async function removeCluster(place: string): Promise<void> {
  await Deno.remove(dataFolder(place), { recursive: true }).catch(ignoreMissing);
}

/**
 * Returns the data folder under `place`, made by initdb where there is none. It is made under
 * another name and renamed when whole: what a killed initdb left behind is never started.
 */
export async function ensureCluster(
  binaries: Binaries,
  account: Account,
  place: string,
  password: string,
): Promise<string> {
  const data = dataFolder(place);
  const half = join(place, "data.half");
  await Deno.remove(half, { recursive: true }).catch(ignoreMissing);
  if (await checkCluster(data, binaries)) return data;
  const passwordFile = join(place, "password");
  await Deno.writeTextFile(passwordFile, password, { mode: 0o600 });
  try {
    if (account.ids.uid !== undefined) {
      await Deno.chown(passwordFile, account.ids.uid, account.ids.gid!);
    }
    await initdb(binaries, account, place, half, passwordFile);
  } finally {
    await Deno.remove(passwordFile);
  }
  await Deno.rename(half, data);
  return data;
}

/** True for a cluster we can start, false for none; anything else is told to the person. */
async function checkCluster(data: string, binaries: Binaries): Promise<boolean> {
  const entries = await Array.fromAsync(Deno.readDir(data)).catch(ignoreMissing) ?? [];
  if (entries.length === 0) {
    await Deno.remove(data).catch(ignoreMissing);
    return false;
  }
  const found = await Deno.readTextFile(join(data, "PG_VERSION")).catch(ignoreMissing);
  const whole = entries.some((entry) => entry.name === "global") &&
    await Deno.stat(join(data, "global", "pg_control")).catch(ignoreMissing);
  if (!found || !whole) {
    throw new StackError(
      `The data folder ${data} is not a whole database: start with --reset to make a new one.`,
    );
  }
  const [major] = binaries.version.split(".");
  if (found.trim() !== major) {
    throw new StackError(
      `The data folder ${data} is of PostgreSQL ${found.trim()}, and this is ${major}: ` +
        "start with --reset to make a new one.",
    );
  }
  return true;
}

async function initdb(
  binaries: Binaries,
  account: Account,
  place: string,
  data: string,
  passwordFile: string,
): Promise<void> {
  const { success, stderr } = await new Deno.Command(join(binaries.folder, "bin", "initdb"), {
    args: [
      `--pgdata=${data}`,
      `--username=${superuser}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      // Text sorts as on hosted, which is not the order of the C locale.
      "--locale-provider=icu",
      "--icu-locale=en-US",
      "--locale=C",
    ],
    ...account.ids,
    cwd: place,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    const said = new TextDecoder().decode(stderr).trim().split("\n");
    throw new StackError(`initdb could not make ${data}: ${said.at(0)}`);
  }
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
