import assert from "node:assert/strict";
import { decode } from "shared/files/codecs.ts";
import { readImageHeader } from "shared/files/image_header.ts";
import { withoutNotes } from "shared/files/metadata.ts";
import { gif, joined, jpeg, png, webp, withExif } from "../../files/pictures.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const note = "GPS 47.3769,8.5417";
const clean = (bytes: Bytes) => withoutNotes(bytes, readImageHeader(bytes)!);
const textOf = (bytes: Bytes) => new TextDecoder("latin1").decode(bytes);
const pixelsOf = (bytes: Bytes) => decode(bytes, readImageHeader(bytes)!);
const u32 = (value: number, littleEndian = false) => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, littleEndian);
  return bytes;
};

Deno.test("a JPEG loses its notes, and keeps its pixels and how it was held", async () => {
  for (const orientation of [1, 3, 6, 8]) {
    const noted = withExif(await jpeg(), orientation);
    assert.ok(textOf(noted).includes(note));
    const cleaned = clean(noted);
    assert.ok(!textOf(cleaned).includes("GPS"));
    assert.deepEqual(await pixelsOf(cleaned), await pixelsOf(noted));
  }
  const comment = joined(new Uint8Array([0xff, 0xfe, 0, note.length + 2]), note);
  const plain = await jpeg();
  const commented = joined(plain.slice(0, 2), comment, plain.slice(2));
  assert.deepEqual(clean(commented), plain);
  assert.deepEqual(clean(plain), plain);
});

Deno.test("a PNG and a WebP lose their notes, and stay whole", async () => {
  const plain = await png();
  const text = joined(u32(note.length), "tEXt", note, u32(0));
  assert.deepEqual(clean(joined(plain.slice(0, 33), text, plain.slice(33))), plain);

  const simple = await webp();
  const header = joined("VP8X", u32(10, true), new Uint8Array([0x0c, 0, 0, 0, 63, 0, 0, 47, 0, 0]));
  const exif = joined("EXIF", u32(note.length, true), note);
  const body = joined("WEBP", header, simple.slice(12), exif);
  const noted = joined("RIFF", u32(body.length, true), body);
  const cleaned = clean(noted);
  assert.ok(!textOf(cleaned).includes("GPS"));
  assert.equal(cleaned.length, noted.length - exif.length);
  assert.equal(cleaned[20]! & 0x0c, 0);
  assert.deepEqual(await pixelsOf(cleaned), await pixelsOf(noted));
  assert.deepEqual(clean(gif()), gif());
});
