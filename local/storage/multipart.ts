import { Buffer } from "node:buffer";

/** One field of a form. */
export interface FormPart {
  name: string;
  /** Undefined for plain fields. */
  fileName: string | undefined;
  type: string | undefined;
  bytes: Uint8Array<ArrayBuffer>;
}

const lineEnd = "\r\n";

/**
 * Reads `multipart/form-data`. Not `Response.formData()`: storage-js names the file's field with
 * the empty string, and Deno drops fields without a name.
 */
export function parseMultipart(body: Uint8Array<ArrayBuffer>, contentType: string): FormPart[] {
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (boundary === undefined) return [];
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const parts: FormPart[] = [];
  const opening = `--${boundary}`;
  const closing = lineEnd + opening;
  let at = bytes.indexOf(opening);
  while (at >= 0) {
    const head = at + opening.length + lineEnd.length;
    const blank = bytes.indexOf(lineEnd + lineEnd, head);
    const end = blank < 0 ? -1 : bytes.indexOf(closing, blank);
    if (end < 0) break;
    const start = blank + 2 * lineEnd.length;
    const part = partOf(
      bytes.toString("utf8", head, blank),
      body.slice(start, Math.max(start, end)),
    );
    if (part) parts.push(part);
    at = end + lineEnd.length;
  }
  return parts;
}

function partOf(head: string, bytes: Uint8Array<ArrayBuffer>): FormPart | undefined {
  const headers = new Map(
    head.split(lineEnd).map((line) => {
      const [name = "", ...value] = line.split(":");
      return [name.trim().toLowerCase(), value.join(":").trim()];
    }),
  );
  const disposition = headers.get("content-disposition") ?? "";
  const name = /[; ]name="([^"]*)"/.exec(disposition)?.[1];
  if (name === undefined) return undefined;
  const fileName = /[; ]filename="([^"]*)"/.exec(disposition)?.[1];
  return { name, fileName, type: headers.get("content-type"), bytes };
}
