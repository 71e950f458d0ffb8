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
    const source = await Deno.readTextFile(join(folder, file));
    return { file, version, name, source, statements: splitStatements(source) };
  }));
}

const history = [
  "create schema if not exists supabase_migrations",
  "create table if not exists supabase_migrations.schema_migrations (version text not null primary key)",
  "alter table supabase_migrations.schema_migrations add column if not exists statements text[]",
  "alter table supabase_migrations.schema_migrations add column if not exists name text",
];

/** The migrations after the applied ones. Applied ones must be the beginning of what the files say. */
async function findPending(sql: postgres.Sql, migrations: Migration[]): Promise<Migration[]> {
  await sql.unsafe(history.join(";\n")).simple();
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
function explain(error: unknown, { file, source }: Migration, statement: Statement): never {
  if (!(error instanceof postgres.PostgresError)) throw error;
  const position = Math.max(0, Number(error.position ?? 1) - 1);
  // Positions count characters, and JavaScript's count UTF-16 units.
  const before = [...statement.text].slice(0, position).join("");
  const line = source.slice(0, statement.offset + before.length).split("\n").length;
  const lines = [
    `Migration ${file} failed and nothing of it was applied.`,
    `Line ${line}: ${error.message} (${error.code})`,
    ...[error.detail, error.hint, error.where].filter((more) => more !== undefined),
    `In: ${excerpt(statement.text, before)}`,
  ];
  throw new StackError(lines.join("\n  "));
}

function excerpt(text: string, before: string): string {
  const lines = text.split("\n");
  const at = before === "" ? 0 : before.split("\n").length - 1;
  const first = lines.findIndex((line, index) => index >= at && !/^\s*(--|$)/.test(line));
  return (lines[Math.max(first, 0)] ?? "").trim().slice(0, 200);
}
