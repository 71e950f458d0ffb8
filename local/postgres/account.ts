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

/** Whether the account can run a program that lies at `file` (every folder above it included). */
export async function canRun(account: Account, file: string): Promise<boolean> {
  return await succeeds(account, file, ["--version"]);
}

/** Whether the account can enter `folder` and write in it. */
export async function canWrite(account: Account, folder: string): Promise<boolean> {
  return await succeeds(account, "/bin/sh", ["-c", 'cd "$0" && test -w .', folder]);
}

async function succeeds(account: Account, program: string, args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, {
      args,
      ...account.ids,
      cwd: "/",
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}
