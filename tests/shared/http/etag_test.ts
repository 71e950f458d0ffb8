import { Hono } from "hono";
import assert from "node:assert/strict";
import { ProblemError } from "shared/errors/problem.ts";
import { etagOf, expectedVersion, isKnown } from "shared/http/etag.ts";

/** What a route finds in a request with these headers. */
async function ask<T>(
  headers: Record<string, string>,
  question: (request: Parameters<typeof expectedVersion>[0]) => T,
): Promise<T | string> {
  let found: T | string = "";
  const app = new Hono().get("/", (c) => {
    found = question(c.req);
    return c.body(null);
  });
  app.onError((error, c) => {
    found = error instanceof ProblemError ? error.code : String(error);
    return c.body(null);
  });
  await app.request("/", { headers });
  return found;
}

Deno.test("If-Match names the version that a change is meant for", async () => {
  const version = (header?: string) =>
    ask(header === undefined ? {} : { "if-match": header }, expectedVersion);
  assert.equal(await version(etagOf(7)), 7);
  assert.equal(await version('W/"7"'), 7);
  assert.equal(await version("*"), undefined);
  assert.equal(await version(), undefined);
  for (const header of ["7", '"x"', '""x', '"1", "2"', '"1.5"']) {
    assert.equal(await version(header), "request.precondition_failed", header);
  }
});

Deno.test("If-None-Match tells what the client has already", async () => {
  const known = (header: string) =>
    ask({ "if-none-match": header }, (request) => isKnown(request, 7));
  assert.equal(await known('"7"'), true);
  assert.equal(await known('"6", W/"7"'), true);
  assert.equal(await known('"6"'), false);
  assert.equal(await ask({}, (request) => isKnown(request, 7)), false);
});
