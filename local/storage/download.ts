import type { ObjectRow } from "./database.ts";
import { refusal } from "./errors.ts";
import { type Call, findAsCaller, findAsServer, requireBucket, type Storage } from "./storage.ts";

/** GET /object/public/<bucket>/<name>: of public buckets alone, for everybody. */
export async function openPublic(storage: Storage, call: Call): Promise<Response> {
  return await send(storage, call, await findPublic(storage, call));
}

/** GET /object/<bucket>/<name>, and …/authenticated/…: what the caller may read. */
export async function openAuthenticated(storage: Storage, call: Call): Promise<Response> {
  return await send(storage, call, await findReadable(storage, call, "object.get_authenticated"));
}

async function findPublic(storage: Storage, call: Call): Promise<ObjectRow> {
  if (!(await requireBucket(storage, call.bucket)).public) throw refusal.noBucket();
  return await findAsServer(storage, call);
}

async function findReadable(storage: Storage, call: Call, operation: string): Promise<ObjectRow> {
  const bucket = await requireBucket(storage, call.bucket);
  if (bucket.public) return await findAsServer(storage, call);
  if (!call.caller) throw refusal.noBucket();
  return await findAsCaller(storage, call, operation);
}

/** GET /object/info/…: what is known of the object, as JSON. */
export async function info(storage: Storage, call: Call, open = false): Promise<Response> {
  const found = open
    ? await findPublic(storage, call)
    : await findReadable(storage, call, "object.get_authenticated_info");
  const { id, name, version, bucket_id, metadata, user_metadata, created_at } = found;
  return Response.json({
    id,
    name,
    version,
    bucket_id,
    size: metadata.size,
    content_type: metadata.mimetype,
    content_encoding: metadata.contentEncoding ?? null,
    cache_control: metadata.cacheControl,
    etag: metadata.eTag,
    metadata: user_metadata ?? {},
    last_modified: metadata.lastModified,
    created_at,
  });
}

/** Sends the object, or the part of it that is asked for; nothing when the client has it already. */
export async function send(
  { bytes }: Storage,
  { request, query }: Call,
  { version, metadata }: ObjectRow,
  { expires }: { expires?: string } = {},
): Promise<Response> {
  const headers = headersOf(metadata, expires, query.get("download"));
  if (isFresh(request.headers, metadata)) return new Response(null, { status: 304, headers });
  const { size } = metadata;
  const range = rangeOf(request.headers.get("range"), size);
  if (range === "unsatisfiable") {
    return new Response(null, { status: 416, headers: { "content-range": `bytes */${size}` } });
  }
  const { start, length } = range ?? { start: 0, length: size };
  headers.set("content-length", String(length));
  if (range) headers.set("content-range", `bytes ${start}-${start + length - 1}/${size}`);
  const status = range ? 206 : 200;
  if (request.method === "HEAD") return new Response(null, { status, headers });
  const body = await bytes.read(version, start, length);
  if (!body) throw refusal.noObject();
  return new Response(body, { status, headers });
}

function headersOf(
  metadata: ObjectRow["metadata"],
  expires: string | undefined,
  download: string | null,
): Headers {
  // Hosted serves no pages: what says it is HTML arrives as plain text.
  const type = metadata.mimetype.includes("text/html") ? "text/plain" : metadata.mimetype;
  const headers = new Headers({
    "accept-ranges": "bytes",
    "content-type": type,
    "etag": metadata.eTag,
    "last-modified": new Date(metadata.lastModified).toUTCString(),
    "x-robots-tag": "none",
  });
  if (expires === undefined) headers.set("cache-control", metadata.cacheControl);
  else headers.set("expires", expires);
  if (metadata.contentEncoding) headers.set("content-encoding", metadata.contentEncoding);
  if (download !== null) {
    const name = encodeURIComponent(download);
    const attachment = `attachment; filename=${name}; filename*=UTF-8''${name};`;
    headers.set("content-disposition", download === "" ? "attachment;" : attachment);
  }
  return headers;
}

function isFresh(headers: Headers, { eTag, lastModified }: ObjectRow["metadata"]): boolean {
  const tags = headers.get("if-none-match");
  if (tags !== null) {
    return tags.split(",").map((tag) => tag.trim().replace(/^W\//, ""))
      .some((tag) => tag === "*" || tag === eTag);
  }
  const since = Date.parse(headers.get("if-modified-since") ?? "");
  return Math.floor(Date.parse(lastModified) / 1000) * 1000 <= since;
}

/** One range of bytes; undefined where none, or several, are asked for. */
function rangeOf(header: string | null, size: number) {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === undefined || (first === "" && last === "")) return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (start >= size || end < start) return "unsatisfiable";
  return { start, length: end - start + 1 };
}
