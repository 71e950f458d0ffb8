import { ProblemError } from "../errors/problem.ts";
import type { ImageHeader } from "./image_header.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * The same picture, pixel for pixel, without what a camera notes beside it: place, time, device, the
 * owner's name. How it was held stays. A GIF has no such notes. For pictures that everybody sees.
 */
export function withoutNotes(bytes: Bytes, { type }: ImageHeader): Bytes {
  try {
    if (type === "image/jpeg") return cleanJpeg(bytes);
    if (type === "image/png") return cleanPng(bytes);
    if (type === "image/webp") return cleanWebp(bytes);
    return bytes;
  } catch (cause) {
    // What cannot be taken apart might keep its notes.
    throw new ProblemError("files.damaged", { detail: "Its notes cannot be read.", cause });
  }
}

const viewOf = (bytes: Bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const nameAt = (bytes: Bytes, at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));

const concat = (parts: Bytes[]): Bytes => {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

const jpeg = { exif: 0xe1, photoshop: 0xed, comment: 0xfe, scan: 0xda };

function cleanJpeg(bytes: Bytes): Bytes {
  const view = viewOf(bytes);
  const kept: Bytes[] = [bytes.subarray(0, 2)];
  let at = 2;
  while (view.getUint8(at + 1) !== jpeg.scan) {
    // Fill bytes may stand before a marker.
    if (view.getUint8(at + 1) === 0xff) {
      at++;
      continue;
    }
    const code = view.getUint8(at + 1);
    const segment = bytes.subarray(at, at + 2 + view.getUint16(at + 2));
    if (code === jpeg.exif) kept.push(orientationOnly(segment));
    else if (code !== jpeg.photoshop && code !== jpeg.comment) kept.push(segment);
    at += segment.length;
  }
  return concat([...kept, bytes.subarray(at)]);
}

const orientationTag = 0x0112;

/** An Exif segment that says how the camera was held, and nothing else; empty where it was upright. */
function orientationOnly(segment: Bytes): Bytes {
  const orientation = orientationIn(segment);
  if (orientation <= 1 || orientation > 8) return new Uint8Array();
  const entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0];
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, ...entry, 0, 0, 0, 0];
  const body = [...new TextEncoder().encode("Exif\0\0"), ...tiff];
  return new Uint8Array([0xff, jpeg.exif, 0, body.length + 2, ...body]);
}

function orientationIn(segment: Bytes): number {
  if (nameAt(segment, 4) !== "Exif" || segment.length < 24) return 1;
  const tiff = segment.slice(10);
  const view = viewOf(tiff);
  const little = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, little);
  const readable = (at: number, count: number) => at >= 0 && at + count <= tiff.length;
  if (!readable(directory, 2)) return 1;
  const entries = view.getUint16(directory, little);
  for (let at = directory + 2; at < directory + 2 + 12 * entries && readable(at, 12); at += 12) {
    if (view.getUint16(at, little) === orientationTag) return view.getUint16(at + 8, little);
  }
  return 1;
}

const pngNotes = ["eXIf", "iTXt", "tEXt", "tIME", "zTXt"];

function cleanPng(bytes: Bytes): Bytes {
  const view = viewOf(bytes);
  const kept: Bytes[] = [bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length;) {
    const chunk = bytes.subarray(at, at + 12 + view.getUint32(at));
    if (!pngNotes.includes(nameAt(chunk, 4))) kept.push(chunk);
    at += chunk.length;
  }
  return concat(kept);
}

/** Flags of a WebP's header that announce the chunks which are taken out. */
const announced = 0x08 | 0x04;

function cleanWebp(bytes: Bytes): Bytes {
  const view = viewOf(bytes);
  const kept: Bytes[] = [bytes.slice(0, 12)];
  for (let at = 12; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4, true);
    const chunk = bytes.slice(at, at + 8 + length + (length & 1));
    const name = nameAt(chunk, 0);
    if (name === "VP8X") chunk[8]! &= ~announced;
    if (name !== "EXIF" && name !== "XMP ") kept.push(chunk);
    at += chunk.length;
  }
  const whole = concat(kept);
  viewOf(whole).setUint32(4, whole.length - 8, true);
  return whole;
}
