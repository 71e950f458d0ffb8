import postgres from "postgres";
import { type Database, startDatabase } from "../../../local/postgres/mod.ts";
import { join } from "../../../local/paths.ts";
import { readSettings, type Settings } from "../../../local/settings.ts";
import { freeOffset } from "../../support/ports.ts";

/** A folder of its own for one database, reachable for the account that Postgres runs under. */
export interface Place {
  settings: Settings;
  /** The lines that were logged so far. */
  lines: string[];
  start(changes?: Partial<Settings>): Promise<Database>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Makes a place for a database on a free port; what was started there must be stopped before it goes. */
export async function makePlace(): Promise<Place> {
  const folder = await Deno.makeTempDir({ prefix: "nexus-postgres-" });
  await Deno.chmod(folder, 0o755);
  const options = ["--port-offset", String(freeOffset())];
  const settings = readSettings(options, { NEXUS_HOME: join(folder, "home") });
  const lines: string[] = [];
  return {
    settings,
    lines,
    start: (changes) => startDatabase({ ...settings, ...changes }, (line) => lines.push(line)),
    async [Symbol.asyncDispose]() {
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** One connection, closed when it goes out of scope. */
export function connect(url: string): postgres.Sql & AsyncDisposable {
  const sql = postgres(url, { max: 1, onnotice() {} });
  return Object.assign(sql, { [Symbol.asyncDispose]: () => sql.end({ timeout: 5 }) });
}

/** Runs `work` on a connection of its own. */
export async function query<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  await using sql = connect(url);
  return await work(sql);
}

/** The SQLSTATE that a statement is refused with; undefined when it is not refused. */
export async function codeOf(statement: PromiseLike<unknown>): Promise<string | undefined> {
  try {
    await statement;
    return undefined;
  } catch (error) {
    if (error instanceof postgres.PostgresError) return error.code;
    throw error;
  }
}
