import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { toCsv } from "shared/csv.ts";

Deno.test("cells that a spreadsheet would run are made text", () => {
  for (const start of ["=", "+", "-", "@", "\t", "\r"]) {
    const csv = toCsv([{ cell: `${start}cmd|' /C calc'!A0` }], ["cell"]);
    const cell = csv.split("\r\n").slice(1).join("\r\n").replace(/^"/, "");
    assertEquals(cell.startsWith(`'${start}`), true, JSON.stringify(csv));
  }
});

Deno.test("quotes, separators, line breaks, objects and empty cells survive", () => {
  const csv = toCsv(
    [{ a: 'say "hi", then\nleave', b: { c: 1 }, d: null, e: true, f: -5, g: "x" }],
    ["a", "b", "d", "e", "f"],
  );
  assertEquals(csv, '\ufeffa,b,d,e,f\r\n"say ""hi"", then\nleave","{""c"":1}",,true,-5\r\n');
});

Deno.test("no rows are a header alone", () => {
  assertEquals(toCsv<{ a: string }>([], ["a"]), "\ufeffa\r\n");
});
