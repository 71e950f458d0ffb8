import postgres from "postgres";
import { join } from "../../local/paths.ts";
import { type Log, StackError } from "../../local/part.ts";
import { freePort } from "../../local/ports.ts";
import type { Chroot } from "./chroot.ts";
import { prove } from "./proof.ts";
import { startRealPostgres } from "./server.ts";

/** What a restored backup was found to hold. */
export interface Verified {
  tables: number;
  rows: number;
  currencies: number;
  trails: number;
}

/**
 * Dumps the database at `url` while it is in use, restores the dump into an empty cluster of the
 * chroot and proves that nothing is missing there: every row of every table, a ledger that adds up
 * and an unbroken audit trail. Throws what is wrong. Nothing is written to the database at `url`.
 */
export async function verifyBackup(chroot: Chroot, url: string, log: Log): Promise<Verified> {
  const folder = await chroot.makeFolder();
  try {
    const backup = { roles: join(folder, "roles.sql"), content: join(folder, "content") };
    const expected = await dump(chroot, url, backup);
    await using server = await startRealPostgres(chroot, freePort(), log, {
      "cron.database_name": restored,
      // A copy does not act: nobody's mail is sent twice.
      "cron.launch_active_jobs": "off",
    });
    return await prove(await restore(chroot, server.superuserUrl, backup), expected);
  } finally {
    await chroot.removeFolder(folder);
  }
}

/** The files of a backup, as the chroot sees them. */
interface Backup {
  roles: string;
  content: string;
}

/** Rows and content of a table: two tables that hold the same agree in both. */
export interface Content {
  rows: number;
  digest: string;
}

/** Writes the dump and returns what every table held at the very moment it shows. */
async function dump(
  chroot: Chroot,
  url: string,
  { roles, content }: Backup,
): Promise<Map<string, Content>> {
  // Passwords are for superusers to read, and are set anew after a restore.
  const onlyRoles = ["--roles-only", "--no-role-passwords", `--file=${roles}`];
  await chroot.onDatabase(url, "pg_dumpall", ...onlyRoles);
  const sql = postgres(url, { max: 1, onnotice() {} });
  try {
    return await sql.begin("isolation level repeatable read read only", async (sql) => {
      const [row] = await sql`select pg_export_snapshot() as snapshot`;
      const options = ["--format=custom", `--file=${content}`, `--snapshot=${row!.snapshot}`];
      await chroot.onDatabase(url, "pg_dump", ...options);
      return await contents(sql);
    });
  } finally {
    await sql.end({ timeout: 5 });
  }
}

const restored = "restored";

/** Restores the roles, then everything else into a database of its own. */
async function restore(
  chroot: Chroot,
  superuserUrl: string,
  { roles, content }: Backup,
): Promise<string> {
  const file = join(chroot.folder, roles);
  const statements = await Deno.readTextFile(file);
  // The one role that an empty cluster has.
  await Deno.writeTextFile(file, statements.replace(/^CREATE ROLE supabase_admin;$/m, ""));
  const psql = ["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1"];
  await chroot.onDatabase(superuserUrl, "psql", ...psql, `--file=${roles}`);
  const create = `create database ${restored} template template0 owner postgres`;
  await chroot.onDatabase(superuserUrl, "psql", ...psql, `--command=${create}`);
  const url = new URL(superuserUrl);
  url.pathname = restored;
  await chroot.onDatabase(url.href, "pg_restore", "--exit-on-error", content);
  return url.href;
}

/** What every table holds that a dump has to carry. */
export async function contents(sql: postgres.ISql): Promise<Map<string, Content>> {
  // Rows are compared as text, which must not depend on who asks.
  await sql`select set_config('search_path', '', true), set_config('timezone', 'UTC', true)`;
  const tables = await sql<{ name: string }[]>`
    select c.oid::regclass::text as name from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and c.relpersistence = 'p'
      and n.nspname !~ '^(pg_|information_schema$|realtime$|net$)'
      and not exists (
        select from pg_depend d
        join pg_extension e on e.oid = d.refobjid
        where d.objid = c.oid and d.deptype = 'e' and not c.oid = any (coalesce(e.extconfig, '{}'))
      )
    order by 1`;
  const found = new Map<string, Content>();
  for (const { name } of tables) {
    const [content] = await sql.unsafe<Content[]>(`
      select count(*)::int as rows, coalesce(sum(hashtextextended(t::text, 0)), 0)::text as digest
      from ${name} t`);
    found.set(name, content!);
  }
  if (found.size === 0) throw new StackError("The database has no tables: nothing to back up.");
  return found;
}
