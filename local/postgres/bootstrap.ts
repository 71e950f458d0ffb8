import postgres from "postgres";
import { dirname, fromFileUrl, join } from "../paths.ts";
import { type Log, StackError } from "../part.ts";

const folder = join(dirname(fromFileUrl(import.meta.url)), "sql");

/** What the chapters are told by whoever applies them. */
export interface BootstrapOptions {
  /** The password of every login role. */
  password: string;
  /** `[api] auto_expose_new_tables`: whether new objects in public are open to the API roles. */
  autoExpose: boolean;
}

/**
 * Brings a server to what hosted Supabase has: the chapters of `sql/`, in one transaction. The
 * digest of the applied chapters is kept as a setting of the database, so that an unchanged one
 * costs a single query and what migrations changed since is left alone. `tell` is told in what the
 * server stays behind hosted.
 */
export async function bootstrap(url: string, options: BootstrapOptions, tell: Log): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice() {}, connect_timeout: 10 });
  try {
    if (await isSupabase(sql)) return;
    await requireUsable(sql);
    const chapters = await chaptersFor(sql);
    const digest = await digestOf(chapters);
    const [row] = await sql`select current_setting('nexus.bootstrap', true) as applied`;
    if (row?.applied !== digest) await applyAll(sql, chapters, digest, options);
    await warn(sql, tell);
  } catch (error) {
    throw explain(error, url);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** One file of `sql/`; one named `…_without_<extension>.sql` stands in for what the server lacks. */
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

async function chaptersFor(sql: postgres.Sql): Promise<Chapter[]> {
  const rows = await sql<{ name: string }[]>`select name from pg_available_extensions`;
  const available = new Set(rows.map(({ name }) => name));
  return (await readChapters()).filter(({ name }) => {
    const [, extension] = /_without_(\w+)\.sql$/.exec(name) ?? [];
    return extension === undefined || !available.has(extension);
  });
}

async function digestOf(chapters: Chapter[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(chapters));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function applyAll(
  sql: postgres.Sql,
  chapters: Chapter[],
  digest: string,
  { password, autoExpose }: BootstrapOptions,
): Promise<void> {
  await sql.begin(async (sql) => {
    await sql`
      select set_config('nexus.password', ${password}, true),
        set_config('nexus.auto_expose', ${String(autoExpose)}, true)`;
    for (const { name, text } of chapters) {
      await sql.unsafe(text).simple().catch((error: Error) => {
        error.message = `${name}: ${error.message}`;
        throw error;
      });
    }
    await sql.unsafe(`do $$ begin
      execute format('alter database %I set nexus.bootstrap = %L', current_database(), '${digest}');
    end $$`);
  });
}

/** A server of Supabase's own, as in `supabase start`, has what the chapters describe, and more. */
async function isSupabase(sql: postgres.Sql): Promise<boolean> {
  const [row] = await sql`select current_setting('supautils.privileged_role', true) as role`;
  return typeof row?.role === "string";
}

async function requireUsable(sql: postgres.Sql): Promise<void> {
  const [server] = await sql`
    select current_setting('server_version_num')::int / 10000 as major, rolsuper, rolname
    from pg_roles where rolname = current_user`;
  if (server?.major < 17) {
    throw new StackError(`The database is PostgreSQL ${server?.major}, and 17 is needed.`);
  }
  if (!server?.rolsuper) {
    throw new StackError(`--db-url needs a superuser, and ${server?.rolname} is none.`);
  }
}

/** Says where this server differs from hosted in a way that cannot be mended from inside. */
async function warn(sql: postgres.Sql, tell: Log): Promise<void> {
  const [server] = await sql`
    select current_setting('wal_level') as wal_level, rolsuper as postgres_is_superuser
    from pg_roles where rolname = 'postgres'`;
  if (server?.wal_level !== "logical") {
    tell(
      `Warning: the database runs with wal_level=${server?.wal_level}, not logical: ` +
        "live messages are not delivered.",
    );
  }
  if (server?.postgres_is_superuser) {
    tell(
      "Warning: postgres is the superuser of this database, so migrations may do here what hosted " +
        "refuses: make another superuser (supabase_admin) and name it in --db-url.",
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
