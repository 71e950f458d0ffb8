import { StackError } from "../part.ts";

/** The operating-system account that Postgres runs under; empty ids mean "as ourselves". */
export interface Account {
  name: string | undefined;
  ids: { uid?: number; gid?: number };
}

/**
 * Postgres refuses to run as root, so root lends it another account: `postgres` where the system
 * has it, else `nobody`. Everybody else runs it as themselves.
 */
export async function chooseAccount(): Promise<Account> {
  if (Deno.uid() !== 0) return { name: undefined, ids: {} };
  for (const name of ["postgres", "nobody"]) {
    const [uid, gid] = await Promise.all([idOf("-u", name), idOf("-g", name)]);
    if (uid && gid) return { name, ids: { uid, gid } };
  }
  throw new StackError(
    "Postgres does not run as root and this system has neither a user postgres nor nobody: start as an ordinary user.",
  );
}

async function idOf(flag: "-u" | "-g", name: string): Promise<number | undefined> {
  const { success, stdout } = await new Deno.Command("id", {
    args: [flag, name],
    stdout: "piped",
    stderr: "null",
  }).output();
  return success ? Number(new TextDecoder().decode(stdout)) : undefined;
}

/** Why the account cannot run the program at `file`; undefined when it can. */
export async function whyNotRun(account: Account, file: string): Promise<string | undefined> {
  return await attempt(account, file, ["--version"]);
}

/** Whether the account can enter `folder` and write in it. */
export async function canWrite(account: Account, folder: string): Promise<boolean> {
  return await attempt(account, "/bin/sh", ["-c", 'cd "$0" && test -w .', folder]) === undefined;
}

/** Runs a program to its end; what it said or threw when that is not a success. */
async function attempt(
  account: Account,
  program: string,
  args: string[],
): Promise<string | undefined> {
  try {
    const { success, stderr } = await new Deno.Command(program, {
      args,
      ...account.ids,
      cwd: "/",
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    return success ? undefined : new TextDecoder().decode(stderr).trim();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
