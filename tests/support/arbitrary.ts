import fc from "fast-check";
import { flatten, type OpenApi, type Schema } from "../../local/openapi/document.ts";

/** Values that a schema allows; bytes where it says `binary`. */
export function valuesOf(schema: Schema, document: OpenApi): fc.Arbitrary<unknown> {
  const whole = flatten(schema, document);
  const choices = whole.anyOf ?? whole.oneOf;
  if (choices) return fc.oneof(...choices.map((choice) => valuesOf(choice, document)));
  if (whole.enum) return fc.constantFrom(...whole.enum);
  const types = [whole.type ?? "any"].flat();
  return fc.oneof(...types.map((type) => valuesOfType(type, whole, document)));
}

function valuesOfType(type: string, schema: Schema, document: OpenApi): fc.Arbitrary<unknown> {
  switch (type) {
    case "string":
      return texts(schema);
    case "integer":
      return fc.integer({ min: schema.minimum ?? -1_000, max: schema.maximum ?? 1_000_000 });
    case "number":
      return fc.double({ min: schema.minimum ?? -1e6, max: schema.maximum ?? 1e6, noNaN: true });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return fc.array(valuesOf(schema.items ?? {}, document), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 5, 5),
      });
    case "object":
      return objects(schema, document);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function objects(
  { properties = {}, required = [], additionalProperties, minProperties = 0 }: Schema,
  document: OpenApi,
): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, valuesOf(schema, document)]),
  );
  const known = fc.record(fields, { requiredKeys: required })
    .filter((value) => Object.keys(value).length >= minProperties);
  if (!additionalProperties) return known;
  const more = additionalProperties === true ? {} : additionalProperties;
  return fc.tuple(fc.dictionary(fc.string(), valuesOf(more, document), { maxKeys: 4 }), known)
    .map(([extra, value]) => ({ ...extra, ...value }));
}

function texts({ format, pattern, minLength = 0, maxLength }: Schema): fc.Arbitrary<unknown> {
  if (format === "binary") return fc.uint8Array({ maxLength: 200 });
  if (format === "uuid") return fc.uuid();
  if (format === "uri") return fc.webUrl();
  if (format === "email") return fc.emailAddress();
  if (format === "date-time") {
    return fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("2100-01-01") })
      .map((date) => date.toISOString());
  }
  if (pattern) {
    return fc.stringMatching(new RegExp(pattern, "u"))
      .filter((text) => text.length <= (maxLength ?? Infinity));
  }
  return fc.string({ unit: "grapheme", minLength, maxLength: Math.min(maxLength ?? 60, 60) });
}
