import { App } from "@supabase/lite";
import { createPostgresConnection } from "@supabase/lite/postgres";
import { Pool, type PoolConfig } from "pg";
import { Catalogue } from "./catalogue.ts";
import type { DataApiOptions, Fetch, Mend, Parts } from "./mend.ts";
import { mends as allMends } from "./mends/mod.ts";
import { currentRequest, during } from "./request.ts";
import { type Execute, executeOn, kyselyOver, type Queryable } from "./statements.ts";
import { tokenReader } from "./token.ts";

export interface DataApi {
  fetch: Fetch;
  close(): Promise<void>;
}

/** Lite's Data API over one database, with the given mends. */
export async function createDataApi(
  options: DataApiOptions,
  mends: Mend[] = allMends,
): Promise<DataApi> {
  const parts = createParts(options, mends);
  const stops = await Promise.all(mends.map((mend) => mend.connection?.(parts)));
  rememberParsed(mends, parts);
  const app = await createApp(parts).init();
  const answer = mends.reduceRight<Fetch>(
    (next, mend) => mend.fetch?.(next, parts) ?? next,
    (request) => app.fetch(request),
  );
  return {
    fetch: withCaller(answer, options.secret),
    async close() {
      await Promise.all(stops.map((stop) => stop?.()));
      await Promise.all([parts.pool.end(), parts.reader.end()]);
    },
  };
}

// A connection that dies tells its query; without a listener, idle or lent, it would end the process.
function newPool(options: PoolConfig): Pool {
  const pool = new Pool(options);
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool.on("error", () => {});
}

// Lite's own pool stays unused: its driver ends the process when a busy connection is killed.
function createParts(options: DataApiOptions, mends: Mend[]): Parts {
  const pool = newPool({
    connectionString: options.databaseUrl,
    application_name: "nexus data api",
    max: options.connections,
    pipeline: true,
    idleTimeoutMillis: 10_000,
    connectionTimeoutMillis: 10_000,
    idle_in_transaction_session_timeout: 10_000,
  });
  const reader = newPool({
    connectionString: options.catalogueUrl,
    application_name: "nexus data api catalogue",
    max: 1,
    idleTimeoutMillis: 10_000,
    connectionTimeoutMillis: 10_000,
  });
  const loginRole = decodeURIComponent(new URL(options.databaseUrl).username);
  const parts: Parts = {
    options,
    connection: createPostgresConnection({ url: options.databaseUrl }),
    pool,
    reader,
    catalogue: new Catalogue(reader, options.schemas, loginRole),
    current: currentRequest,
    queryBuilder(connection: Queryable) {
      const execute = mends.reduceRight<Execute>(
        (next, mend) => mend.statement?.(next, parts) ?? next,
        executeOn(connection),
      );
      return mends.reduce(
        (builder, mend) => mend.tree ? builder.withPlugin(mend.tree(parts)) : builder,
        kyselyOver(execute),
      );
    },
  };
  return parts;
}

function rememberParsed(mends: Mend[], parts: Parts): void {
  const { connection, catalogue, options } = parts;
  const parse = connection.onPostgrestAST.bind(connection);
  connection.onPostgrestAST = async (given) => {
    const request = parts.current();
    let ast = await parse(given);
    const { schema = options.schemas[0]!, function: name, args = {} } = ast;
    if (name) request.routine = await catalogue.routine(schema, name, Object.keys(args));
    for (const mend of mends) ast = await mend.parsed?.(ast, parts) ?? ast;
    return request.ast = ast;
  };
}

function createApp({ connection, options }: Parts) {
  return new App({
    connection,
    api: { enabled: true, schemas: options.schemas, max_rows: options.maxRows },
    // Lite's own Auth would look every caller up in tables that only it fills.
    auth: { enabled: false },
    studio: { enabled: false },
    options: {
      server: {
        disableStudio: true,
        disableFallback: true,
        apiKeys: {
          resolver: () => Promise.resolve({ type: "publishable", claims: currentRequest().claims }),
        },
      },
    },
  });
}

function withCaller(answer: Fetch, secret: string): Fetch {
  const claimsOf = tokenReader(secret);
  return async (request) => {
    const claims = await claimsOf(request.headers.get("authorization"));
    if (claims instanceof Response) return claims;
    const role = typeof claims.role === "string" ? claims.role : "anon";
    const { method, url, headers } = request;
    const forLite = new Request(request);
    forLite.headers.delete("authorization");
    // Makes lite ask the resolver above, which has the claims.
    forLite.headers.set("apikey", "caller");
    return await during(
      { method, url: new URL(url), headers, claims: { ...claims, role }, role },
      () => answer(forLite),
    );
  };
}
