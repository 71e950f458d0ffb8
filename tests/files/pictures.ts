import encodeJpeg, { init as initJpeg } from "@jsquash/jpeg/encode.js";
import encodePng, { init as initPng } from "@jsquash/png/encode.js";
import { type Pixels, toWebp } from "shared/files/codecs.ts";

/** A picture with soft colours, about as compressible as a photograph. */
export function draw(width: number, height: number): Pixels {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      data[at] = 128 + 100 * Math.sin(x / 9) * Math.cos(y / 7);
      data[at + 1] = 255 * x / width;
      data[at + 2] = 255 * y / height;
      data[at + 3] = 255;
    }
  }
  return { data, width, height };
}

const wasm = async (packageFile: string, file: string) =>
  await WebAssembly.compile(await Deno.readFile(new URL(file, packageFile)));

const asImageData = (pixels: Pixels) => ({ ...pixels, colorSpace: "srgb" }) as ImageData;

export async function jpeg(width = 64, height = 48): Promise<Uint8Array<ArrayBuffer>> {
  const module = await wasm(
    import.meta.resolve("@jsquash/jpeg/encode.js"),
    "./codec/enc/mozjpeg_enc.wasm",
  );
  await initJpeg(module as never);
  return new Uint8Array(await encodeJpeg(asImageData(draw(width, height)), { quality: 90 }));
}

export async function png(width = 64, height = 48): Promise<Uint8Array<ArrayBuffer>> {
  await initPng(
    await wasm(import.meta.resolve("@jsquash/png/encode.js"), "./codec/pkg/squoosh_png_bg.wasm"),
  );
  return new Uint8Array(await encodePng(asImageData(draw(width, height))));
}

export const webp = (width = 64, height = 48): Promise<Uint8Array<ArrayBuffer>> =>
  toWebp(draw(width, height));

/** The smallest GIF: one pixel, or any other size that its header is to claim. */
export function gif(width = 1, height = 1): Uint8Array<ArrayBuffer> {
  const size = [width & 255, width >> 8, height & 255, height >> 8];
  return new Uint8Array([
    ...new TextEncoder().encode("GIF89a"),
    ...[...size, 0x80, 0, 0, 0, 0, 0, 255, 255, 255],
    ...[0x2c, 0, 0, 0, 0, ...size, 0, 2, 2, 0x44, 1, 0, 0x3b],
  ]);
}

export const pdf = (): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode("%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n");

/** The picture with other bytes from `at` on. */
export function changed(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  ...values: number[]
): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

export const joined = (...parts: (Uint8Array | string)[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    parts.flatMap((
      part,
    ) => [...(typeof part === "string" ? new TextEncoder().encode(part) : part)]),
  );

/** The JPEG with an Exif segment: how the camera was held, and where. */
export function withExif(
  picture: Uint8Array<ArrayBuffer>,
  orientation: number,
): Uint8Array<ArrayBuffer> {
  const tiff = [
    ...[0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1],
    ...[0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0],
    ...[0, 0, 0, 0],
  ];
  const body = [
    ...new TextEncoder().encode("Exif\0\0"),
    ...tiff,
    ...new TextEncoder().encode("GPS 47.3769,8.5417"),
  ];
  const segment = [0xff, 0xe1, (body.length + 2) >> 8, (body.length + 2) & 255, ...body];
  return joined(picture.subarray(0, 2), new Uint8Array(segment), picture.subarray(2));
}
