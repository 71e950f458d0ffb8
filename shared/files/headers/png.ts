import type { ImageHeader } from "../image_header.ts";
import { damaged, Reader, startsWith } from "./bytes.ts";

/** Length, name and checksum around the data of a chunk. */
const frame = 12;

/** Walks the chunks of a PNG, to its last byte. */
export function readPng(bytes: Uint8Array): ImageHeader | undefined {
  if (!startsWith(bytes, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return undefined;
  const reader = new Reader(bytes);
  if (reader.text(12, 4) !== "IHDR") throw damaged("It begins with no header.");
  const size = { width: reader.u32(16), height: reader.u32(20) };
  let hasData = false;
  for (let at = 8;;) {
    const length = reader.u32(at);
    const name = reader.text(at + 4, 4);
    reader.need(at, frame + length);
    at += frame + length;
    if (name === "IDAT") hasData = true;
    if (name !== "IEND") continue;
    if (at !== reader.length) throw damaged("Bytes follow its end.");
    if (!hasData) throw damaged("It holds no picture.");
    return { type: "image/png", ...size };
  }
}
