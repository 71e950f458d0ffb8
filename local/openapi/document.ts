import { readConfig } from "shared/config.ts";
import { createServices } from "shared/services.ts";
import { createApp } from "../../functions/api/app.ts";
import { join } from "../paths.ts";
import { root } from "../settings.ts";

/** The part of JSON Schema 2020-12 that the routes' descriptions use. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
  maxProperties?: number;
}

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required?: boolean;
  schema: Schema;
}

export interface Operation {
  operationId: string;
  security: Record<string, string[]>[];
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

export interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** Where the description that clients rely on is kept. */
export const documentFile: string = join(root, "docs", "openapi.json");

/** The description as the routes give it now. */
export async function describe(): Promise<OpenApi> {
  const config = readConfig({
    SUPABASE_URL: "http://127.0.0.1:9",
    SUPABASE_PUBLISHABLE_KEYS: '{"default":"sb_publishable_of_nobody_at_all"}',
    SUPABASE_SECRET_KEYS: '{"default":"sb_secret_of_nobody_at_all"}',
  });
  const app = createApp({ ...createServices("openapi", config), log() {} });
  return await (await app.request("/api/openapi.json")).json();
}

/** The description as it was committed. */
export async function committed(): Promise<OpenApi> {
  return JSON.parse(await Deno.readTextFile(documentFile));
}

/** A schema in one piece: where its reference leads, with what `allOf` adds. */
export function flatten(schema: Schema, document: OpenApi): Schema {
  if (schema.$ref !== undefined) {
    const target = document.components.schemas[schema.$ref.replace("#/components/schemas/", "")];
    if (!target) throw new Error(`${schema.$ref} leads nowhere.`);
    return flatten(target, document);
  }
  const { allOf = [], ...rest } = schema;
  return allOf.map((part) => flatten(part, document)).reduceRight(merge, rest);
}

/** What the later one says of a field holds. */
const merge = (later: Schema, earlier: Schema): Schema => ({
  ...earlier,
  ...later,
  ...((earlier.properties || later.properties) && {
    properties: { ...earlier.properties, ...later.properties },
  }),
  ...((earlier.required || later.required) && {
    required: [...new Set([...earlier.required ?? [], ...later.required ?? []])],
  }),
});
