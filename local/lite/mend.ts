import type { AnyAST } from "@supabase/lite";
import type { PostgresConnection } from "@supabase/lite/postgres";
import type { Kysely, KyselyPlugin } from "kysely";
import type { Pool } from "pg";
import type { Catalogue } from "./catalogue.ts";
import type { CurrentRequest } from "./request.ts";
import type { Execute, Queryable } from "./statements.ts";

/** What the Data API is made of, whatever mends are applied. */
export interface DataApiOptions {
  /** Serves requests; on hosted as here the role `authenticator`, which may do nothing but become another. */
  databaseUrl: string;
  /** Reads the catalogue: tables that no API role may see are tables too. */
  catalogueUrl: string;
  /** Signs the tokens by which the gateway names the caller. */
  secret: string;
  schemas: string[];
  extraSearchPath: string[];
  maxRows: number;
  /** The most connections held at once for requests. */
  connections: number;
  log: (line: string) => void;
}

export type Stop = () => Promise<void>;

export type Fetch = (request: Request) => Promise<Response>;

/** What a mend may use. */
export interface Parts {
  options: DataApiOptions;
  connection: PostgresConnection;
  /** Serves requests. */
  pool: Pool;
  /** Reads the catalogue. */
  reader: Pool;
  catalogue: Catalogue;
  /** The request being answered; only inside one. */
  current: () => CurrentRequest;
  /** What lite builds its statements with, mended, over one connection. */
  queryBuilder: (connection: Queryable) => Kysely<unknown>;
}

/**
 * One defect of lite put right, where lite has a seam for it. Each has a test that runs the same
 * request through lite as it comes; when that test's other half fails after an upgrade, the mend
 * has become needless.
 */
export interface Mend {
  name: string;
  /** Over the methods of lite's connection, once; what it gives back is called at the end. */
  connection?(parts: Parts): Stop | void | Promise<Stop | void>;
  /** On the request as lite has parsed it. */
  parsed?(ast: AnyAST, parts: Parts): AnyAST | Promise<AnyAST>;
  /** On the syntax tree of every statement. */
  tree?(parts: Parts): KyselyPlugin;
  /** Around the execution of every statement. */
  statement?(next: Execute, parts: Parts): Execute;
  /** Around lite's HTTP face. */
  fetch?(next: Fetch, parts: Parts): Fetch;
}
