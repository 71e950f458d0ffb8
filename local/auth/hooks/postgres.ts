import type { Json } from "../body.ts";
import { name, type Sql } from "../database.ts";

/** Milliseconds a function may take, as on hosted. */
const timeout = 2_000;

/** Calls `pg-functions://postgres/<schema>/<function>` with the payload, as supabase_auth_admin. */
export async function callFunction(uri: string, sql: Sql, payload: Json): Promise<unknown> {
  const path = new URL(uri).pathname.split("/").filter(Boolean).map(decodeURIComponent);
  if (path.length !== 2) throw new Error("the URI names no schema and function");
  await sql`${name(`set local statement_timeout to ${timeout}`)}`;
  const [row] = await sql<{ output: unknown }>`
    select ${name(path.map(quote).join("."))}(${payload}) as output`;
  await sql`set local statement_timeout to default`;
  return row!.output;
}

const quote = (identifier: string) => `"${identifier.replaceAll('"', '""')}"`;
