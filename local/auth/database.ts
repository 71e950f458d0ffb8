// @ts-types="@types/pg"
import { DatabaseError, Pool, type PoolClient } from "pg";
import type { Log } from "../part.ts";

/** A part of a statement, its values still apart from its text. */
class Fragment {
  constructor(readonly strings: readonly string[], readonly values: unknown[]) {}
}

/** Makes a part to be put into other statements. */
export const fragment = (strings: TemplateStringsArray, ...values: unknown[]): Fragment =>
  new Fragment(strings, values);

/** Puts a name of ours (never a client's) into a statement as it is. */
export const name = (text: string): Fragment => new Fragment([text], []);

/** Runs one statement, every value bound as a parameter, and gives its rows. */
export interface Sql {
  <Row>(strings: TemplateStringsArray, ...values: unknown[]): Promise<Row[]>;
}

export interface Database extends Sql {
  /** Commits what `work` did, or nothing of it when `work` throws. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  end(): Promise<void>;
}

/**
 * Opens the pool. Not postgres.js: when a backend dies within a transaction it throws outside every
 * promise, which would end the whole stack, and its pool never gives the connection back.
 */
export function openDatabase(
  url: string,
  max: number,
  log: Log,
  application = "auth",
): Database {
  const pool = new Pool({
    connectionString: url,
    application_name: application,
    max,
    connectionTimeoutMillis: 5_000,
    // Below the gateway's cap, so that a request behind a lock ends with an answer of ours.
    statement_timeout: 10_000,
  });
  pool.on("error", (error) => log(`${application}: an idle connection broke: ${error.message}`));
  // A connection that breaks in use also says so here, beside failing its statement.
  pool.on("connect", (client) => client.on("error", () => {}));
  return Object.assign(runner(pool), {
    transaction: <T>(work: (sql: Sql) => Promise<T>) => transaction(pool, work),
    end: () => pool.end(),
  });
}

function runner(client: Pool | PoolClient): Sql {
  return async (strings, ...values) => {
    const bound: unknown[] = [];
    const text = compile(strings, values, bound);
    return (await client.query(text, bound)).rows;
  };
}

function compile(strings: readonly string[], values: unknown[], bound: unknown[]): string {
  return strings.reduce((text, part, index) => {
    const value = values[index - 1];
    if (value instanceof Fragment) return text + compile(value.strings, value.values, bound) + part;
    bound.push(value);
    return `${text}$${bound.length}${part}`;
  });
}

async function transaction<T>(pool: Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    const result = await work(runner(client));
    await client.query("commit");
    client.release();
    return result;
  } catch (error) {
    // A connection that cannot roll back is closed; Postgres then does.
    await client.query("rollback").then(() => client.release(), () => client.release(true));
    throw error;
  }
}

/** What Postgres says in an error, where `error` is one of its own. */
export const postgresError = (error: unknown): DatabaseError | undefined =>
  error instanceof DatabaseError ? error : undefined;

/** Whether a statement failed because another user has the address. */
export const isTakenEmail = (error: unknown): boolean =>
  postgresError(error)?.constraint === "users_email_partial_key";
