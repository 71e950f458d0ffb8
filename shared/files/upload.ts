import { Buffer } from "node:buffer";
import type { Database } from "../database/client.ts";
import { ProblemError } from "../errors/problem.ts";
import { audioType } from "./audio_header.ts";
import { decode, isDecodable, toWebp } from "./codecs.ts";
import { type ImageHeader, isPdf, readImageHeader } from "./image_header.ts";
import { withoutNotes } from "./metadata.ts";
import { folderOf, safeName, variantPath } from "./names.ts";
import type { Store } from "./store.ts";

/** A row of `files`, as far as the functions need it. */
export interface FileRow {
  tenant_id: string;
  id: string;
  bucket: "avatars" | "images" | "documents" | "attachments";
  path: string;
  content_type: string;
  size: number;
  width: number | null;
  height: number | null;
  status: "pending" | "held" | "released" | "rejected" | "deleted";
}

/** The doors an upload goes through: its right is the caller's, its bytes are the server's. */
export interface UploadDoors {
  asCaller: Database;
  asService: Database;
  store: Store;
}

export interface UploadRequest {
  tenantId: string;
  bucket: string;
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** What the bytes say of a file, for whoever takes room for it. */
export interface Announced {
  name: string;
  content_type: string;
  size: number;
  width: number | null;
  height: number | null;
}

/** How an upload begins and ends, for capabilities that have more to say about it than files. */
export interface UploadSteps<T> {
  bucket: string;
  begin(file: Announced): Promise<FileRow>;
  finish(row: { tenant_id: string; file: string; sha256: string }): Promise<T>;
}

/** The answer to an upload. */
export interface Upload {
  id: string;
  bucket: FileRow["bucket"];
  path: string;
  content_type: string;
  size: number;
  width: number | null;
  height: number | null;
  webp: { path: string; size: number; saving_percent: number } | null;
}

/** Takes an upload of the caller's into one of their buckets. */
export async function keepUpload(doors: UploadDoors, request: UploadRequest): Promise<Upload> {
  const { asCaller, asService } = doors;
  const { bucket, tenantId: tenant_id } = request;
  const { begun, webp } = await takeUpload(doors, request, {
    bucket,
    begin: (file) => asCaller.rpc("files_begin", { tenant_id, bucket, ...file }),
    finish: (row) => asService.rpc("files_finish", row),
  });
  const { id, path, content_type, size, width, height } = begun;
  return { id, bucket: begun.bucket, path, content_type, size, width, height, webp };
}

/**
 * Takes an upload from its bytes to its row: looks at the bytes, lets the database decide on rights
 * and room, and keeps original and WebP. Of one that fails on the way nothing stays.
 */
export async function takeUpload<T>(
  doors: UploadDoors,
  request: Pick<UploadRequest, "name" | "bytes">,
  { bucket, begin, finish }: UploadSteps<T>,
): Promise<{ begun: FileRow; webp: Upload["webp"]; finished: T }> {
  const { asService, store } = doors;
  const { image, ...announced } = lookAt(request, bucket);
  const { content_type } = announced;
  // What everybody sees must not say where its owner lives.
  const bytes = image && bucket === "avatars" ? withoutNotes(request.bytes, image) : request.bytes;
  const begun = await begin({ ...announced, size: bytes.byteLength });
  const row = { tenant_id: begun.tenant_id, file: begun.id };
  try {
    const webp = image && await keepWebp(doors, begun, bytes, image);
    await store.put(begun.bucket, begun.path, bytes, content_type);
    const finished = await finish({ ...row, sha256: await sha256(bytes) });
    return { begun, webp: webp ?? null, finished };
  } catch (error) {
    // The row may be gone already, by whoever deleted the file meanwhile: then nobody else would find
    // the objects. Where this fails, too, the sweep finds the file by its age.
    await removeObjects(store, begun).catch(() => {});
    await asService.rpc("files_abandon", row).catch(() => {});
    throw error;
  }
}

/** What the bytes are, whatever they are called; ends as `files.type_unsupported` for all else. */
export function lookAt(
  { name, bytes }: Pick<UploadRequest, "name" | "bytes">,
  bucket: string,
): Announced & { image: ImageHeader | undefined } {
  const image = readImageHeader(bytes);
  const content_type = image?.type ?? typeOfOther(bytes, bucket);
  if (!content_type) throw new ProblemError("files.type_unsupported");
  return {
    image,
    name: safeName(name, content_type),
    content_type,
    size: bytes.byteLength,
    width: image?.width ?? null,
    height: image?.height ?? null,
  };
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex");
}

/** What is no picture: a PDF, or in attachments a voice message. */
function typeOfOther(bytes: Uint8Array, bucket: string): string | undefined {
  if (isPdf(bytes)) return "application/pdf";
  return bucket === "attachments" ? audioType(bytes) : undefined;
}

/** The smaller copy; undefined where none is made, or it would not be smaller. */
async function keepWebp(
  { asService, store }: UploadDoors,
  file: FileRow,
  bytes: Uint8Array<ArrayBuffer>,
  image: ImageHeader,
): Promise<Upload["webp"]> {
  if (image.type === "image/webp" || !isDecodable(image)) return null;
  const pixels = await decode(bytes, image);
  const webp = await toWebp(pixels);
  const saved = 1 - webp.byteLength / bytes.byteLength;
  if (saved <= 0) return null;
  const path = await keepVariant({ asService, store }, file, "webp", webp, pixels);
  return { path, size: webp.byteLength, saving_percent: Math.floor(saved * 100) };
}

/** Keeps a derived picture of the file and notes it; of a file that is gone meanwhile, nothing stays. */
export async function keepVariant(
  { asService, store }: Pick<UploadDoors, "asService" | "store">,
  file: FileRow,
  kind: "webp" | "thumbnail",
  bytes: Uint8Array<ArrayBuffer>,
  { width, height }: { width: number; height: number },
): Promise<string> {
  const path = variantPath(file.path, kind);
  const content_type = "image/webp";
  await store.put(file.bucket, path, bytes, content_type);
  try {
    await asService.rpc("files_add_variant", {
      tenant_id: file.tenant_id,
      file: file.id,
      kind,
      path,
      content_type,
      size: bytes.byteLength,
      width,
      height,
    });
  } catch (error) {
    await store.remove(file.bucket, [path]).catch(() => {});
    throw error;
  }
  return path;
}

/** Removes every object of a file, noted or not, wherever it was on its way to. */
export async function removeObjects(store: Store, { path }: Pick<FileRow, "path">): Promise<void> {
  for (const bucket of ["avatars", "images", "documents", "attachments", "exports"]) {
    await store.remove(bucket, await store.list(bucket, folderOf(path)));
  }
}
