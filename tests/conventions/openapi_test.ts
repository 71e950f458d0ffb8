import assert from "node:assert/strict";
import { createApp } from "../../functions/api/app.ts";
import { catalogue, isErrorCode } from "shared/errors/catalogue.ts";
import { createTestServices } from "../support/services.ts";

interface Operation {
  operationId?: string;
  summary?: string;
  tags?: string[];
  security?: Record<string, string[]>[];
  parameters?: unknown[];
  requestBody?: unknown;
  responses: Record<string, { content?: Record<string, { schema: unknown }> }>;
}

interface OpenApi {
  openapi: string;
  tags: { name: string; description: string }[];
  components: Record<string, Record<string, unknown>>;
  paths: Record<string, Record<string, Operation>>;
}

const app = createApp(createTestServices().services);
const document: OpenApi = await (await app.request("/api/openapi.json")).json();

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    path,
    method: method.toUpperCase(),
    operation,
    codes: codesOf(operation),
  }))
);

/** The codes that an operation declares, with the status it declares them under. */
function codesOf({ responses }: Operation): Map<string, number> {
  return new Map(
    Object.entries(responses).flatMap(([status, { content }]) => {
      const text = JSON.stringify(content?.["application/problem+json"]?.schema ?? {});
      return [...text.matchAll(/"enum":(\["[^\]]+\])/g)]
        .flatMap(([, list]) => JSON.parse(list!) as string[])
        .map((code) => [code, Number(status)] as const);
    }),
  );
}

Deno.test("the document is OpenAPI 3.1 and complete in itself", () => {
  assert.equal(document.openapi, "3.1.0");
  for (const [, reference] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const target = reference!.split("/").reduce<unknown>(
      (at, key) => (at as Record<string, unknown> | undefined)?.[key],
      document,
    );
    assert.ok(target, `#/${reference} leads nowhere`);
  }
});

Deno.test("Z9: every route is in the document, and the document has no other", () => {
  const routes = app.routes.filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
  assert.deepEqual([...new Set(routes)].sort(), operations.map(({ name }) => name).sort());
});

Deno.test("every operation has an id of its own, a summary, a known tag and its security", () => {
  const tags = document.tags.map(({ name }) => name);
  const ids = operations.map(({ operation }) => operation.operationId);
  assert.equal(new Set(ids).size, ids.length);
  for (const { name, operation } of operations) {
    assert.match(operation.operationId ?? "", /^[a-z][A-Za-z]+$/, name);
    assert.ok(operation.summary, name);
    assert.ok(operation.tags?.length === 1 && tags.includes(operation.tags[0]!), name);
    assert.ok(operation.security, `${name}: security, an empty list where it is open`);
    for (const scheme of operation.security.flatMap(Object.keys)) {
      assert.ok(document.components.securitySchemes?.[scheme], `${name}: ${scheme}`);
    }
  }
});

Deno.test("every declared code is in the catalogue, under its status", () => {
  for (const { name, codes } of operations) {
    assert.equal(codes.get("internal"), 500, name);
    assert.equal(codes.get("limits.exceeded"), 429, name);
    for (const [code, status] of codes) {
      assert.ok(isErrorCode(code), `${name}: ${code}`);
      assert.equal(catalogue[code].status, status, `${name}: ${code}`);
    }
  }
});

Deno.test("an operation declares what its form lets happen", () => {
  for (const { name, operation, codes } of operations) {
    const takesInput = Boolean(operation.requestBody || operation.parameters?.length);
    assert.equal(codes.has("request.invalid"), takesInput, `${name}: request.invalid`);
    const hasBody = Boolean(operation.requestBody);
    for (const code of ["request.too_large", "request.unsupported_media_type"]) {
      assert.equal(codes.has(code), hasBody, `${name}: ${code}`);
    }
    const bySession = operation.security?.some((scheme) => scheme.session) ?? false;
    const closed = Boolean(operation.security?.length);
    assert.equal(codes.has("auth.required"), closed, `${name}: auth.required`);
    for (const code of ["auth.session_ended", "two_factor.required"]) {
      assert.equal(codes.has(code), bySession, `${name}: ${code}`);
    }
  }
});

Deno.test("Z3: an operation that asks for a session refuses whoever has none", async () => {
  const closed = operations.filter(({ operation }) => operation.security?.length);
  assert.ok(closed.length > 0);
  for (const { name, method, path } of closed) {
    const url = path.replaceAll(/\{\w+\}/g, () => crypto.randomUUID());
    for (const authorization of ["", "Bearer garbage", "Basic YTpi"]) {
      const response = await app.request(url, { method, headers: { authorization } });
      assert.equal(response.status, 401, name);
      assert.equal((await response.json()).code, "auth.required", name);
      assert.match(response.headers.get("www-authenticate") ?? "", /^Bearer/, name);
    }
  }
});
