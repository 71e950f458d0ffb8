import assert from "node:assert/strict";
import fc from "fast-check";
import { isPdf, readImageHeader } from "shared/files/image_header.ts";
import { changed, gif, joined, jpeg, pdf, png, webp, withExif } from "../../files/pictures.ts";

const pictures = {
  "image/jpeg": await jpeg(40, 30),
  "image/png": await png(40, 30),
  "image/gif": gif(40, 30),
  "image/webp": await webp(40, 30),
};

const damaged = { code: "files.damaged" };

Deno.test("each format is told by its bytes, with its size", () => {
  for (const [type, bytes] of Object.entries(pictures)) {
    assert.deepEqual(readImageHeader(bytes), { type, width: 40, height: 30 });
  }
});

Deno.test("what is no picture is none, whatever it begins with", () => {
  const others = [
    "",
    "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "<html><script>alert(1)</script>",
    "GIF",
    "GIF88a/*",
    "RIFF1234WAVE",
    "BM6",
    "\x7fELF",
    "PK\x03\x04",
  ];
  for (const text of others) assert.equal(readImageHeader(joined(text)), undefined, text);
  assert.equal(readImageHeader(pdf()), undefined);
  assert.equal(isPdf(pdf()), true);
  assert.equal(isPdf(pictures["image/png"]), false);
});

Deno.test("a picture that breaks off anywhere is damaged", () => {
  for (const [type, bytes] of Object.entries(pictures)) {
    for (let length = 12; length < bytes.length - 1; length += 1 + Math.floor(length / 20)) {
      assert.throws(() => readImageHeader(bytes.slice(0, length)), damaged, `${type} ${length}`);
    }
  }
});

Deno.test("bytes behind the end are refused where the format knows none", () => {
  const hidden = "<script>alert(1)</script>";
  for (const type of ["image/png", "image/gif", "image/webp"] as const) {
    assert.throws(() => readImageHeader(joined(pictures[type], hidden)), damaged, type);
  }
  // A telephone's moving picture.
  assert.ok(readImageHeader(joined(pictures["image/jpeg"], "MotionPhoto_Data")));
  assert.throws(() => readImageHeader(joined("GIF89a/*", hidden, "*/=1;")), damaged);
});

Deno.test("too many pixels are refused by what the header claims, before any is decoded", () => {
  const tooMany = { code: "files.too_many_pixels" };
  const big = [0, 0, 0xff, 0xff];
  assert.throws(() => readImageHeader(changed(pictures["image/png"], 16, ...big, ...big)), tooMany);
  assert.throws(() => readImageHeader(gif(65_535, 65_535)), tooMany);
  const frame = pictures["image/jpeg"].findIndex((byte, at, all) =>
    byte === 0xff && [0xc0, 0xc1, 0xc2].includes(all[at + 1]!)
  );
  assert.throws(
    () => readImageHeader(changed(pictures["image/jpeg"], frame + 5, 0xff, 0xff, 0xff, 0xff)),
    tooMany,
  );
  assert.throws(
    () => readImageHeader(changed(pictures["image/webp"], 26, 0xff, 0x3f, 0xff, 0x3f)),
    tooMany,
  );
  assert.throws(() => readImageHeader(changed(pictures["image/png"], 16, 0, 0, 0, 0)), damaged);
});

Deno.test("a JPEG's size is its own, not that of a preview within it, and it has one", () => {
  const preview = joined(new Uint8Array([0xff, 0xe1, 0, 20]), pictures["image/jpeg"].slice(0, 18));
  const nested = joined(
    pictures["image/jpeg"].slice(0, 2),
    preview,
    pictures["image/jpeg"].slice(2),
  );
  assert.deepEqual(readImageHeader(nested), { type: "image/jpeg", width: 40, height: 30 });
  assert.equal(readImageHeader(withExif(pictures["image/jpeg"], 6))!.width, 40);
  const bytes = pictures["image/jpeg"];
  const frame = bytes.findIndex((byte, at) =>
    byte === 0xff && [0xc0, 0xc2].includes(bytes[at + 1]!)
  );
  const length = (bytes[frame + 2]! << 8 | bytes[frame + 3]!) + 2;
  const twice = joined(
    bytes.slice(0, frame + length),
    bytes.slice(frame, frame + length),
    bytes.slice(frame + length),
  );
  assert.throws(() => readImageHeader(twice), damaged);
  const scan = new Uint8Array(Array.from({ length: 70 }, () => [0xff, 0xda, 0, 2]).flat());
  const endless = joined(bytes.slice(0, frame + length), scan, new Uint8Array([0xff, 0xd9]));
  assert.throws(() => readImageHeader(endless), damaged);
});

Deno.test("nothing that bytes can be brings the readers down or lets them run on", () => {
  const starts = Object.values(pictures).map((bytes) => bytes.slice(0, 60));
  fc.assert(
    fc.property(
      fc.constantFrom(...starts),
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(60),
      (start, rest, cut) => {
        try {
          readImageHeader(joined(start.slice(0, cut), rest));
        } catch (error) {
          assert.match((error as { code: string }).code, /^files\./);
        }
      },
    ),
    { numRuns: 2000 },
  );
});
