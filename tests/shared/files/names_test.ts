import assert from "node:assert/strict";
import fc from "fast-check";
import { folderOf, safeName, variantPath } from "shared/files/names.ts";

Deno.test("a name keeps what can be kept, and takes the extension its bytes deserve", () => {
  const cases: Record<string, string> = {
    "Holiday  Zürich.JPEG": "holiday-zurich.png",
    "../../../etc/passwd": "passwd.png",
    "C:\\temp\\a b.exe": "a-b.png",
    ".htaccess": "file.png",
    "写真.jpg": "file.png",
    "": "file.png",
    "x.tar.gz": "x-tar.png",
    "a\u0000b<script>.png": "a-b-script.png",
  };
  for (const [name, safe] of Object.entries(cases)) {
    assert.equal(safeName(name, "image/png"), safe);
  }
});

Deno.test("whatever somebody calls a file, the database takes the name", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), (name) => {
    assert.match(safeName(name, "image/jpeg"), /^[a-z0-9][a-z0-9._-]{0,99}$/);
  }));
});

Deno.test("a derived picture lies in the folder of its file", () => {
  const path = "tenant/person/file/a.jpg";
  assert.equal(variantPath(path, "webp"), "tenant/person/file/webp/a.webp");
  assert.equal(folderOf(variantPath(path, "webp")), folderOf(path));
});
