import assert from "node:assert/strict";
import { jsonObject, text } from "shared/http/schemas.ts";

Deno.test("text() trims, and counts characters as the database does", () => {
  assert.equal(text(3).parse("  abc\n"), "abc");
  assert.equal(text(3).parse("🙂🙂🙂"), "🙂🙂🙂");
  for (const refused of ["", "   ", "abcd", "a\0b", "\ud800", 1, null]) {
    assert.equal(text(3).safeParse(refused).success, false, JSON.stringify(refused));
  }
});

const nested = (depth: number): unknown => depth === 0 ? 1 : { in: nested(depth - 1) };

Deno.test("jsonObject() takes objects that the database can store", () => {
  for (const accepted of [{}, { a: [1, null, { b: "é" }] }, nested(16)]) {
    assert.deepEqual(jsonObject().parse(accepted), accepted);
  }
  const unstorable = [[], "x", null, { a: "\0" }, { "\0": 1 }, { a: ["\udc00"] }, nested(17)];
  for (const refused of unstorable) {
    assert.equal(jsonObject().safeParse(refused).success, false, JSON.stringify(refused));
  }
});

Deno.test("jsonObject() survives nesting meant to exhaust it", () => {
  const deep = JSON.parse(`{"a":${"[".repeat(400_000)}${"]".repeat(400_000)}}`);
  assert.equal(jsonObject().safeParse(deep).success, false);
});
