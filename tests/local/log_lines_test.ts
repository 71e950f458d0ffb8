import assert from "node:assert/strict";
import { chosen, lineCutter, partOf } from "../../local/log_lines.ts";

const at = "2026-01-02T03:04:05.678Z";

Deno.test("a line of the log tells which part wrote it", () => {
  const lines: [string, string][] = [
    ["[function worker] {}", "worker"],
    ["[data api] listening", "data-api"],
    ["[postgres] LOG: ready", "postgres"],
    ["auth: hook failed", "auth"],
    ["127.0.0.1 POST /rest/v1/rpc/jobs_claim 200 21.8ms 85447a1b", "requests"],
    ["Migration 20260101000100_foundation.sql applied.", "stack"],
  ];
  for (const [text, part] of lines) assert.equal(partOf(`${at} ${text}`), part);
});

Deno.test("a part's lines are shown with those that go on from them", () => {
  const log = [
    `${at} [function api] broke`,
    "    at somewhere",
    `${at} [function worker] works`,
    "    at elsewhere",
    `${at} 127.0.0.1 GET / 200 1ms`,
  ];
  assert.deepEqual(log.filter(chosen(["api"])), log.slice(0, 2));
  assert.deepEqual(log.filter(chosen(["requests", "worker"])), log.slice(2));
  assert.deepEqual(log.filter(chosen([])), log);
});

Deno.test("a line is shown once it is whole", () => {
  const cut = lineCutter();
  assert.deepEqual(cut("one\ntw"), ["one"]);
  assert.deepEqual(cut("o"), []);
  assert.deepEqual(cut("\nthree\n"), ["two", "three"]);
});
