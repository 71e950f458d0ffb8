import { z } from "@hono/zod-openapi";
import assert from "node:assert/strict";
import { ProblemError } from "shared/errors/problem.ts";
import { decodeCursor, encodeCursor, pageOf, pageQuery } from "shared/http/paging.ts";

const position = z.tuple([z.iso.datetime(), z.uuid()]);

Deno.test("a page has 50 entries unless asked, and never more than 100", () => {
  assert.equal(pageQuery.parse({}).limit, 50);
  assert.equal(pageQuery.parse({ limit: "100" }).limit, 100);
  for (const limit of ["101", "0", "-1", "1.5", "many"]) {
    assert.equal(pageQuery.safeParse({ limit }).success, false, limit);
  }
});

Deno.test("a cursor comes back as the position it was made of", () => {
  const place = ["2026-01-01T00:00:00Z", crypto.randomUUID()];
  const cursor = encodeCursor(place);
  assert.match(cursor, /^[\w-]+$/);
  assert.deepEqual(decodeCursor(position, cursor), place);
});

Deno.test("a cursor that is not of this list is request.invalid", () => {
  for (const cursor of ["", "x", "%%%", encodeCursor(["no", "uuid"]), encodeCursor({})]) {
    assert.throws(
      () => decodeCursor(position, cursor),
      (error) => error instanceof ProblemError && error.code === "request.invalid",
      cursor,
    );
  }
});

Deno.test("a page names the next one only where there is one", () => {
  const rows = [1, 2, 3];
  const first = pageOf(rows, 2, (row) => row);
  assert.deepEqual(first.data, [1, 2]);
  assert.equal(decodeCursor(z.number(), first.next_cursor!), 2);
  assert.deepEqual(pageOf(rows, 3, (row) => row), { data: rows, next_cursor: null });
  assert.deepEqual(pageOf([], 3, (row) => row), { data: [], next_cursor: null });
});
