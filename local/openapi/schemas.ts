import { flatten, type OpenApi, type Schema } from "./document.ts";

/** One of the alternatives that a schema allows, of one type. */
type Alternative = Schema & { type?: string };

/** Compares schemas of two versions, as the sender of requests or as the reader of answers. */
export class SchemaComparison {
  readonly #before: OpenApi;
  readonly #after: OpenApi;

  constructor(before: OpenApi, after: OpenApi) {
    this.#before = before;
    this.#after = after;
  }

  /** Whatever a client could send must still be taken. */
  request(before: Schema, after: Schema, where: string): string[] {
    const [sent, taken] = [
      alternatives(before, this.#before),
      alternatives(after, this.#after),
    ];
    return sent.flatMap((one) => {
      const candidates = taken.filter((other) => fits(one.type, other.type));
      if (candidates.length === 0) return [`${where} does not take ${nameOf(one)} any more`];
      return fewest(candidates.map((other) => [
        ...narrowed(one, other, where),
        ...this.#requestFields(one, other, where),
      ]));
    });
  }

  /** Whatever comes must be something that a client could expect. */
  response(before: Schema, after: Schema, where: string): string[] {
    const [expected, coming] = [
      alternatives(before, this.#before),
      alternatives(after, this.#after),
    ];
    return coming.flatMap((one) => {
      const candidates = expected.filter((other) => fits(one.type, other.type));
      if (candidates.length === 0) return [`${where} may be ${nameOf(one)}`];
      return fewest(candidates.map((other) => this.#responseFields(other, one, where)));
    });
  }

  #requestFields(before: Schema, after: Schema, where: string): string[] {
    const fields = Object.entries(before.properties ?? {}).flatMap(([name, schema]) => {
      const now = after.properties?.[name];
      return now
        ? this.request(schema, now, `${where}.${name}`)
        : [`${where}.${name} is not taken any more`];
    });
    const due = missing(after.required, before.required)
      .map((name) => `${where}.${name} became required`);
    const closed = isOpen(before) && !isOpen(after) ? [`${where} takes no other fields`] : [];
    return [...fields, ...due, ...closed, ...this.#inner(before, after, where, "request")];
  }

  #responseFields(before: Schema, after: Schema, where: string): string[] {
    const fields = Object.entries(before.properties ?? {}).flatMap(([name, schema]) => {
      const now = after.properties?.[name];
      return now ? this.response(schema, now, `${where}.${name}`) : [`${where}.${name} is gone`];
    });
    const optional = missing(before.required, after.required)
      .filter((name) => after.properties?.[name])
      .map((name) => `${where}.${name} may be missing`);
    return [...fields, ...optional, ...this.#inner(before, after, where, "response")];
  }

  #inner(before: Schema, after: Schema, where: string, side: "request" | "response"): string[] {
    const [one, other] = [before.additionalProperties, after.additionalProperties];
    return [
      ...(before.items && after.items ? this[side](before.items, after.items, `${where}[]`) : []),
      ...(typeof one === "object" && typeof other === "object"
        ? this[side](one, other, `${where}.*`)
        : []),
    ];
  }
}

function alternatives(schema: Schema, document: OpenApi): Alternative[] {
  const whole = flatten(schema, document);
  const choices = whole.anyOf ?? whole.oneOf;
  if (choices) return choices.flatMap((choice) => alternatives(choice, document));
  const { type, ...rest } = whole;
  if (type === undefined) return [rest];
  return [type].flat().map((one) => ({ ...rest, type: one }));
}

/** A schema without a type is any value. */
const fits = (narrow: string | undefined, wide: string | undefined): boolean =>
  wide === undefined || narrow === wide || (narrow === "integer" && wide === "number");

const nameOf = ({ type, format }: Alternative): string => format ?? type ?? "any value";

const fewest = (lists: string[][]): string[] =>
  lists.reduce((best, list) => list.length < best.length ? list : best);

const missing = (wanted: string[] = [], there: string[] = []): string[] =>
  wanted.filter((name) => !there.includes(name));

const isOpen = ({ additionalProperties }: Schema): boolean => additionalProperties !== false;

const lower = ["minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties"] as const;
const upper = ["maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties"] as const;

/** What `after` takes less of than `before`, type by type. */
function narrowed(before: Schema, after: Schema, where: string): string[] {
  const words = (schema: Schema) => schema.const === undefined ? schema.enum : [schema.const];
  const [offered, taken] = [words(before), words(after)];
  return [
    ...lower.filter((bound) => (after[bound] ?? -Infinity) > (before[bound] ?? -Infinity)),
    ...upper.filter((bound) => (after[bound] ?? Infinity) < (before[bound] ?? Infinity)),
    ...(["pattern", "format"] as const)
      .filter((rule) => after[rule] !== undefined && after[rule] !== before[rule]),
  ].map((rule) => `${where} has a stricter ${rule}`).concat(
    taken === undefined
      ? []
      : offered === undefined
      ? [`${where} takes only ${taken.join(", ")}`]
      : offered.filter((word) => !taken.includes(word))
        .map((word) => `${where} does not take ${word} any more`),
  );
}
