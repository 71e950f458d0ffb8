import postgres from "postgres";
import { dirname, fromFileUrl, join } from "../paths.ts";
import { type Log, StackError } from "../part.ts";

const folder = join(dirname(fromFileUrl(import.meta.url)), "sql");

/**
 * Brings a server to what hosted Supabase has: the chapters of `sql/`, in one transaction. The
 * digest of the applied chapters is kept as a setting of the database, so that an unchanged one
 * costs a single query and what migrations changed since is left alone.
 */
export async function bootstrap(
  url: string,
  { password, autoExpose }: { password: string; autoExpose: boolean },
  log: Log,
): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice() {}, connect_timeout: 10 });
  try {
    const chapters = await readChapters();
    const digest = await digestOf(chapters);
    await warn(sql, log);
    const [row] = await sql`select current_setting('nexus.bootstrap', true) as applied`;
    if (row?.applied === digest) return;
    await sql.begin(async (sql) => {
      await sql`
        select set_config('nexus.password', ${password}, true),
          set_config('nexus.auto_expose', ${String(autoExpose)}, true)`;
      for (const { name, text } of chapters) await apply(sql, name, text);
      await sql.unsafe(`do $$ begin
        execute format('alter database %I set nexus.bootstrap = ''${digest}''', current_database());
      end $$`);
    });
  } catch (error) {
    throw explain(error, url);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

interface Chapter {
  name: string;
  text: string;
}

async function readChapters(): Promise<Chapter[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const names = entries.map((entry) => entry.name).sort();
  return await Promise.all(
    names.map(async (name) => ({ name, text: await Deno.readTextFile(join(folder, name)) })),
  );
}

async function digestOf(chapters: Chapter[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(chapters));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function apply(sql: postgres.TransactionSql, name: string, text: string): Promise<void> {
  try {
    await sql.unsafe(text).simple();
  } catch (error) {
    if (error instanceof Error) error.message = `${name}: ${error.message}`;
    throw error;
  }
}

/** Says where this server differs from hosted in a way that cannot be mended from inside. */
async function warn(sql: postgres.Sql, log: Log): Promise<void> {
  const [server] = await sql`
    select current_setting('wal_level') as wal_level,
      coalesce((select rolsuper from pg_roles where rolname = 'postgres' and oid = 10), false)
        as postgres_is_first`;
  if (server?.wal_level !== "logical") {
    log(`The server runs with wal_level=${server?.wal_level}: live messages are not delivered.`);
  }
  if (server?.postgres_is_first) {
    log(
      "The server's first superuser is postgres: migrations run with more rights than hosted has.",
    );
  }
}

function explain(error: unknown, url: string): unknown {
  if (!(error instanceof Error) || error instanceof StackError) return error;
  const { host } = new URL(url);
  if (error instanceof postgres.PostgresError) {
    return new StackError(`The database at ${host} could not be prepared: ${error.message}.`);
  }
  return new StackError(`The database at ${host} does not answer: ${error.message}.`);
}
