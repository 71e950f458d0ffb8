import type { AnyAST } from "@supabase/lite";
import { type Condition, readCondition, readTree } from "../filter.ts";
import type { Mend } from "../mend.ts";
import type { CurrentRequest } from "../request.ts";

type Where = Record<string, unknown>;

/** What can be filtered: the request's relation or one embedded in it. */
interface Filtered {
  select?: unknown[];
  join?: Record<string, { from?: string }>;
  where?: Where;
}

/**
 * The value of a filter is the text it is, and several filters of one column all hold. Lite
 * guesses what values mean (`name=eq.null` asks for NULL, `phone=eq.%2B49…` loses its plus,
 * `version=eq.1.0` compares with 1), keeps the last of two equal operators, and reads two `or`
 * as one.
 */
export const filters: Mend = {
  name: "filters",
  parsed: (ast, { current }) => withFilters(ast, current()),
};

const reserved = /^(select|columns|on_conflict|apikey|(.+\.)?(order|limit|offset))$/;

function withFilters(ast: AnyAST, { url, routine, method }: CurrentRequest): AnyAST {
  const filtered = withoutFilters(ast as Filtered);
  const args = method === "POST" ? [] : routine?.args.map(({ name }) => name) ?? [];
  for (const [name, value] of url.searchParams) {
    if (reserved.test(name) || args.includes(name)) continue;
    const { target, rest } = locate(filtered, name);
    if (!add(target.where ??= {}, rest, value)) return ast;
  }
  return filtered as AnyAST;
}

/** A copy without lite's conditions: those of embedded relations stand inside `select`. */
function withoutFilters(filtered: Filtered): Filtered {
  const { where: _, ...rest } = filtered;
  if (!rest.select) return rest;
  const select = rest.select.map((entry) => {
    if (typeof entry !== "object" || entry === null) return entry;
    const parts = Object.entries(entry as Record<string, Filtered>);
    return Object.fromEntries(
      parts.map(([alias, part]) => [alias, part.select ? withoutFilters(part) : part]),
    );
  });
  return { ...rest, select };
}

/** Follows `author.tenant.slug` into the embedded resources it names, by alias or by relation. */
function locate(target: Filtered, name: string): { target: Filtered; rest: string } {
  const [, head, rest] = name.match(/^([^".>]+)\.(.+)$/s) ?? [];
  if (head === undefined || rest === undefined) return { target, rest: name };
  const alias = Object.entries(target.join ?? {})
    .find(([alias, { from }]) => alias === head || from === head)?.[0];
  const embed = alias === undefined ? undefined : embedOf(target.select ?? [], alias);
  return embed ? locate(embed, rest) : { target, rest: name };
}

function embedOf(select: unknown[], alias: string): Filtered | undefined {
  for (const entry of select) {
    if (typeof entry === "object" && entry !== null && alias in entry) {
      return (entry as Record<string, Filtered>)[alias];
    }
  }
  return undefined;
}

function add(where: Where, name: string, value: string): boolean {
  const [, not, junction] = name.match(/^(not\.)?(and|or)$/) ?? [];
  if (junction !== undefined) {
    const tree: Condition = { [`$${junction}`]: readTree(value) };
    and(where, not ? { $not: tree } : tree);
    return true;
  }
  const condition = readCondition(value);
  if (!condition) return false;
  const column = name.replace(/^"(.*)"$/s, "$1");
  if (column in where) and(where, { [column]: condition });
  else where[column] = condition;
  return true;
}

function and(where: Where, condition: Condition): void {
  ((where.$and ??= []) as Condition[]).push(condition);
}
