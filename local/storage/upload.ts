import type { Sql } from "../auth/database.ts";
import type { Received } from "./bytes.ts";
import type { ObjectMetadata, ObjectRow } from "./database.ts";
import { refusal } from "./errors.ts";
import { type Incoming, readIncoming } from "./incoming.ts";
import { isAllowedType, requireKey } from "./names.ts";
import { type Call, occasionOf, requireBucket, type Storage } from "./storage.ts";

/** POST and PUT /object/<bucket>/<name>. PUT replaces, and makes what is not there yet. */
export async function upload(storage: Storage, call: Call): Promise<Response> {
  requireKey(call.name);
  await requireBucket(storage, call.bucket);
  const { method, headers } = call.request;
  const upsert = method === "PUT" || headers.get("x-upsert") === "true";
  const operation = method === "PUT" ? "object.upload_update" : "object.upload";
  // Asked before the bytes are taken: a refused caller fills no disk.
  await tryUpload(storage, call, { upsert, operation });
  const id = await keep(storage, call, { upsert, owner: call.caller?.owner });
  return Response.json({ Id: id, Key: `${call.bucket}/${call.name}` });
}

/** Whether the caller may upload there: done as a row that is undone again. */
export async function tryUpload(
  { tables }: Storage,
  call: Call,
  { upsert, operation }: { upsert: boolean; operation: string },
): Promise<void> {
  const row = rowOf(
    call,
    call.caller?.owner,
    {
      mimetype: call.request.headers.get("content-type") ?? "application/octet-stream",
    },
    null,
    crypto.randomUUID(),
  );
  await tables.tryAsCaller(
    occasionOf(call, operation),
    (sql) => upsert ? putRow(sql, row) : insertRow(sql, row),
  );
}

/** An object's row, as it is written. */
export interface NewRow {
  bucket: string;
  name: string;
  owner: string | null;
  ownerId: string | null;
  metadata: string;
  userMetadata: string | null;
  version: string;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The row of an object; its owner is a person, or whoever the claims name. */
export function rowOf(
  { bucket, name }: Pick<Call, "bucket" | "name">,
  owner: string | undefined,
  metadata: Partial<ObjectMetadata>,
  userMetadata: Record<string, unknown> | null,
  version: string,
): NewRow {
  return {
    bucket,
    name,
    owner: owner !== undefined && uuid.test(owner) ? owner : null,
    ownerId: owner ?? null,
    metadata: JSON.stringify(metadata),
    userMetadata: userMetadata && JSON.stringify(userMetadata),
    version,
  };
}

// Nothing is returned: reading a row back would ask the policies for select, too.
export const insertRow = (sql: Sql, row: NewRow) =>
  sql`
    insert into storage.objects (bucket_id, name, owner, owner_id, metadata, user_metadata, version)
    values (${row.bucket}, ${row.name}, ${row.owner}, ${row.ownerId}, ${row.metadata},
      ${row.userMetadata}, ${row.version})`;

export const putRow = (sql: Sql, row: NewRow) =>
  sql<{ id: string }>`
    insert into storage.objects (bucket_id, name, owner, owner_id, metadata, user_metadata, version)
    values (${row.bucket}, ${row.name}, ${row.owner}, ${row.ownerId}, ${row.metadata},
      ${row.userMetadata}, ${row.version})
    on conflict (bucket_id, name) do update
      set owner = excluded.owner, owner_id = excluded.owner_id, metadata = excluded.metadata,
        user_metadata = excluded.user_metadata, version = excluded.version, updated_at = now()
    returning id`;

/** Takes the bytes, then writes the row as the server: the caller's right was asked before. */
export async function keep(
  storage: Storage,
  call: Call,
  { upsert, owner }: { upsert: boolean; owner: string | undefined },
): Promise<string> {
  const bucket = await requireBucket(storage, call.bucket);
  const limit = Math.min(storage.sizeLimit, Number(bucket.file_size_limit ?? Infinity));
  const incoming = await readIncoming(call.request, limit);
  if (!isAllowedType(incoming.type, bucket.allowed_mime_types)) {
    throw refusal.badType(incoming.type);
  }
  const received = await storage.bytes.receive(incoming.body, limit);
  const row = rowOf(
    call,
    owner,
    metadataOf(incoming, received),
    incoming.metadata,
    received.version,
  );
  try {
    const { id, replaced } = await storage.tables.asServer(async (sql) => {
      // Two uploads of one name take turns: each sees whose bytes it replaces.
      await sql`
        select pg_advisory_xact_lock(hashtextextended(${`${call.bucket}/${call.name}`}, 0))`;
      const [prior] = await sql<ObjectRow>`
        select version from storage.objects
        where bucket_id = ${call.bucket} and name = ${call.name} for update`;
      if (prior && !upsert) throw refusal.exists();
      const [made] = await putRow(sql, row);
      return { id: made!.id, replaced: prior?.version };
    });
    if (replaced) await storage.bytes.remove([replaced]);
    return id;
  } catch (error) {
    await storage.bytes.remove([received.version]);
    throw error;
  }
}

function metadataOf(incoming: Incoming, { size, eTag }: Received): ObjectMetadata {
  return {
    eTag,
    size,
    mimetype: incoming.type,
    cacheControl: incoming.cacheControl,
    ...(incoming.contentEncoding === undefined
      ? {}
      : { contentEncoding: incoming.contentEncoding }),
    lastModified: new Date().toISOString(),
    contentLength: size,
    httpStatusCode: 200,
  };
}
