import postgres from "postgres";
import { getStack } from "./stack.ts";

/** A direct connection as `postgres`, for tests in which a lock, a plan or the catalogue is the point. */
export function connect(options: { max?: number } = {}): postgres.Sql {
  return postgres(getStack().databaseUrl, { max: options.max ?? 2, onnotice() {} });
}

/** Runs a test with a connection that is closed whatever happens. */
export async function withDatabase<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = connect();
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
