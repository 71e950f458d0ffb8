import { stringify } from "csv-stringify/sync";

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
