import assert from "node:assert/strict";
import { fromDatabase } from "shared/errors/database.ts";
import { problemAnswer } from "shared/errors/problem.ts";

const codeOf = (code: string, status = 400, message = "whatever") =>
  fromDatabase({ code, message }, status).code;

Deno.test("a refusal that SQL raised keeps its code and detail", () => {
  const problem = fromDatabase(
    { code: "PT409", message: "wallet.insufficient_funds", details: "Available: 10" },
    409,
  );
  assert.deepEqual(problemAnswer(problem).body, {
    type: "urn:nexus:error:wallet.insufficient_funds",
    title: "The available balance is too low",
    status: 409,
    code: "wallet.insufficient_funds",
    detail: "Available: 10",
  });
});

Deno.test("a raised code with another status, or one nobody knows, is our fault", () => {
  assert.equal(codeOf("PT404", 404, "wallet.insufficient_funds"), "internal");
  assert.equal(codeOf("PT409", 409, "wallet.unheard_of"), "internal");
  assert.equal(codeOf("PT409", 409, "toString"), "internal");
});

Deno.test("a token that the Data API refuses means signing in again", () => {
  for (const code of ["PGRST301", "PGRST302", "PGRST303"]) {
    assert.equal(codeOf(code, 401), "auth.required", code);
  }
});

Deno.test("what passes by itself is unavailable, with the time to wait", () => {
  const passing = ["08006", "53300", "57P01", "57P03", "40001", "40P01", "55P03", "57014", "25006"];
  for (const code of [...passing, "PGRST000", "PGRST002"]) {
    assert.equal(codeOf(code, 500), "unavailable", code);
  }
  assert.equal(codeOf("", 503), "unavailable");
  assert.equal(codeOf("", 502), "unavailable");
  const refused = { code: "", message: "TypeError: error sending request" };
  const problem = fromDatabase(refused, 0);
  assert.equal(problem.code, "unavailable");
  assert.equal(problemAnswer(problem).headers["retry-after"], "1");
});

Deno.test("no answer in time leaves open whether it was done", () => {
  assert.equal(codeOf("", 504), "timeout");
  assert.equal(codeOf("", 0, "TimeoutError: Signal timed out."), "timeout");
});

Deno.test("text that Postgres cannot store is the request's fault", () => {
  assert.equal(codeOf("22P05"), "request.invalid");
  assert.equal(codeOf("22021"), "request.invalid");
});

Deno.test("everything else is internal, its words kept for the log alone", () => {
  for (const code of ["23505", "42501", "P0001", "XX000", "PGRST202", "42P01"]) {
    const problem = fromDatabase({ code, message: "relation secret_table", details: "row" }, 500);
    assert.equal(problem.code, "internal", code);
    assert.doesNotMatch(JSON.stringify(problemAnswer(problem)), /secret_table|row/);
    assert.match(String(problem.cause), /secret_table/);
  }
});

Deno.test("a limit that SQL refused by says when to come back", () => {
  const error = { code: "PT429", message: "limits.exceeded", details: "Later", hint: "17" };
  const problem = fromDatabase(error, 429);
  assert.deepEqual([problem.code, problem.retryAfter], ["limits.exceeded", 17]);
  assert.equal(fromDatabase({ ...error, hint: null }, 429).retryAfter, 1);
});
