import type { ImageHeader } from "../image_header.ts";
import { damaged, Reader } from "./bytes.ts";

type Size = Pick<ImageHeader, "width" | "height">;

/** Walks the chunks of a WebP, to its last byte. */
export function readWebp(bytes: Uint8Array): ImageHeader | undefined {
  const reader = new Reader(bytes);
  if (reader.length < 12 || reader.text(0, 4) !== "RIFF" || reader.text(8, 4) !== "WEBP") {
    return undefined;
  }
  const end = 8 + reader.u32(4, true);
  if (end > reader.length) throw damaged("It breaks off.");
  // A byte of padding may be counted or not.
  if (end + (end & 1) < reader.length) throw damaged("Bytes follow its end.");
  let size: Size | undefined;
  let hasData = false;
  for (let at = 12; at < end;) {
    const name = reader.text(at, 4);
    const length = reader.u32(at + 4, true);
    reader.need(at + 8, length);
    size ??= sizeIn(reader, name, at + 8);
    if (["VP8 ", "VP8L", "ANMF"].includes(name)) hasData = true;
    at += 8 + length + (length & 1);
  }
  if (!size || !hasData) throw damaged("It holds no picture.");
  return { type: "image/webp", ...size };
}

function sizeIn(reader: Reader, name: string, at: number): Size | undefined {
  switch (name) {
    case "VP8X":
      return { width: 1 + reader.u24le(at + 4), height: 1 + reader.u24le(at + 7) };
    case "VP8L": {
      if (reader.u8(at) !== 0x2f) throw damaged("It has no size.");
      const bits = reader.u32(at + 1, true);
      return { width: 1 + (bits & 0x3fff), height: 1 + (bits >>> 14 & 0x3fff) };
    }
    case "VP8 ":
      if (reader.u24le(at + 3) !== 0x2a019d) throw damaged("It has no size.");
      return {
        width: reader.u16(at + 6, true) & 0x3fff,
        height: reader.u16(at + 8, true) & 0x3fff,
      };
    default:
      return undefined;
  }
}
