import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import type { Config } from "../config.ts";
import { type DatabaseError, fromDatabase } from "../errors/database.ts";
import { span } from "../tracing.ts";

/** Headers that tell the database on whose behalf a call is made; SQL reads `request.headers`. */
export type Origin = Record<string, string>;

/** A database door that speaks with one caller's rights. */
export interface Database {
  /** Calls an RPC; refusals and failures leave as `ProblemError`, and so does waiting too long. */
  rpc<T>(name: string, args?: Record<string, unknown>, within?: number): Promise<T>;
  /** Reads or writes tables, where that says it all; ends like an RPC. */
  query<T>(build: (client: SupabaseClient) => Query, within?: number): Promise<T>;
}

/** A query of supabase-js that has not been sent. */
interface Query {
  abortSignal(
    signal: AbortSignal,
  ): PromiseLike<{ data: unknown; error: DatabaseError | null; status: number }>;
}

export interface Doors {
  /** With the rights of the person that `token` speaks for. */
  asCaller(token: string, origin?: Origin): Database;
  /** With the secret key: past row level security, so only after a check of who asks. */
  asService(origin?: Origin): Database;
}

/** Milliseconds: above the statement timeout, so that usually the database says what happened. */
const answerWithin = 10_000;

export function createDoors(config: Config): Doors {
  const door = (key: string, token: string, origin: Origin = {}): Database => {
    let client: SupabaseClient | undefined;
    const run = async (build: (client: SupabaseClient) => Query, within: number) => {
      client ??= connect(config.supabaseUrl, key, token, origin);
      const { data, error, status } = await build(client).abortSignal(AbortSignal.timeout(within));
      if (error) throw fromDatabase(error, status);
      return data;
    };
    return {
      rpc<T>(name: string, args: Record<string, unknown> = {}, within = answerWithin) {
        return span(
          `rpc ${name}`,
          { "db.operation.name": name },
          () => run((client) => client.rpc(name, args), within) as Promise<T>,
        );
      },
      query<T>(build: (client: SupabaseClient) => Query, within = answerWithin) {
        return span("query", {}, () => run(build, within) as Promise<T>);
      },
    };
  };
  return {
    asCaller: (token, origin) => door(config.publishableKey, token, origin),
    asService: (origin) => {
      const key = config.secretKey.reveal();
      return door(key, key, origin);
    },
  };
}

/** One client a request, made at its first call: no identity can outlive the request it came with. */
function connect(url: string, key: string, token: string, headers: Origin) {
  return createClient(url, key, {
    accessToken: () => Promise.resolve(token),
    global: { headers },
  });
}
