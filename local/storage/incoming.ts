import { Buffer } from "node:buffer";
import { refusal } from "./errors.ts";
import { parseMultipart } from "./multipart.ts";

/** What a client uploads, before its bytes are kept. */
export interface Incoming {
  body: ReadableStream<Uint8Array>;
  type: string;
  cacheControl: string;
  contentEncoding: string | undefined;
  metadata: Record<string, unknown> | null;
}

/** Room for the fields of a form beside its file. */
const formOverhead = 65_536;

/** Reads an upload: a form as storage-js sends Blobs, or the bytes themselves. */
export async function readIncoming(request: Request, limit: number): Promise<Incoming> {
  const type = request.headers.get("content-type") ?? "application/octet-stream";
  if (Number(request.headers.get("content-length") ?? 0) > limit + formOverhead) {
    throw refusal.tooLarge();
  }
  return type.startsWith("multipart/form-data")
    ? await readForm(request, type, limit)
    : readRaw(request, type);
}

function readRaw({ headers, body }: Request, type: string): Incoming {
  const metadata = headers.get("x-metadata");
  return {
    body: body ?? new Blob([]).stream(),
    type,
    cacheControl: headers.get("cache-control") ?? "no-cache",
    contentEncoding: headers.get("content-encoding") ?? undefined,
    metadata: metadata === null
      ? null
      : parseMetadata(Buffer.from(metadata, "base64").toString("utf8")),
  };
}

async function readForm(request: Request, type: string, limit: number): Promise<Incoming> {
  if (request.body === null) throw refusal.noContent();
  const form = parseMultipart(await readAll(request.body, limit + formOverhead), type);
  const file = form.find(({ fileName }) => fileName !== undefined);
  if (!file) throw refusal.noContent();
  const text = new TextDecoder();
  const field = (name: string) => {
    const found = form.find((part) => part.name === name && part.fileName === undefined);
    return found && text.decode(found.bytes);
  };
  const seconds = field("cacheControl");
  const metadata = field("metadata");
  return {
    body: new Blob([file.bytes]).stream(),
    type: file.type ?? "application/octet-stream",
    cacheControl: seconds ? `max-age=${seconds}` : "no-cache",
    contentEncoding: field("contentEncoding"),
    metadata: metadata === undefined ? null : parseMetadata(metadata),
  };
}

async function readAll(
  body: ReadableStream<Uint8Array>,
  limit: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > limit) throw refusal.tooLarge();
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/** Metadata that is no JSON object counts as none, as storage-api has it. */
function parseMetadata(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? value as Record<string, unknown> : null;
  } catch {
    return null;
  }
}
