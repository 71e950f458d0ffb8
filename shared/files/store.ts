import { createClient } from "@supabase/supabase-js";
import type { Config } from "../config.ts";
import { ProblemError } from "../errors/problem.ts";

/** Objects in Storage; what fails leaves as `ProblemError`. */
export interface Store {
  put(bucket: string, path: string, bytes: Uint8Array<ArrayBuffer>, type: string): Promise<void>;
  /** Undefined when there is none. */
  get(bucket: string, path: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** The paths of all objects in the folder and below. */
  list(bucket: string, folder: string): Promise<string[]>;
  move(bucket: string, path: string, toBucket: string): Promise<void>;
  remove(bucket: string, paths: string[]): Promise<void>;
  /** A URL that opens the object for so many seconds, to whoever has it. */
  sign(bucket: string, path: string, seconds: number): Promise<string>;
  publicUrl(bucket: string, path: string): string;
}

/** Milliseconds: 10 MB over a slow line between two services of one house. */
const answerWithin = 30_000;

/** Paths hold the file's id and never change their content. */
const cacheSeconds = "31536000";

/** Storage with the rights of the person that `token` speaks for; of the secret key without one. */
export function createStore(config: Config, token?: string): Store {
  const key = token === undefined ? config.secretKey.reveal() : config.publishableKey;
  const { storage } = createClient(config.supabaseUrl, key, {
    accessToken: () => Promise.resolve(token ?? key),
    global: {
      fetch: (input, init) => fetch(input, { ...init, signal: AbortSignal.timeout(answerWithin) }),
    },
  });
  return {
    async put(bucket, path, bytes, contentType) {
      const options = { contentType, cacheControl: cacheSeconds, upsert: true };
      demand(await storage.from(bucket).upload(path, bytes, options));
    },
    async get(bucket, path) {
      const answer = await storage.from(bucket).download(path);
      if (isMissing(answer.error)) return undefined;
      return new Uint8Array(await demand(answer).arrayBuffer());
    },
    async list(bucket, folder) {
      const { objects } = demand(await storage.from(bucket).listV2({ prefix: `${folder}/` }));
      return objects.map(({ key, name }) => key ?? name);
    },
    async move(bucket, path, destinationBucket) {
      demand(await storage.from(bucket).move(path, path, { destinationBucket }));
    },
    async remove(bucket, paths) {
      if (paths.length > 0) demand(await storage.from(bucket).remove(paths));
    },
    async sign(bucket, path, seconds) {
      const answer = await storage.from(bucket).createSignedUrl(path, seconds);
      if (isMissing(answer.error)) throw new ProblemError("files.not_found");
      return demand(answer).signedUrl;
    },
    publicUrl: (bucket, path) => storage.from(bucket).getPublicUrl(path).data.publicUrl,
  };
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "statusCode" in error && error.statusCode === "404";

function demand<T>({ data, error }: { data: T; error: unknown }): NonNullable<T> {
  if (error) throw new ProblemError("unavailable", { retryAfter: 1, cause: error });
  return data!;
}
