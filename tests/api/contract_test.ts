import { z } from "@hono/zod-openapi";
import fc from "fast-check";
import assert from "node:assert/strict";
import { operationsOf } from "../../local/openapi/breaking.ts";
import type { OpenApi, Operation, Parameter, Schema } from "../../local/openapi/document.ts";
import { flatten } from "../../local/openapi/document.ts";
import { callApi, tokenOf } from "../support/api.ts";
import { valuesOf } from "../support/arbitrary.ts";
import { randomAddress } from "../support/clients.ts";
import { getStack } from "../support/stack.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";

const runs = 40;

const document: OpenApi = await (await callApi("/openapi.json")).json();

/** How a request proves who sends it. */
type Caller = Record<string, string>;

interface Draft {
  caller: Caller;
  parameters: [Parameter, string | undefined][];
  body: BodyInit | undefined;
  contentType: string | undefined;
}

/** Mostly the owner and a member; else nobody, somebody's token, and whoever has the secret key. */
async function callersOf(tenant: Tenant): Promise<fc.Arbitrary<Caller>> {
  const [owner, member] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant),
  ]);
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const [byOwner, byMember] = await Promise.all([owner, member].map(tokenOf));
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant(bearer(byOwner!)) },
    { weight: 2, arbitrary: fc.constant(bearer(byMember!)) },
    {
      weight: 2,
      arbitrary: fc.constantFrom({}, bearer("x.y.z"), { apikey: getStack().secretKey }),
    },
  );
}

/** What fits the schema, what is really there, and what does neither. */
function parameterValues({ schema, required }: Parameter, real: string[]) {
  const value = fc.oneof(
    { weight: 3, arbitrary: valuesOf(schema, document).map(String) },
    { weight: 3, arbitrary: fc.constantFrom(...real) },
    { weight: 1, arbitrary: fc.string() },
  ).filter((text) => text.isWellFormed());
  return required ? value : fc.option(value, { nil: undefined, freq: 1 });
}

function drafts(
  operation: Operation,
  caller: fc.Arbitrary<Caller>,
  real: string[],
): fc.Arbitrary<Draft> {
  const parameters = (operation.parameters ?? []).map((parameter) =>
    parameterValues(parameter, real).map((value) =>
      [parameter, value] as [Parameter, string | undefined]
    )
  );
  return fc.record({
    caller,
    parameters: fc.tuple(...parameters),
  }).chain((draft) => bodies(operation).map((body) => ({ ...draft, ...body })));
}

function bodies({ requestBody }: Operation): fc.Arbitrary<Pick<Draft, "body" | "contentType">> {
  const [entry] = Object.entries(requestBody?.content ?? {});
  if (!entry) return fc.constant({ body: undefined, contentType: undefined });
  const [type, { schema }] = entry;
  if (type === "multipart/form-data") {
    return valuesOf(schema, document).map((value) => ({
      body: formOf(value as Record<string, unknown>),
      contentType: undefined,
    }));
  }
  return fc.oneof(
    { weight: 4, arbitrary: valuesOf(schema, document).map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.json({ maxDepth: 3 }) },
    { weight: 1, arbitrary: fc.string() },
  ).map((body) => ({ body, contentType: type }));
}

function formOf(fields: Record<string, unknown>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Uint8Array) form.set(name, new File([value.slice()], "file.png"));
    else form.set(name, String(value));
  }
  return form;
}

async function send(path: string, method: string, draft: Draft): Promise<Response> {
  const url = new URL(`${getStack().url}/functions/v1${fill(path, draft)}`);
  const headers = new Headers({ ...draft.caller, "x-forwarded-for": randomAddress() });
  if (draft.contentType) headers.set("content-type", draft.contentType);
  for (const [{ name, in: place }, value] of draft.parameters) {
    if (value === undefined) continue;
    if (place === "query") url.searchParams.set(name, value);
    // Nothing else can be sent in a header at all.
    if (place === "header") headers.set(name, value.replaceAll(/[^\x20-\x7e]/g, ""));
  }
  return await fetch(url, { method, headers, ...(draft.body && { body: draft.body }) });
}

function fill(path: string, { parameters }: Draft): string {
  return parameters.filter(([parameter]) => parameter.in === "path").reduce(
    // A lone dot would be another path before it is sent.
    (filled, [{ name }, value = ""]) =>
      filled.replace(`{${name}}`, () => encodeURIComponent(/^\.*$/.test(value) ? "-" : value)),
    path,
  );
}

/** A schema that has every field it speaks of, and no other. */
function closed(schema: Schema): Schema {
  const whole = flatten(schema, document);
  const each = (schemas: Record<string, Schema>) =>
    Object.fromEntries(Object.entries(schemas).map(([name, inner]) => [name, closed(inner)]));
  return {
    ...whole,
    ...(whole.properties && { additionalProperties: false, properties: each(whole.properties) }),
    ...(whole.additionalProperties && { additionalProperties: whole.additionalProperties }),
    ...(whole.items && { items: closed(whole.items) }),
    ...(whole.anyOf && { anyOf: whole.anyOf.map(closed) }),
  };
}

async function assertDeclared(operation: Operation, response: Response): Promise<void> {
  const text = await response.text();
  const said = `${response.status} ${text.slice(0, 500)}`;
  assert.ok(response.status < 500, said);
  const declared = operation.responses[response.status];
  assert.ok(declared, `undeclared: ${said}`);
  if (!declared.content) return;
  const type = response.headers.get("content-type")?.split(";")[0] ?? "";
  const content = declared.content[type];
  assert.ok(content, `undeclared content ${type}: ${said}`);
  if (!type.endsWith("json")) return;
  const { success, error } = z.fromJSONSchema(
    closed(content.schema) as z.core.JSONSchema.JSONSchema,
  )
    .safeParse(JSON.parse(text));
  assert.ok(success, `${error?.message}: ${said}`);
}

/** Some routes answer no sooner than after a while: several are asked at once. */
const atOnce = 6;

Deno.test("whatever is asked, a route answers what it declares, and never a 5xx", async (t) => {
  const tenant = await createTenant();
  const waiting = [...operationsOf(document)];
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [name, path, method, operation] = next;
      await t.step({ name, fn: () => ask(tenant, path, method, operation), ...overlapping });
    }
  }));
});

/** What steps at the same time need: their resources cannot be told apart. */
const overlapping = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };

async function ask(tenant: Tenant, path: string, method: string, operation: Operation) {
  const caller = await callersOf(tenant);
  const real = [tenant.slug, tenant.id, crypto.randomUUID()];
  await fc.assert(
    fc.asyncProperty(drafts(operation, caller, real), async (draft) => {
      await assertDeclared(operation, await send(path, method.toUpperCase(), draft));
    }),
    { numRuns: runs },
  );
}
