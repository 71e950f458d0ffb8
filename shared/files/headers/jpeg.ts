import type { ImageHeader } from "../image_header.ts";
import { damaged, Reader, startsWith } from "./bytes.ts";

/** Each scan of a progressive picture is a pass over all of it; cameras make about ten. */
const mostScans = 64;

const marker = { end: 0xd9, scan: 0xda };

const isFrame = (code: number) =>
  code >= 0xc0 && code <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(code);

const standsAlone = (code: number) => code === 0x01 || (code >= 0xd0 && code <= 0xd8);

/**
 * Walks the segments of a JPEG to its end. Bytes behind the end are let be: telephones put the
 * moving part of a picture there.
 */
export function readJpeg(bytes: Uint8Array): ImageHeader | undefined {
  if (!startsWith(bytes, 0xff, 0xd8, 0xff)) return undefined;
  const reader = new Reader(bytes);
  let size: Omit<ImageHeader, "type"> | undefined;
  let scans = 0;
  for (let at = 2;;) {
    at = nextMarker(reader, at);
    const code = reader.u8(at++);
    if (code === marker.end) break;
    if (standsAlone(code)) continue;
    const length = reader.u16(at);
    if (length < 2) throw damaged("A segment has no length.");
    reader.need(at, length);
    if (isFrame(code)) {
      if (size) throw damaged("It has two sizes.");
      const usual = reader.u8(at + 2) === 8 && reader.u8(at + 7) <= 3;
      size = {
        height: reader.u16(at + 3),
        width: reader.u16(at + 5),
        ...(usual ? {} : { unusual: true }),
      };
    }
    if (code === marker.scan && ++scans > mostScans) throw damaged("It has too many scans.");
    at += length;
  }
  if (!size || scans === 0) throw damaged("It holds no picture.");
  return { type: "image/jpeg", ...size };
}

/** The place of the next marker's code: past what a scan holds, where 0xff stands before 0 for itself. */
function nextMarker(reader: Reader, from: number): number {
  for (let at = from;;) {
    at = reader.bytes.indexOf(0xff, at);
    if (at < 0) throw damaged("It breaks off.");
    while (reader.u8(at) === 0xff) at++;
    if (reader.u8(at) !== 0) return at;
  }
}
