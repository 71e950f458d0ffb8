import postgres from "postgres";
import type { Log } from "../part.ts";
import type { Database } from "../postgres/mod.ts";
import { startCron } from "./cron.ts";
import { startNet } from "./net.ts";

/**
 * The background workers of pg_cron and pg_net, for a server that has the chapters of
 * `local/postgres/sql/` instead of the extensions; nothing where it has them.
 */
export async function startExtensions(
  { database, log }: { database: Database; log: Log },
): Promise<{ stop(): Promise<void> }> {
  await using started = new AsyncDisposableStack();
  const real = await realExtensions(database);
  if (!real.has("pg_cron") || !real.has("pg_net")) {
    const admin = postgres(database.url("supabase_admin"), { max: 3, onnotice() {} });
    started.defer(() => admin.end({ timeout: 5 }));
    if (!real.has("pg_cron")) started.use(disposable(await startCron(database, admin, log)));
    if (!real.has("pg_net")) started.use(disposable(startNet(admin, log)));
  }
  const running = started.move();
  return { stop: () => running.disposeAsync() };
}

const disposable = (part: { stop(): Promise<void> }): AsyncDisposable => ({
  [Symbol.asyncDispose]: () => part.stop(),
});

async function realExtensions(database: Database): Promise<Set<string>> {
  const sql = postgres(database.url("postgres"), { max: 1, onnotice() {} });
  try {
    const rows = await sql<{ extname: string }[]>`select extname from pg_extension`;
    return new Set(rows.map(({ extname }) => extname));
  } finally {
    await sql.end({ timeout: 5 });
  }
}
