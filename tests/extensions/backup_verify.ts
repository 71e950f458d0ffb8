import { readState } from "../../local/home.ts";
import { StackError } from "../../local/part.ts";
import { sharedFolder } from "../../local/postgres/cluster.ts";
import { readSettings } from "../../local/settings.ts";
import { say, warn } from "../../local/terminal.ts";
import { verifyBackup } from "./backup.ts";
import { ensureChroot, Unable } from "./chroot.ts";

/**
 * `deno task backup:verify`: backs up the database of SUPABASE_DB_URL, or of the running stack, and
 * proves that the backup can be restored.
 */
async function main(): Promise<void> {
  const url = Deno.env.get("SUPABASE_DB_URL") ??
    (await readState(readSettings().home))?.databaseUrl;
  if (!url) {
    throw new StackError("Nothing to back up: start the stack, or set SUPABASE_DB_URL.");
  }
  const chroot = await ensureChroot(sharedFolder, say);
  const { tables, rows, currencies, trails } = await verifyBackup(chroot, url, () => {});
  say(
    `Restored and equal: ${rows} rows in ${tables} tables. ` +
      `${currencies} currencies add up to zero, ${trails} audit trails are whole.`,
  );
}

try {
  await main();
} catch (error) {
  if (error instanceof Unable) warn(`The backup was not verified: ${error.message}.`);
  else warn(error instanceof StackError ? error.message : String((error as Error).stack ?? error));
  Deno.exit(1);
}
