import postgres from "postgres";
import { join } from "../paths.ts";
import { type Log, StackError } from "../part.ts";
import type { Settings } from "../settings.ts";
import type { Database } from "./mod.ts";
import { splitStatements, type Statement } from "./statements.ts";

interface Migration {
  file: string;
  version: string;
  name: string;
  source: string;
  statements: Statement[];
}

/**
 * Applies the migrations that the database does not have yet, each in a transaction, as role
 * postgres, and records them as the Supabase CLI does, so that either may continue the other's work.
 * Returns the files applied.
 */
export async function migrate(
  database: Database,
  settings: Settings,
  log: Log,
): Promise<string[]> {
  const migrations = await readMigrations(join(settings.root, "migrations"));
  const sql = postgres(database.url("postgres"), { max: 1, onnotice() {} });
  try {
    const pending = await findPending(sql, migrations);
    for (const migration of pending) {
      await apply(sql, migration);
      log(`Migration ${migration.file} applied.`);
    }
    return pending.map((migration) => migration.file);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const files = entries.map((entry) => entry.name).filter((name) => name.endsWith(".sql")).sort();
  return await Promise.all(files.map(async (file) => {
    const [, version, name] = /^(\d{14})_(.+)\.sql$/.exec(file) ?? [];
    if (!version || !name) {
      throw new StackError(`Migration ${file} is not named <14 digits>_<name>.sql.`);
    }
    const source = (await Deno.readTextFile(join(folder, file))).replace(/^\uFEFF/, "");
    return { file, version, name, source, statements: splitStatements(source) };
  }));
}

const history = `
  create schema if not exists supabase_migrations;
  create table supabase_migrations.schema_migrations (version text not null primary key);
  alter table supabase_migrations.schema_migrations add column statements text[];
  alter table supabase_migrations.schema_migrations add column name text;`;

/** The migrations after the applied ones. Applied ones must be the beginning of what the files say. */
async function findPending(sql: postgres.Sql, migrations: Migration[]): Promise<Migration[]> {
  const [row] = await sql`select to_regclass('supabase_migrations.schema_migrations') as made`;
  if (!row?.made) await sql.unsafe(history).simple();
  const applied = await sql<{ version: string; statements: string[] | null }[]>`
    select version, statements from supabase_migrations.schema_migrations order by version`;
  for (const [index, { version, statements }] of applied.entries()) {
    const migration = migrations.find((candidate) => candidate.version === version);
    const why = !migration
      ? `Migration ${version} was applied and is not in migrations/ any more`
      : migrations[index] !== migration
      ? `Migration ${migrations[index]!.file} stands before ${migration.file}, which is applied`
      : !sameStatements(migration, statements)
      ? `Migration ${migration.file} changed since it was applied`
      : undefined;
    if (why) throw new StackError(`${why}: run with --reset to start from an empty database.`);
  }
  return migrations.slice(applied.length);
}

// The CLI records no statements where it was told that a migration is applied (`migration repair`).
function sameStatements(migration: Migration, recorded: string[] | null): boolean {
  if (recorded === null) return true;
  return JSON.stringify(recorded) === JSON.stringify(migration.statements.map(({ text }) => text));
}

async function apply(sql: postgres.Sql, migration: Migration): Promise<void> {
  // A `set` of an earlier file is not this one's.
  await sql`reset all`;
  await sql.begin(async (sql) => {
    for (const statement of migration.statements) {
      await sql.unsafe(statement.text).simple()
        .catch((error) => explain(error, migration, statement));
    }
    const texts = migration.statements.map(({ text }) => text);
    await sql`
      insert into supabase_migrations.schema_migrations (version, name, statements)
      values (${migration.version}, ${migration.name}, ${sql.array(texts)})`;
  });
}

/** Names file, line and statement of what failed: the server only knows the statement it was sent. */
function explain(error: unknown, { file, source }: Migration, { text, offset }: Statement): never {
  if (!(error instanceof postgres.PostgresError)) throw error;
  const at = offset + (indexOfPosition(text, error.position) ?? indexOfCode(text));
  const before = source.slice(0, at).split("\n");
  const more = [error.detail, error.hint, error.where].filter((part) => part !== undefined);
  throw new StackError([
    `Migration ${file} failed and nothing of it was applied.`,
    `Line ${before.length}: ${error.message} (${error.code})`,
    ...more,
    `In: ${source.split("\n")[before.length - 1]!.trim().slice(0, 200)}`,
  ].join("\n  "));
}

/** The server counts characters from 1, JavaScript counts UTF-16 units from 0. */
function indexOfPosition(text: string, position: string | undefined): number | undefined {
  if (position === undefined) return undefined;
  return [...text].slice(0, Number(position) - 1).join("").length;
}

/** Where the statement begins behind the comments that belong to it. */
function indexOfCode(text: string): number {
  return /^(\s|--[^\n]*|\/\*[^]*?\*\/)*/.exec(text)![0].length;
}
