import { ProblemError } from "../errors/problem.ts";
import { readGif } from "./headers/gif.ts";
import { readJpeg } from "./headers/jpeg.ts";
import { readPng } from "./headers/png.ts";
import { readWebp } from "./headers/webp.ts";

/** What the bytes of a picture say of themselves, before anything is decoded. */
export interface ImageHeader {
  type: "image/gif" | "image/jpeg" | "image/png" | "image/webp";
  width: number;
  height: number;
  /** Its colours are for print, or finer than usual: a good picture that our decoder does not take. */
  unusual?: true;
}

/** More would cost whoever looks at the picture more memory than it is worth. */
export const mostPixels = 50_000_000;

const readers = [readJpeg, readPng, readGif, readWebp];

/**
 * Tells a picture by its bytes, whatever it is called, and reads its size from its own structure:
 * undefined for anything else. Fails with `files.damaged` for one that breaks off or hides bytes
 * behind its end, and with `files.too_many_pixels` for one that would be too large to decode.
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader | undefined {
  for (const read of readers) {
    const header = read(bytes);
    if (!header) continue;
    const { width, height } = header;
    if (width < 1 || height < 1) throw damaged("It has no size.");
    if (width * height > mostPixels) {
      throw new ProblemError("files.too_many_pixels", {
        detail: `${width} x ${height}, at most ${mostPixels / 1e6} megapixels.`,
      });
    }
    return header;
  }
  return undefined;
}

/** Whether the file is a PDF. Nothing in it is looked at: it is for readers, not for us. */
export const isPdf = (bytes: Uint8Array): boolean =>
  new TextDecoder("latin1").decode(bytes.subarray(0, 8)).startsWith("%PDF-");

const damaged = (detail: string) => new ProblemError("files.damaged", { detail });
