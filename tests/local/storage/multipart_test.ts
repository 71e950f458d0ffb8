import assert from "node:assert/strict";
import fc from "fast-check";
import { parseMultipart } from "../../../local/storage/multipart.ts";

async function encode(fields: [string, string | File][]) {
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  const response = new Response(form);
  return {
    type: response.headers.get("content-type")!,
    bytes: new Uint8Array(await response.arrayBuffer()),
  };
}

Deno.test("whatever a file holds, it is read back whole, with the fields around it", async () => {
  // Bytes that look like parts of a form come up often enough to matter.
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom("\r\n", "--", "\r\n--", "\r\n\r\n", "----").map((t) =>
      new TextEncoder().encode(t)
    ),
  );
  await fc.assert(fc.asyncProperty(fc.array(piece), async (pieces) => {
    const content = new Uint8Array(pieces.flatMap((bytes) => [...bytes]));
    const file = new File([content], "a b.txt", { type: "text/x-y" });
    const { type, bytes } = await encode([["cacheControl", "60"], ["", file]]);
    const [field, read] = parseMultipart(bytes, type);
    assert.equal(new TextDecoder().decode(field!.bytes), "60");
    assert.deepEqual([field!.name, field!.fileName], ["cacheControl", undefined]);
    assert.deepEqual([read!.name, read!.fileName, read!.type], ["", "a b.txt", "text/x-y"]);
    assert.deepEqual(read!.bytes, content);
  }));
});

Deno.test("what is no form has no fields, and nothing hangs", async () => {
  const { type, bytes } = await encode([["", new File(["content"], "x")]]);
  for (let length = 0; length < bytes.length - 8; length++) {
    assert.deepEqual(parseMultipart(bytes.slice(0, length), type), []);
  }
  assert.deepEqual(parseMultipart(bytes, "multipart/form-data"), []);
  assert.deepEqual(parseMultipart(bytes, "multipart/form-data; boundary=other"), []);
});
