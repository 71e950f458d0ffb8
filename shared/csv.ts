import { z } from "@hono/zod-openapi";
import { CsvError, parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { ProblemError } from "./errors/problem.ts";

/**
 * Rows as CSV (RFC 4180, UTF-8 with a byte order mark so that spreadsheets read it as such), with a
 * header line. Cells that a spreadsheet would run as a formula are quoted with an apostrophe.
 */
export function toCsv<T extends object>(rows: readonly T[], columns: (keyof T & string)[]): string {
  return stringify(rows as T[], {
    header: true,
    columns,
    bom: true,
    record_delimiter: "windows",
    escape_formulas: true,
    cast: { object: (value) => JSON.stringify(value), boolean: String },
  });
}

/** The lines of a CSV file by the names in its header; what does not fit ends as `request.invalid`. */
export function fromCsv<T extends z.ZodType>(text: string, line: T): z.infer<T>[] {
  const { data, error } = z.array(line).safeParse(parsed(text));
  if (!error) return data;
  const errors = error.issues.slice(0, 20).map(({ path, message }) => ({
    in: "body",
    pointer: path.map((key) => `/${String(key)}`).join(""),
    detail: message,
  }));
  throw new ProblemError("request.invalid", { errors });
}

function parsed(text: string): unknown {
  try {
    return parse(text, { columns: true, bom: true, skip_empty_lines: true, trim: true });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new ProblemError("request.invalid", {
      errors: [{ in: "body", pointer: "", detail: error.message }],
      cause: error,
    });
  }
}
