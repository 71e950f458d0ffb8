import { type Database, openDatabase, type Sql } from "../auth/database.ts";
import type { Log } from "../part.ts";
import type { StorageCaller } from "./caller.ts";

/** A row of `storage.buckets`, as far as the limits need it. */
export interface BucketRow {
  id: string;
  name: string;
  owner: string | null;
  public: boolean;
  file_size_limit: string | null;
  allowed_mime_types: string[] | null;
  type: string;
  created_at: Date;
  updated_at: Date;
}

/** What `metadata` of an object holds, as S3 tells it. */
export interface ObjectMetadata {
  eTag: string;
  size: number;
  mimetype: string;
  cacheControl: string;
  contentEncoding?: string;
  lastModified: string;
  contentLength: number;
  httpStatusCode: 200;
}

/** A row of `storage.objects`. */
export interface ObjectRow {
  id: string;
  bucket_id: string;
  name: string;
  owner: string | null;
  owner_id: string | null;
  version: string;
  metadata: ObjectMetadata;
  user_metadata: Record<string, unknown> | null;
  created_at: Date;
  updated_at: Date;
  last_accessed_at: Date;
}

/** The request that a statement belongs to, as policies may ask for it. */
export interface Occasion {
  caller: StorageCaller;
  operation: string;
  method: string;
  path: string;
  headers: Headers;
}

/** Ends a transaction that was only a question. */
class Undo<T> extends Error {
  constructor(readonly answer: T) {
    super();
  }
}

/** The tables of Storage: with the caller's own rights, or past them as the server itself. */
export class Tables {
  readonly #database: Database;

  constructor(url: string, log: Log) {
    this.#database = openDatabase(url, 8, log, "storage");
  }

  end(): Promise<void> {
    return this.#database.end();
  }

  /** As the server: it owns the tables, so no policy applies. */
  asServer<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#database.transaction(async (sql) => {
      await sql`select set_config('storage.allow_delete_query', 'true', true)`;
      return await work(sql);
    });
  }

  /** As the caller: role, claims and headers are set, and the policies decide. */
  asCaller<T>(occasion: Occasion, work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#database.transaction(async (sql) => {
      await become(sql, occasion);
      return await work(sql);
    });
  }

  /** Whether the policies would let the caller do it: done, and undone. */
  async tryAsCaller<T>(occasion: Occasion, work: (sql: Sql) => Promise<T>): Promise<T> {
    try {
      return await this.asCaller(occasion, async (sql) => {
        throw new Undo(await work(sql));
      });
    } catch (error) {
      if (error instanceof Undo) return error.answer;
      throw error;
    }
  }
}

async function become(sql: Sql, { caller, operation, method, path, headers }: Occasion) {
  const { role, claims } = caller;
  await sql`
    select set_config('role', ${role}, true),
      set_config('request.jwt.claims', ${JSON.stringify(claims)}, true),
      set_config('request.jwt.claim.role', ${role}, true),
      set_config('request.jwt.claim.sub', ${claims.sub ?? ""}, true),
      set_config('request.headers', ${JSON.stringify(Object.fromEntries(headers))}, true),
      set_config('request.method', ${method}, true),
      set_config('request.path', ${path}, true),
      set_config('storage.operation', ${operation}, true),
      set_config('storage.allow_delete_query', 'true', true)`;
}
