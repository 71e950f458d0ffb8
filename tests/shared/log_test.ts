import assert from "node:assert/strict";
import { createLog, describeError } from "shared/log.ts";

function write(message: string, fields?: Record<string, unknown>) {
  const lines: string[] = [];
  createLog("api", (_level, line) => lines.push(line))("warn", message, fields);
  assert.equal(lines.length, 1);
  return lines[0]!;
}

Deno.test("an event is one line of JSON with time, level and source", () => {
  const { time, ...event } = JSON.parse(write("two\nlines", { status: 200 }));
  assert.deepEqual(event, { level: "warn", source: "api", message: "two\nlines", status: 200 });
  assert.ok(!Number.isNaN(Date.parse(time)));
});

Deno.test("addresses, tokens and keys never reach the log", () => {
  const line = write("refused ana.b+c@sub.nexus.test", {
    error: "Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln and sb_secret_abc-DEF_1",
  });
  assert.doesNotMatch(line, /ana|nexus\.test|eyJ|sb_secret/);
  assert.match(line, /\[email\].*\[token\].*\[key\]/);
});

Deno.test("phone numbers never reach the log, and times of day do", () => {
  const line = write("calling +41 79 123 45 67 or +1(555)0100-123", {
    at: "2026-01-01T10:00:00+02:00",
  });
  assert.doesNotMatch(line, /123 45|0100/);
  assert.match(line, /\[phone\] or \[phone\]/);
  assert.match(line, /10:00:00\+02:00/);
});

Deno.test("package versions in a stack are not taken for addresses", () => {
  assert.match(write("at npm/hono@4.13.19/dist/hono.js"), /hono@4\.13\.19\/dist/);
});

Deno.test("describeError() keeps the chain of causes", () => {
  const described = describeError(new Error("outer", { cause: new TypeError("inner") }));
  assert.deepEqual(
    [described, (described.error as { cause: unknown }).cause].map((d) =>
      (d as { error: { message: string } }).error.message
    ),
    ["outer", "inner"],
  );
  assert.deepEqual(describeError("thrown text"), { error: "thrown text" });
});
