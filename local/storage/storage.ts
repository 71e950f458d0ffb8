import type { Log } from "../part.ts";
import type { Bytes } from "./bytes.ts";
import type { StorageCaller } from "./caller.ts";
import { type BucketRow, type ObjectRow, type Occasion, Tables } from "./database.ts";
import { refusal } from "./errors.ts";
import type { Signer } from "./signing.ts";

/** What every operation works with. */
export interface Storage {
  tables: Tables;
  bytes: Bytes;
  signer: Signer;
  /** The project's largest upload, in bytes. */
  sizeLimit: number;
  log: Log;
}

/** One request, as the operations see it. */
export interface Call {
  request: Request;
  query: URLSearchParams;
  /** The bucket and the object that the path names; empty where it names none. */
  bucket: string;
  name: string;
  /** Undefined where the request carries neither token nor key. */
  caller: StorageCaller | undefined;
}

/** The occasion on which the caller's statements run; refuses a request without a caller. */
export function occasionOf(call: Call, operation: string): Occasion {
  if (!call.caller) throw refusal.invalid("headers must have required property 'authorization'");
  const { method, headers, url } = call.request;
  return {
    caller: call.caller,
    operation: `storage.${operation}`,
    method,
    path: new URL(url).pathname,
    headers,
  };
}

/** The bucket, whoever asks; refuses one that does not exist. */
export async function requireBucket({ tables }: Storage, id: string): Promise<BucketRow> {
  const [bucket] = await tables.asServer((sql) =>
    sql<BucketRow>`select * from storage.buckets where id = ${id}`
  );
  if (!bucket) throw refusal.noBucket();
  return bucket;
}

/** The object as the server sees it. */
export async function findAsServer(
  { tables }: Storage,
  { bucket, name }: Pick<Call, "bucket" | "name">,
): Promise<ObjectRow> {
  const [found] = await tables.asServer((sql) =>
    sql<ObjectRow>`select * from storage.objects where bucket_id = ${bucket} and name = ${name}`
  );
  if (!found) throw refusal.noObject();
  return found;
}

/** The object as the caller sees it: hidden and missing are the same answer. */
export async function findAsCaller(
  { tables }: Storage,
  call: Call,
  operation: string,
): Promise<ObjectRow> {
  const { bucket, name } = call;
  const [found] = await tables.asCaller(
    occasionOf(call, operation),
    (sql) =>
      sql<ObjectRow>`select * from storage.objects where bucket_id = ${bucket} and name = ${name}`,
  );
  if (!found) throw refusal.noObject();
  return found;
}

/** The request's JSON body; refuses everything that is no object. */
export async function readJson(request: Request): Promise<Record<string, unknown>> {
  try {
    const body: unknown = await request.json();
    if (typeof body === "object" && body !== null && !Array.isArray(body)) {
      return body as Record<string, unknown>;
    }
  } catch {
    // Said below: what is no JSON and what is no object are refused alike.
  }
  throw refusal.invalid("body must be object");
}

/** A text that the body must have. */
export function requireText(body: Record<string, unknown>, name: string): string {
  const value = body[name];
  if (typeof value === "string" && value !== "") return value;
  throw refusal.invalid(`body must have required property '${name}'`);
}
