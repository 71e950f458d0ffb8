import postgres from "postgres";
import { readSettings } from "../../local/settings.ts";
import { migrate, startDatabase } from "../../local/postgres/mod.ts";
import type { Database as Door } from "shared/database/client.ts";
import type { Services } from "shared/services.ts";
import { freeOffset } from "../support/ports.ts";
import { createTestServices } from "../support/services.ts";

/** A database of the test's own, which no other worker looks at. */
export interface QueueStack extends AsyncDisposable {
  url: string;
  sql: postgres.Sql;
  /** Services whose database is this one, called without HTTP. */
  services(sql?: postgres.Sql): Services;
}

export async function startQueueStack(): Promise<QueueStack> {
  const folder = await Deno.makeTempDir({ prefix: "nexus-jobs-" });
  await Deno.chmod(folder, 0o755);
  const options = ["--port-offset", String(freeOffset())];
  const settings = readSettings(options, { NEXUS_HOME: `${folder}/home` });
  const database = await startDatabase(settings, () => {});
  await migrate(database, settings, () => {});
  const url = database.url("postgres");
  const sql = postgres(url, { max: 4, onnotice() {} });
  return {
    url,
    sql,
    services: (connection = sql) => {
      const door = callingBySql(connection);
      const doors = { asService: () => door, asCaller: () => door };
      return { ...createTestServices().services, database: doors };
    },
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 5 });
      await database.stop();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** RPCs as plain SQL: arguments by name, one value or the rows of a set. */
export function callingBySql(sql: postgres.Sql): Door {
  return {
    async rpc<T>(name: string, args: Record<string, unknown> = {}): Promise<T> {
      const [routine] = await sql<{ set: boolean }[]>`
        select proretset as set from pg_proc where proname = ${name}`;
      const names = Object.keys(args);
      const list = names.map((key, index) => `${key} => $${index + 1}`).join(", ");
      const values = names.map((key) => args[key]) as postgres.SerializableParameter[];
      const rows = await sql.unsafe(
        routine!.set
          ? `select * from public.${name}(${list})`
          : `select public.${name}(${list}) as value`,
        values,
      );
      return (routine!.set ? [...rows] : rows[0]!.value) as T;
    },
    query: () => Promise.reject(new Error("not here")),
  };
}
