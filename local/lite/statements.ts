import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from "kysely";
import type { ClientBase } from "pg";

/** Runs one statement of lite's. */
export type Execute = (query: CompiledQuery) => Promise<QueryResult<unknown>>;

/** A pool or one connection of it. */
export type Queryable = Pick<ClientBase, "query">;

const writes = new Set(["INSERT", "UPDATE", "DELETE", "MERGE"]);

export function executeOn(client: Queryable): Execute {
  return async ({ sql, parameters }) => {
    const { rows, rowCount, command } = await client.query(sql, [...parameters]);
    return writes.has(command) ? { rows, numAffectedRows: BigInt(rowCount ?? 0) } : { rows };
  };
}

/** The query builder lite works with, every statement of it handed to `execute`. */
export function kyselyOver(execute: Execute): Kysely<unknown> {
  const connection: DatabaseConnection = {
    executeQuery: execute as DatabaseConnection["executeQuery"],
    streamQuery() {
      throw new Error("not used");
    },
  };
  const nothing = () => Promise.resolve();
  const driver: Driver = {
    init: nothing,
    acquireConnection: () => Promise.resolve(connection),
    beginTransaction: nothing,
    commitTransaction: nothing,
    rollbackTransaction: nothing,
    releaseConnection: nothing,
    destroy: nothing,
  };
  return new Kysely({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
}
