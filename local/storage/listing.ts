import { fragment, name } from "../auth/database.ts";
import type { ObjectRow } from "./database.ts";
import { refusal } from "./errors.ts";
import { type Call, occasionOf, readJson, type Storage } from "./storage.ts";

const sortColumns = ["name", "updated_at", "created_at", "last_accessed_at"];

function wholeNumber(value: unknown, fallback: number, most: number): number {
  const number = Number(value ?? fallback);
  if (!Number.isInteger(number) || number < 0) throw refusal.invalid("body/limit must be integer");
  return Math.min(number, most);
}

function orderOf(sortBy: unknown): { column: string; order: "asc" | "desc" } {
  const { column = "name", order = "asc" } = (sortBy ?? {}) as { column?: string; order?: string };
  if (!sortColumns.includes(column)) {
    throw refusal.invalid("body/sortBy/column must be equal to one of the allowed values");
  }
  return { column, order: order.toLowerCase() === "desc" ? "desc" : "asc" };
}

type Entry = Omit<ObjectRow, "id"> & { id: string | null };

/** POST /object/list/<bucket>: one level, its folders first; a folder is a row without id. */
export async function list(storage: Storage, call: Call): Promise<Response> {
  const body = await readJson(call.request);
  if (typeof body.prefix !== "string") {
    throw refusal.invalid("body must have required property 'prefix'");
  }
  const { column, order } = orderOf(body.sortBy);
  const prefix = body.prefix.replace(/^\/+/, "").replace(/([^/])$/, "$1/");
  const level = prefix.split("/").length;
  const search = `${String(body.search ?? "").replaceAll(/[\\%_]/g, "\\$&")}%`;
  const key = column === "name" ? fragment`entry` : name(column);
  const direction = name(order);
  const rows = await storage.tables.asCaller(
    occasionOf(call, "object.list"),
    (sql) =>
      sql<Entry & { entry: string }>`
        with found as (
          select *, path_tokens[${level}] as entry, cardinality(path_tokens) > ${level} as folder
          from storage.objects
          where bucket_id = ${call.bucket} and starts_with(name, ${prefix})
            and path_tokens[${level}] ilike ${search}
        ), entries as (
          select entry, true as folder, null::uuid as id, null::timestamptz as updated_at,
            null::timestamptz as created_at, null::timestamptz as last_accessed_at,
            null::jsonb as metadata
          from found where folder group by entry
          union all
          select entry, false, id, updated_at, created_at, last_accessed_at, metadata
          from found where not folder and entry <> ''
        )
        select * from entries
        order by folder desc, ${key} ${direction} nulls last, entry ${direction}
        limit ${wholeNumber(body.limit, 100, 10_000)} offset ${wholeNumber(body.offset, 0, 1e9)}`,
  );
  return Response.json(
    rows.map(({ entry, id, updated_at, created_at, last_accessed_at, metadata }) => (
      { name: entry, id, updated_at, created_at, last_accessed_at, metadata }
    )),
  );
}

interface Line extends ObjectRow {
  key: string;
  folder: boolean;
  at: string;
}

/** POST /object/list-v2/<bucket>: by cursor; with a delimiter, folders stand for what is in them. */
export async function listV2(storage: Storage, call: Call): Promise<Response> {
  const body = await readJson(call.request);
  const { column, order } = orderOf(body.sortBy);
  const limit = Math.max(1, wholeNumber(body.limit, 1000, 1000));
  const after = readCursor(body.cursor);
  const prefix = typeof body.prefix === "string" ? body.prefix : "";
  const at = column === "name" ? fragment`key` : fragment`${name(column)}::text`;
  const rows = await storage.tables.asCaller(
    occasionOf(call, "object.list_v2"),
    (sql) =>
      sql<Line>`
        with found as (
          select *, substr(name, ${prefix.length + 1}) as rest from storage.objects
          where bucket_id = ${call.bucket} and starts_with(name, ${prefix})
        ), keyed as (
          select *, ${body.with_delimiter === true}::boolean and strpos(rest, '/') > 0 as folder
          from found
        ), lines as (
          select *, case when folder then ${prefix} || split_part(rest, '/', 1) || '/' else name end
            collate "C" as key
          from keyed
        ), once as (
          select distinct on (key) *, (${at}) collate "C" as at from lines order by key, name
        )
        select * from once
        where ${after?.key ?? null}::text is null
          or (at, key) ${name(order === "asc" ? ">" : "<")} (${after?.at ?? ""}, ${
        after?.key ?? ""
      })
        order by at ${name(order)}, key ${name(order)} limit ${limit + 1}`,
  );
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const hasNext = rows.length > limit;
  return Response.json({
    hasNext,
    ...(hasNext && last ? { nextCursor: cursorOf(last) } : {}),
    folders: page.filter(({ folder }) => folder).map(({ key }) => ({ name: key, key })),
    objects: page.filter(({ folder }) => !folder).map(shown),
  });
}

const shown = ({ key, name, id, updated_at, created_at, last_accessed_at, metadata }: Line) => (
  { key, name, id, updated_at, created_at, last_accessed_at, metadata }
);

const cursorOf = ({ at, key }: Line): string =>
  btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify([at, key]))));

function readCursor(cursor: unknown): { at: string; key: string } | undefined {
  if (cursor === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(String(cursor)), (byte) => byte.charCodeAt(0));
    const [at, key] = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof at === "string" && typeof key === "string") return { at, key };
  } catch {
    // Refused below, whatever is wrong with it.
  }
  throw refusal.invalid("Invalid cursor");
}
