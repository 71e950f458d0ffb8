import type { Sql } from "../auth/database.ts";
import type { ObjectMetadata, ObjectRow } from "./database.ts";
import { refusal } from "./errors.ts";
import { requireKey } from "./names.ts";
import {
  type Call,
  findAsCaller,
  occasionOf,
  readJson,
  requireBucket,
  requireText,
  type Storage,
} from "./storage.ts";
import { insertRow, type NewRow, putRow, rowOf } from "./upload.ts";

/** What a removal answers of each object: the row without what the server keeps to itself. */
const shown = ({ version: _version, ...row }: ObjectRow) => row;

/** DELETE /object/<bucket>/<name>. */
export async function removeOne(storage: Storage, call: Call): Promise<Response> {
  const removed = await removeRows(storage, call, [call.name], "object.delete");
  if (removed.length === 0) throw refusal.noObject();
  return Response.json({ message: "Successfully deleted" });
}

/** DELETE /object/<bucket> with `prefixes`: those that the caller may delete, and no word of others. */
export async function removeMany(storage: Storage, call: Call): Promise<Response> {
  const { prefixes } = await readJson(call.request);
  if (!Array.isArray(prefixes) || prefixes.length === 0 || prefixes.length > 1000) {
    throw refusal.invalid("body/prefixes must NOT have fewer than 1 or more than 1000 items");
  }
  const names = prefixes.map((entry) => typeof entry === "string" ? entry : String(entry?.path));
  return Response.json(
    (await removeRows(storage, call, names, "object.delete_many")).map(shown),
  );
}

async function removeRows(storage: Storage, call: Call, names: string[], operation: string) {
  const removed = await storage.tables.asCaller(
    occasionOf(call, operation),
    (sql) =>
      sql<ObjectRow>`
        delete from storage.objects
        where bucket_id = ${call.bucket} and name = any (${names}::text[]) returning *`,
  );
  await storage.bytes.remove(removed.map(({ version }) => version));
  return removed;
}

/** POST /object/move: another name, perhaps another bucket, for the same bytes. */
export async function move(storage: Storage, call: Call): Promise<Response> {
  const { from, to } = await readJourney(storage, call);
  await findAsCaller(storage, { ...call, ...from }, "object.move");
  const [moved] = await storage.tables.asCaller(
    occasionOf(call, "object.move"),
    (sql) =>
      sql<ObjectRow>`
        update storage.objects set bucket_id = ${to.bucket}, name = ${to.name}, updated_at = now()
        where bucket_id = ${from.bucket} and name = ${from.name} returning id`,
  );
  if (!moved) throw refusal.noObject();
  return Response.json({
    message: "Successfully moved",
    Id: moved.id,
    Key: `${to.bucket}/${to.name}`,
  });
}

/** POST /object/copy: bytes and row once more, owned by the caller. */
export async function copy(storage: Storage, call: Call): Promise<Response> {
  const { from, to, body } = await readJourney(storage, call);
  const source = await findAsCaller(storage, { ...call, ...from }, "object.copy");
  const version = await storage.bytes.copy(source.version);
  if (version === undefined) throw refusal.noObject();
  const row = rowOf(
    to,
    call.caller?.owner,
    copiedMetadata(source, body),
    source.user_metadata,
    version,
  );
  const upsert = call.request.headers.get("x-upsert") === "true";
  try {
    const replaced = await storage.tables.asCaller(
      occasionOf(call, "object.copy"),
      (sql) => upsert ? replaceRow(sql, row) : insertRow(sql, row).then(() => undefined),
    );
    if (replaced) await storage.bytes.remove([replaced]);
  } catch (error) {
    await storage.bytes.remove([version]);
    throw error;
  }
  return Response.json({ Id: version, Key: `${to.bucket}/${to.name}` });
}

/** Writes the row, and tells whose bytes it replaced. */
async function replaceRow(sql: Sql, row: NewRow): Promise<string | undefined> {
  const [prior] = await sql<ObjectRow>`
    select version from storage.objects where bucket_id = ${row.bucket} and name = ${row.name}`;
  await putRow(sql, row);
  return prior?.version;
}

async function readJourney(storage: Storage, { request }: Call) {
  const body = await readJson(request);
  const from = { bucket: requireText(body, "bucketId"), name: requireText(body, "sourceKey") };
  const to = {
    bucket: typeof body.destinationBucket === "string" ? body.destinationBucket : from.bucket,
    name: requireText(body, "destinationKey"),
  };
  requireKey(to.name);
  if (to.bucket !== from.bucket) await requireBucket(storage, to.bucket);
  return { from, to, body };
}

function copiedMetadata({ metadata }: ObjectRow, body: Record<string, unknown>): ObjectMetadata {
  const lastModified = new Date().toISOString();
  if (body.copyMetadata !== false) return { ...metadata, lastModified };
  const given = (body.metadata ?? {}) as Partial<ObjectMetadata>;
  return {
    ...metadata,
    cacheControl: given.cacheControl ?? "no-cache",
    mimetype: given.mimetype ?? "application/octet-stream",
    lastModified,
  };
}
