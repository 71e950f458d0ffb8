import { fragment, name } from "../auth/database.ts";
import type { BucketRow, ObjectRow } from "./database.ts";
import { refusal } from "./errors.ts";
import { requireBucketName, sizeInBytes } from "./names.ts";
import { type Call, occasionOf, readJson, type Storage } from "./storage.ts";

const shown = ({ file_size_limit, ...bucket }: BucketRow) => ({
  ...bucket,
  owner: bucket.owner ?? "",
  file_size_limit: file_size_limit === null ? null : Number(file_size_limit),
});

const sortColumns = ["id", "name", "created_at", "updated_at"];

/** GET /bucket. */
export async function listBuckets({ tables }: Storage, call: Call): Promise<Response> {
  const { query } = call;
  const column = query.get("sortColumn") ?? "name";
  if (!sortColumns.includes(column)) throw refusal.invalid("querystring/sortColumn is unknown");
  const limit = query.has("limit") ? fragment`limit ${Number(query.get("limit"))}` : name("");
  const order = name(query.get("sortOrder") === "desc" ? "desc" : "asc");
  const found = await tables.asCaller(
    occasionOf(call, "bucket.list"),
    (sql) =>
      sql<BucketRow>`
        select * from storage.buckets where strpos(lower(name), ${query.get("search") ?? ""}) > 0
        order by ${name(column)} ${order} ${limit} offset ${Number(query.get("offset") ?? 0)}`,
  );
  return Response.json(found.map(shown));
}

/** GET /bucket/<id>. */
export async function getBucket({ tables }: Storage, call: Call): Promise<Response> {
  const [found] = await tables.asCaller(
    occasionOf(call, "bucket.get"),
    (sql) => sql<BucketRow>`select * from storage.buckets where id = ${call.bucket}`,
  );
  if (!found) throw refusal.noBucket();
  return Response.json(shown(found));
}

/** POST /bucket. */
export async function createBucket({ tables, sizeLimit }: Storage, call: Call): Promise<Response> {
  const body = await readJson(call.request);
  requireBucketName(body.name);
  const id = body.id ?? body.name;
  requireBucketName(id);
  const { isPublic, limit, types } = limitsOf(body, sizeLimit);
  await tables.asCaller(
    occasionOf(call, "bucket.create"),
    (sql) =>
      sql`
        insert into storage.buckets (id, name, owner, owner_id, public, file_size_limit, allowed_mime_types)
        values (${id}, ${body.name}, ${call.caller?.owner ?? null}, ${call.caller?.owner ?? null},
          ${isPublic ?? false}, ${limit}, ${types}::text[])`,
  );
  return Response.json({ name: body.name });
}

/** PUT /bucket/<id>: what is not named stays, but for the limits, which null takes away. */
export async function updateBucket({ tables, sizeLimit }: Storage, call: Call): Promise<Response> {
  const body = await readJson(call.request);
  const { isPublic, limit, types } = limitsOf(body, sizeLimit);
  const keepLimit = body.file_size_limit === undefined;
  const keepTypes = body.allowed_mime_types === undefined;
  const [updated] = await tables.asCaller(
    occasionOf(call, "bucket.update"),
    (sql) =>
      sql`
        update storage.buckets set public = coalesce(${isPublic}, public), updated_at = now(),
          file_size_limit = case when ${keepLimit}::boolean then file_size_limit else ${limit} end,
          allowed_mime_types =
            case when ${keepTypes}::boolean then allowed_mime_types else ${types}::text[] end
        where id = ${call.bucket} returning id`,
  );
  if (!updated) throw refusal.noBucket();
  return Response.json({ message: "Successfully updated" });
}

function limitsOf(body: Record<string, unknown>, most: number) {
  const size = body.file_size_limit;
  const limit = size === undefined || size === null ? null : sizeInBytes(size);
  if (limit !== null && limit > most) throw refusal.tooLarge();
  const types = body.allowed_mime_types ?? null;
  if (types !== null && !Array.isArray(types)) {
    throw refusal.invalid("body/allowed_mime_types must be array");
  }
  const isPublic = typeof body.public === "boolean" ? body.public : null;
  return { isPublic, limit, types };
}

/** POST /bucket/<id>/empty: at once, where hosted puts it into a queue. */
export async function emptyBucket({ tables, bytes }: Storage, call: Call): Promise<Response> {
  const [bucket] = await tables.asCaller(
    occasionOf(call, "bucket.empty"),
    (sql) => sql`select id from storage.buckets where id = ${call.bucket}`,
  );
  if (!bucket) throw refusal.noBucket();
  const removed = await tables.asCaller(
    occasionOf(call, "bucket.empty"),
    (sql) =>
      sql<
        ObjectRow
      >`delete from storage.objects where bucket_id = ${call.bucket} returning version`,
  );
  await bytes.remove(removed.map(({ version }) => version));
  return Response.json({ message: "Successfully emptied" });
}

/** DELETE /bucket/<id>: an empty one. */
export async function deleteBucket(storage: Storage, call: Call): Promise<Response> {
  const [full] = await storage.tables.asServer((sql) =>
    sql`select id from storage.objects where bucket_id = ${call.bucket} limit 1`
  );
  if (full) throw refusal.notEmpty();
  const [deleted] = await storage.tables.asCaller(
    occasionOf(call, "bucket.delete"),
    (sql) => sql`delete from storage.buckets where id = ${call.bucket} returning id`,
  );
  if (!deleted) throw refusal.noBucket();
  return Response.json({ message: "Successfully deleted" });
}
