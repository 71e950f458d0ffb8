import type { AnyAST, IntrospectResult } from "@supabase/lite";
import { answerWith } from "../answer.ts";
import type { Mend } from "../mend.ts";

/**
 * Between two relations there is a many-to-many relationship only through a table whose primary
 * key holds both foreign keys, as in PostgREST. Lite takes every table that points at both for a
 * junction, so that tables of one tenant are all ambiguous.
 */
export const embedding: Mend = {
  name: "embedding",
  async parsed(ast, { connection }) {
    if (!ast.join) return ast;
    const schema = await connection.introspect();
    const parent = ast.from ?? returnedBy(ast, schema);
    return parent === undefined ? ast : withHints(ast, parent, schema);
  },
};

interface Embedding {
  select?: unknown[];
  join?: AnyAST["join"];
}

function withHints<T extends Embedding>(ast: T, parent: string, schema: IntrospectResult): T {
  const join = Object.entries(ast.join ?? {}).map(([alias, embed]) => {
    const target = embed.from ?? alias;
    const hint = embed.hint ?? hintFor(parent, target, schema);
    return [alias, hint === undefined ? embed : { ...embed, hint }];
  });
  const select = ast.select?.map((entry) => {
    if (typeof entry !== "object" || entry === null) return entry;
    return Object.fromEntries(
      Object.entries(entry as Record<string, Embedding>).map(([alias, embed]) => [
        alias,
        embed.join ? withHints(embed, ast.join?.[alias]?.from ?? alias, schema) : embed,
      ]),
    );
  });
  return { ...ast, join: Object.fromEntries(join), ...(select && { select }) };
}

// A function that returns rows of a table is embedded into like that table.
function returnedBy(ast: AnyAST, { functions, tables, views }: IntrospectResult) {
  const types = functions?.filter(({ name }) => name === ast.function)
    .map(({ return_type }) => return_type.replace(/^.*\./, "").replace(/^"|"$/g, ""));
  return [...tables, ...views].find(({ name }) => types?.includes(name))?.name;
}

/** The name of the only relationship there is; undefined where lite is to say what is wrong. */
function hintFor(parent: string, target: string, schema: IntrospectResult): string | undefined {
  const isKnown = [...schema.tables, ...schema.views].some(({ name }) => name === target);
  const isComputed = schema.functions?.some(({ name }) => name === target);
  if (!isKnown || isComputed || parent === target) return undefined;
  const between = schema.foreign_keys.filter(({ table, ref_table }) =>
    (table === parent && ref_table === target) || (table === target && ref_table === parent)
  );
  const junctions = junctionsOf(parent, target, schema);
  if (between.length + junctions.length === 0) throw unrelated(parent, target, schema);
  if (between.length + junctions.length > 1) return undefined;
  return between[0]?.foreign_key_name ?? junctions[0];
}

function junctionsOf(parent: string, target: string, schema: IntrospectResult): string[] {
  return schema.primary_keys.filter(({ table, columns }) => {
    const points = (to: string) =>
      schema.foreign_keys.some((key) =>
        key.table === table && key.ref_table === to &&
        key.column.split(",").every((column) => columns.includes(column))
      );
    return table !== parent && table !== target && points(parent) && points(target);
  }).map(({ table }) => table);
}

function unrelated(parent: string, target: string, { default_schema }: IntrospectResult): Error {
  return answerWith({
    status: 400,
    code: "PGRST200",
    message:
      `Could not find a relationship between '${parent}' and '${target}' in the schema cache`,
    details: `Searched for a foreign key relationship between '${parent}' and '${target}' ` +
      `in the schema '${default_schema}', but no matches were found.`,
  });
}
