import type { PostgresConnection } from "@supabase/lite/postgres";
import type { PoolClient } from "pg";
import type { Setting } from "../catalogue.ts";
import type { Mend, Parts } from "../mend.ts";
import type { CurrentRequest } from "../request.ts";

type Work = Parameters<PostgresConnection["withContext"]>[1];

/**
 * Every request is a transaction that first becomes the caller, in one statement, as PostgREST does:
 * the role, all claims, the request and the role's own settings. Lite runs as the login role until it
 * has seen a table with row level security, grants everything to the API roles then, and tells
 * policies of the request only inside functions.
 */
export const caller: Mend = {
  name: "caller",
  connection(parts) {
    const withContext = (_vars: unknown, work: Work) => inTransaction(parts, work);
    parts.connection.withContext = withContext as PostgresConnection["withContext"];
  },
  statement: (next, { current }) => async (query) => {
    const result = await next(query);
    if (asksForStatus.test(query.sql)) {
      const [answer] = result.rows as { status?: string | null }[];
      current().statusChosen = Boolean(answer?.status);
    }
    return result;
  },
};

// Lite asks for it after a function has run.
const asksForStatus = /current_setting\('response\.status'/;

async function inTransaction(parts: Parts, work: Work): Promise<unknown> {
  const request = parts.current();
  const { begin, settings } = await preludeOf(request, parts);
  const client = await parts.pool.connect();
  const calls = settings.map((_, index) =>
    `set_config($${2 * index + 1}, $${2 * index + 2}, true)`
  );
  // Not awaited: they travel ahead of the first statement, which fails where they fail.
  const became = Promise.all([
    client.query(begin),
    client.query(`select ${calls.join(", ")}`, settings.flat()),
  ]);
  became.catch(() => {});
  try {
    const answer = await work(parts.queryBuilder(client));
    await became;
    await client.query(isRefusal(answer, request) ? "rollback" : "commit");
    client.release();
    return answer;
  } catch (error) {
    await undo(client);
    await became;
    throw error;
  }
}

async function undo(client: PoolClient): Promise<void> {
  await client.query("rollback").then(() => client.release(), () => client.release(true));
}

// What lite refuses after it has written, such as a second row for `.single()`, must not be kept.
// A status that a function chose for itself is no refusal.
function isRefusal(answer: unknown, request: CurrentRequest): boolean {
  return answer instanceof Response && answer.status >= 400 && !request.statusChosen;
}

async function preludeOf(request: CurrentRequest, { options, catalogue }: Parts) {
  const { ast, role, method, routine } = request;
  const schema = ast?.schema ?? options.schemas[0]!;
  const ofRole = await catalogue.roleSettings(role);
  const isolation = [...ofRole, ...routine?.settings ?? []].findLast(isIsolation)?.[1];
  const readOnly = method === "GET" || method === "HEAD" || routine?.volatile === false;
  return {
    begin: `begin isolation level ${isolation ?? "read committed"}${readOnly ? " read only" : ""}`,
    settings: [
      ["search_path", [schema, ...options.extraSearchPath].map(quoted).join(", ")],
      ...ofRole.filter((setting) => !isIsolation(setting)),
      ["role", role],
      ["request.jwt.claims", JSON.stringify({ ...request.claims, role })],
      ["request.method", method],
      ["request.path", request.url.pathname.replace(/^\/rest\/v1/, "")],
      ["request.headers", JSON.stringify(visibleHeaders(request.headers))],
      ["request.cookies", "{}"],
      ...(routine?.settings ?? []).filter(([name]) => name === "statement_timeout"),
    ] satisfies Setting[],
  };
}

const isIsolation = ([name]: Setting) => name === "default_transaction_isolation";

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

// The token is the gateway's own: it would open this process to whoever could read it in SQL.
function visibleHeaders(headers: Headers): Record<string, string> {
  const { authorization: _, ...visible } = Object.fromEntries(headers);
  return visible;
}
