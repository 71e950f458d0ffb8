import decodeJpeg, { init as initJpeg } from "@jsquash/jpeg/decode.js";
import decodePng, { init as initPng } from "@jsquash/png/decode.js";
import decodeWebp, { init as initDecoder } from "@jsquash/webp/decode.js";
import encodeWebp, { init as initEncoder } from "@jsquash/webp/encode.js";
import { ProblemError } from "../errors/problem.ts";
import type { ImageHeader } from "./image_header.ts";

/** A decoded picture: four bytes a pixel. */
export interface Pixels {
  data: Uint8ClampedArray<ArrayBuffer>;
  width: number;
  height: number;
}

/** Decoding and encoding so many takes half a second of CPU, which a function may use. */
export const mostDecodedPixels = 8_000_000;

const quality = 80;

/** Effort of the encoder: 0.4 s of CPU for 8 megapixels; twice that would save one part in twenty. */
const method = 1;

/** The WebAssembly of a codec, from its package: codecs of native code do not run on edge functions. */
async function wasm(packageFile: string, file: string): Promise<WebAssembly.Module> {
  return await WebAssembly.compile(await Deno.readFile(new URL(file, packageFile)));
}

/** Starts a codec when it is first needed, once. */
function once(start: () => Promise<unknown>): () => Promise<unknown> {
  let started: Promise<unknown> | undefined;
  return () => started ??= start();
}

// The packages' types say that they take options alone; their code takes the module, too.
type Init = (module: WebAssembly.Module) => Promise<unknown>;

const start = {
  jpeg: once(async () => {
    const from = import.meta.resolve("@jsquash/jpeg/decode.js");
    await (initJpeg as unknown as Init)(await wasm(from, "./codec/dec/mozjpeg_dec.wasm"));
  }),
  png: once(async () => {
    const from = import.meta.resolve("@jsquash/png/decode.js");
    await initPng(await wasm(from, "./codec/pkg/squoosh_png_bg.wasm"));
  }),
  webp: once(async () => {
    const from = import.meta.resolve("@jsquash/webp/decode.js");
    await (initDecoder as unknown as Init)(await wasm(from, "./codec/dec/webp_dec.wasm"));
  }),
  encoder: once(async () => {
    const from = import.meta.resolve("@jsquash/webp/encode.js");
    await (initEncoder as unknown as Init)(await wasm(from, "./codec/enc/webp_enc_simd.wasm"));
  }),
};

// The memory of a codec grows with its largest picture and stays. One picture is worked on at a
// time, or a few at once would go past what an edge function may use.
let last: Promise<unknown> = Promise.resolve();
function oneAtATime<T>(work: () => Promise<T>): Promise<T> {
  const turn = last.then(work);
  last = turn.catch(() => {});
  return turn;
}

const decoders = {
  "image/jpeg": async (bytes: ArrayBuffer) => {
    await start.jpeg();
    // The derived picture carries no note of how the camera was held, so it is turned.
    return await decodeJpeg(bytes, { preserveOrientation: true });
  },
  "image/png": async (bytes: ArrayBuffer) => {
    await start.png();
    return await decodePng(bytes);
  },
  "image/webp": async (bytes: ArrayBuffer) => {
    await start.webp();
    return await decodeWebp(bytes);
  },
};

/** Whether the picture can be decoded here, and within the limits. */
export const isDecodable = ({ type, width, height, unusual }: ImageHeader): boolean =>
  type in decoders && !unusual && width * height <= mostDecodedPixels;

/** Decodes a picture that `isDecodable`; fails with `files.damaged`. */
export function decode(bytes: Uint8Array<ArrayBuffer>, header: ImageHeader): Promise<Pixels> {
  return oneAtATime(async () => {
    try {
      const { data, width, height } = await decoders[header.type as keyof typeof decoders](
        bytes.slice().buffer,
      );
      if (width * height !== header.width * header.height) throw new Error("another size");
      return { data: data as Pixels["data"], width, height };
    } catch (cause) {
      throw new ProblemError("files.damaged", { detail: "It cannot be decoded.", cause });
    }
  });
}

/** Encodes pixels as WebP. */
export function toWebp({ data, width, height }: Pixels): Promise<Uint8Array<ArrayBuffer>> {
  return oneAtATime(async () => {
    await start.encoder();
    const picture = { data, width, height, colorSpace: "srgb" as const } as ImageData;
    return new Uint8Array(await encodeWebp(picture, { quality, method }));
  });
}

/** The picture, made to fit into a square of `side` pixels by averaging; itself when it fits already. */
export function fitInto(pixels: Pixels, side: number): Pixels {
  const scale = side / Math.max(pixels.width, pixels.height);
  if (scale >= 1) return pixels;
  const width = Math.max(1, Math.round(pixels.width * scale));
  const height = Math.max(1, Math.round(pixels.height * scale));
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) average(pixels, data, x, y, width, height);
  }
  return { data, width, height };
}

/** One pixel of the smaller picture. Transparent pixels have no say in the colour. */
function average(from: Pixels, to: Uint8ClampedArray, x: number, y: number, w: number, h: number) {
  const left = Math.floor(x * from.width / w);
  const right = Math.max(left + 1, Math.floor((x + 1) * from.width / w));
  const top = Math.floor(y * from.height / h);
  const bottom = Math.max(top + 1, Math.floor((y + 1) * from.height / h));
  let red = 0, green = 0, blue = 0, alpha = 0;
  for (let row = top; row < bottom; row++) {
    for (let at = (row * from.width + left) * 4, n = right - left; n > 0; n--, at += 4) {
      const weight = from.data[at + 3]!;
      red += from.data[at]! * weight;
      green += from.data[at + 1]! * weight;
      blue += from.data[at + 2]! * weight;
      alpha += weight;
    }
  }
  const at = (y * w + x) * 4;
  to[at] = red / (alpha || 1);
  to[at + 1] = green / (alpha || 1);
  to[at + 2] = blue / (alpha || 1);
  to[at + 3] = alpha / ((right - left) * (bottom - top));
}
