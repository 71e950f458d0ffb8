/** A condition as lite's syntax tree has it: `{ "$eq": "value" }`, `{ "$not": … }`. */
export type Condition = Record<string, unknown>;

const operators: Record<string, string> = {
  eq: "$eq",
  neq: "$neq",
  gt: "$gt",
  gte: "$gte",
  lt: "$lt",
  lte: "$lte",
  like: "$like",
  ilike: "$ilike",
  match: "$regex",
  imatch: "$iregex",
  isdistinct: "$isDistinct",
  cs: "$contains",
  cd: "$containedBy",
  ov: "$overlaps",
  sl: "$rangeLt",
  sr: "$rangeGt",
  nxl: "$rangeGte",
  nxr: "$rangeLte",
  adj: "$rangeAdjacent",
};

const searches: Record<string, string | undefined> = {
  fts: undefined,
  plfts: "plain",
  phfts: "phrase",
  wfts: "websearch",
};

const tests: Record<string, unknown> = {
  null: null,
  true: true,
  false: false,
  unknown: Symbol.for("postgrest:unknown"),
  not_null: Symbol.for("postgrest:not_null"),
};

/** Reads `not.in.(1,2)`, `eq.text`, …: every value stays the text it is. */
export function readCondition(text: string): Condition | undefined {
  const [, not, operator, modifier, value] =
    text.match(/^(not\.)?([a-z]+)(?:\(([^)]*)\))?\.(.*)$/s) ?? [];
  if (operator === undefined || value === undefined) return undefined;
  if (operator === "in") return { [not ? "$notIn" : "$in"]: readList(value) };
  if (operator === "is") return { [not ? "$isNot" : "$is"]: tests[value.trim().toLowerCase()] };
  const condition = readComparison(operator, modifier, value);
  return condition && not ? { $not: condition } : condition;
}

function readComparison(operator: string, modifier: string | undefined, value: string) {
  if (Object.hasOwn(searches, operator)) {
    return { $textSearch: { query: value, type: searches[operator], config: modifier } };
  }
  if (!Object.hasOwn(operators, operator)) return undefined;
  const text = /like$/.test(operator) ? value.replaceAll("*", "%") : value;
  const quantifier = modifier ? modifier[0]!.toUpperCase() + modifier.slice(1) : "";
  return { [operators[operator] + quantifier]: text };
}

function readList(value: string): string[] {
  const items = value.replace(/^\((.*)\)$/s, "$1");
  return items === "" ? [] : split(items).map(unquoted);
}

/** Reads the operands of `or=(a.eq.1,not.and(b.gt.2,c.in.(3,4)))`. */
export function readTree(text: string): Condition[] {
  return split(text.replace(/^\((.*)\)$/s, "$1")).map((part) => readNode(part.trim()));
}

function readNode(text: string): Condition {
  const [, not, junction, operands] = text.match(/^(not\.)?(and|or)\s*(\(.*\))$/s) ?? [];
  if (operands !== undefined) {
    const node = { [`$${junction}`]: readTree(operands) };
    return not ? { $not: node } : node;
  }
  const [, column = "", filter = ""] = text.match(/^("[^"]*"|[^.]*)\.(.*)$/s) ?? [];
  const [, operator = "", value = ""] = filter.match(/^((?:not\.)?[a-z]+(?:\([^)]*\))?\.)(.*)$/s) ??
    [];
  return { [unquoted(column)]: readCondition(operator + unquoted(value)) };
}

function unquoted(text: string): string {
  const [, inner] = text.match(/^"(.*)"$/s) ?? [];
  return inner === undefined ? text : inner.replace(/\\(.)/gs, "$1");
}

/** Splits at the commas that stand outside quotes, parentheses and braces. */
function split(text: string): string[] {
  const parts = [""];
  let depth = 0;
  let quoted = false;
  for (const [character] of text.matchAll(/\\.|./gs)) {
    if (character === '"') quoted = !quoted;
    else if (!quoted && "({[".includes(character)) depth++;
    else if (!quoted && ")}]".includes(character)) depth--;
    if (character === "," && !quoted && depth === 0) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts;
}
