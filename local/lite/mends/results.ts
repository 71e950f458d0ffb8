import type { CompiledQuery } from "kysely";
import type { Mend } from "../mend.ts";
import type { Execute } from "../statements.ts";

/**
 * Postgres renders rows as JSON, as PostgREST has it do. Lite renders what its driver parsed:
 * timestamps without T, numeric as text, bigint rounded, elements NULL of an array as "NULL",
 * composite values as text.
 */
export const results: Mend = {
  name: "results",
  statement: (next) => {
    const rendered = asJson(next);
    return (query) => returnsRows(query.query) ? rendered(query) : next(query);
  },
};

function returnsRows(node: CompiledQuery["query"]): boolean {
  return node.kind === "SelectQueryNode" || ("returning" in node && node.returning !== undefined);
}

/** Runs statements that return rows, each row read from Postgres' own rendering of it. */
export function asJson(next: Execute): Execute {
  return async (query) => {
    const sql = `with pgrst_source as (${query.sql})
      select to_json(_)::text as row from pgrst_source _`;
    const { rows, ...rest } = await next({ ...query, sql });
    return { ...rest, rows: rows.map((row) => parsed((row as { row: string }).row)) };
  };
}

type Reviver = (this: unknown, key: string, value: unknown, context: { source: string }) => unknown;
const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => unknown;
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** Parses without loss: a number that JavaScript would round stays the text it was. */
export function parsed(text: string): unknown {
  // Numbers of up to fifteen digits are exact, and asking for the source costs.
  if (!/\d[\d.]{15}/.test(text)) return JSON.parse(text);
  return parseWithSource(text, (_key, value, { source }) => {
    return typeof value === "number" && !isExact(value, source) ? rawJSON(source) : value;
  });
}

function isExact(value: number, source: string): boolean {
  if (/^-?\d+$/.test(source)) return Number.isSafeInteger(value);
  return source.replace(/e.*$/i, "").replace(/[-.]/g, "").replace(/^0+|0+$/g, "").length <= 15;
}
