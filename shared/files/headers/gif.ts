import type { ImageHeader } from "../image_header.ts";
import { damaged, Reader, startsWith } from "./bytes.ts";

const block = { extension: 0x21, image: 0x2c, end: 0x3b };

/** Bytes of the colour table that packed flags announce. */
const tableSize = (flags: number) => flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;

/** Walks the blocks of a GIF, to its last byte: text that merely begins like one is none. */
export function readGif(bytes: Uint8Array): ImageHeader | undefined {
  if (!startsWith(bytes, 0x47, 0x49, 0x46, 0x38)) return undefined;
  const reader = new Reader(bytes);
  if (!/^GIF8[79]a$/.test(reader.text(0, 6))) return undefined;
  const size = { width: reader.u16(6, true), height: reader.u16(8, true) };
  let frames = 0;
  for (let at = 13 + tableSize(reader.u8(10));;) {
    const kind = reader.u8(at++);
    if (kind === block.extension) at = pastSubBlocks(reader, at + 1);
    else if (kind === block.image) {
      frames++;
      at = pastSubBlocks(reader, at + 10 + tableSize(reader.u8(at + 8)));
    } else if (kind === block.end) {
      if (at !== reader.length) throw damaged("Bytes follow its end.");
      if (frames === 0) throw damaged("It holds no picture.");
      return { type: "image/gif", ...size };
    } else throw damaged("It holds an unknown block.");
  }
}

function pastSubBlocks(reader: Reader, from: number): number {
  let at = from;
  while (reader.u8(at) !== 0) at += 1 + reader.u8(at);
  return at + 1;
}
