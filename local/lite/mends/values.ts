import type { AnyAST } from "@supabase/lite";
import { sql } from "kysely";
import type { Mend } from "../mend.ts";

type Row = Record<string, unknown>;
type Types = Map<string, string>;

/**
 * A written value reaches Postgres as it came: JSON strings, numbers and booleans stay what they
 * are in a json column, objects and arrays fit composite and array columns, long numbers keep
 * their digits. A key missing from one of several rows means NULL, or the column's default where
 * the client asks for that; lite takes the default and reports NULL.
 */
export const values: Mend = {
  name: "values",
  async parsed(ast, { catalogue, options }) {
    if (!isWrite(ast)) return ast;
    const types = await catalogue.columns(ast.schema ?? options.schemas[0]!, ast.from!);
    if (!types) return ast;
    const asGiven = (row: Row) => withTypes(withColumns(row, ast), types);
    const given = ast.values as Row | Row[];
    return { ...ast, values: Array.isArray(given) ? given.map(asGiven) : asGiven(given) };
  },
};

function isWrite({ type, from, values }: AnyAST): boolean {
  const rows = Array.isArray(values) ? values : [values];
  return ["insert", "upsert", "update"].includes(type ?? "") && from !== undefined &&
    rows.every((row) => typeof row === "object" && row !== null && !Array.isArray(row));
}

function withColumns(row: Row, { $meta }: AnyAST): Row {
  const missing = $meta?.columns?.filter((column) => column !== "" && !(column in row)) ?? [];
  const value = $meta?.missing === "default" ? sql`default` : null;
  return { ...row, ...Object.fromEntries(missing.map((column) => [column, value])) };
}

function withTypes(row: Row, types: Types): Row {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, typed(value, types.get(column))]),
  );
}

const text = /^(text|character|name|citext|extensions\.citext)\b/;

function typed(value: unknown, type: string | undefined): unknown {
  if (type === undefined || value === null) return value;
  if (isExpression(value) || (text.test(type) && !type.endsWith("]"))) {
    return typeof value === "object" && !isExpression(value) ? JSON.stringify(value) : value;
  }
  if (type === "json" || type === "jsonb") {
    return sql`${JSON.stringify(value)}::${sql.raw(type)}`;
  }
  // As a bare parameter it takes the type of its column.
  if (typeof value === "string") return sql`${value}`;
  if (typeof value !== "object") return value;
  const json = JSON.stringify({ value });
  return sql`(select value from json_to_record(${json}::json) as _(value ${sql.raw(type)}))`;
}

function isExpression(value: unknown): boolean {
  return typeof value === "object" && value !== null && "toOperationNode" in value;
}
