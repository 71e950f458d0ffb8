import assert from "node:assert/strict";
import { breakingChanges } from "../../../local/openapi/breaking.ts";
import type { OpenApi, Operation, Schema } from "../../../local/openapi/document.ts";

const thing: Schema = {
  type: "object",
  properties: { id: { type: "string" }, count: { type: "integer" }, note: { type: "string" } },
  required: ["id", "count"],
};

const form: Schema = {
  type: "object",
  properties: {
    kind: { type: "string", enum: ["a", "b"] },
    name: { type: "string", maxLength: 10 },
    size: { type: ["integer", "null"], minimum: 0 },
  },
  required: ["kind"],
  additionalProperties: false,
};

const body = (schema: Schema) => ({ content: { "application/json": { schema } } });

const operation: Operation = {
  operationId: "makeThing",
  security: [{ session: [] }, { secret_key: [] }],
  parameters: [{ name: "limit", in: "query", schema: { type: "integer", maximum: 100 } }],
  requestBody: { required: true, ...body({ $ref: "#/components/schemas/Form" }) },
  responses: { 201: body({ $ref: "#/components/schemas/Thing" }), 404: {} },
};

const document = (
  changes: Partial<Operation> = {},
  schemas: Record<string, Schema> = {},
): OpenApi => ({
  paths: { "/things": { post: { ...operation, ...changes } } },
  components: { schemas: { Thing: thing, Form: form, ...schemas } },
});

const withField = (schema: Schema, name: string, field: Schema): Schema => ({
  ...schema,
  properties: { ...schema.properties, [name]: field },
});

const without = (schema: Schema, name: string): Schema => {
  const { [name]: _, ...properties } = schema.properties!;
  return { ...schema, properties, required: schema.required!.filter((field) => field !== name) };
};

const breaks: Record<string, OpenApi> = {
  "POST /things is gone": { ...document(), paths: {} },
  "has another operationId": document({ operationId: "createThing" }),
  "secret_key is not enough any more": document({ security: [{ session: [] }] }),
  "query parameter limit is gone": document({ parameters: [] }),
  "query parameter limit became required": document({
    parameters: [{ ...operation.parameters![0]!, required: true }],
  }),
  "query parameter limit has a stricter maximum": document({
    parameters: [{ name: "limit", in: "query", schema: { type: "integer", maximum: 50 } }],
  }),
  "query parameter page is new and required": document({
    parameters: [
      ...operation.parameters!,
      { name: "page", in: "query", required: true, schema: { type: "string" } },
    ],
  }),
  "body.name is not taken any more": document({}, { Form: without(form, "name") }),
  "body.name became required": document({}, { Form: { ...form, required: ["kind", "name"] } }),
  "body.name has a stricter pattern": document({}, {
    Form: withField(form, "name", { type: "string", maxLength: 10, pattern: "^a" }),
  }),
  "body.kind does not take b any more": document({}, {
    Form: withField(form, "kind", { type: "string", enum: ["a"] }),
  }),
  "body.size does not take null any more": document({}, {
    Form: withField(form, "size", { type: "integer", minimum: 0 }),
  }),
  "201 is gone": document({ responses: { 200: operation.responses[201]! } }),
  "201 does not come as application/json any more": document({ responses: { 201: {} } }),
  "201.note is gone": document({}, { Thing: without(thing, "note") }),
  "201.count is gone": document({}, { Thing: without(thing, "count") }),
  "201.count may be missing": document({}, { Thing: { ...thing, required: ["id"] } }),
  "201.count may be null": document({}, {
    Thing: withField(thing, "count", { type: ["integer", "null"] }),
  }),
  "201.count may be string": document({}, {
    Thing: withField(thing, "count", { type: "string" }),
  }),
};

for (const [problem, after] of Object.entries(breaks)) {
  Deno.test(`it breaks clients that ${problem}`, () => {
    const name = problem.startsWith("POST") ? problem : `POST /things: ${problem}`;
    assert.deepEqual(breakingChanges(document(), after), [name]);
  });
}

const additions: Record<string, OpenApi> = {
  "nothing": document(),
  "another route": {
    ...document(),
    paths: { ...document().paths, "/more": { get: operation } },
  },
  "an optional parameter": document({
    parameters: [...operation.parameters!, { name: "q", in: "query", schema: { type: "string" } }],
  }),
  "an optional field of the body": document({}, {
    Form: withField(form, "more", { type: "string" }),
  }),
  "a wider field of the body": document({}, {
    Form: withField(form, "name", { type: ["string", "null"], maxLength: 20 }),
  }),
  "one more word that is taken": document({}, {
    Form: withField(form, "kind", { type: "string", enum: ["a", "b", "c"] }),
  }),
  "another field of the answer": document({}, {
    Thing: withField(thing, "more", { type: "string" }),
  }),
  "a field that always comes now": document({}, {
    Thing: { ...thing, required: ["id", "count", "note"] },
  }),
  "a schema written out instead of named": document({ responses: { 201: body(thing), 404: {} } }),
  "another refusal": document({ responses: { ...operation.responses, 409: {} } }),
  "no need of a token": document({ security: [] }),
};

for (const [addition, after] of Object.entries(additions)) {
  Deno.test(`it breaks nobody to add ${addition}`, () => {
    assert.deepEqual(breakingChanges(document(), after), []);
  });
}
