/** One statement of a file: its text as the CLI records it, and where that text begins in the file. */
export interface Statement {
  text: string;
  offset: number;
}

/**
 * Splits a file into statements at its semicolons, as the Supabase CLI does: quotes, dollar quotes,
 * nested comments, parentheses and `begin atomic … end` bodies are left whole, the closing semicolon
 * is cut off, and a comment belongs to the statement it stands before.
 */
export function splitStatements(source: string): Statement[] {
  const statements: Statement[] = [];
  let start = 0;
  for (const end of statementEnds(source)) {
    const piece = source.slice(start, end);
    const text = piece.replace(/;+$/, "").trim();
    if (text) statements.push({ text, offset: start + piece.indexOf(text) });
    start = end;
  }
  return statements;
}

// Sticky, so that each is tried at one place only. An unclosed one runs to the end of the file.
const skipped = [
  /--[^\n\r]*/y,
  /(?<![\w$\u0080-\uFFFF])[eE]'(?:\\[^]|''|[^\\'])*(?:'|$)/y,
  /'(?:''|[^'])*(?:'|$)/y,
  /"(?:""|[^"])*(?:"|$)/y,
  /(?<![\w$\u0080-\uFFFF])(\$(?:[A-Za-z_\u0080-\uFFFF][\w\u0080-\uFFFF]*)?\$)[^]*?(?:\1|$)/y,
];
const word = /[A-Za-z_\u0080-\uFFFF][\w$\u0080-\uFFFF]*/y;

function* statementEnds(source: string): Generator<number> {
  let depth = 0;
  let body: AtomicBody | undefined;
  let previous = "";
  for (let at = 0; at < source.length;) {
    const next = endOfComment(source, at) ?? endOfMatch(skipped, source, at);
    if (next !== undefined) {
      at = next;
      continue;
    }
    const end = endOfMatch([word], source, at);
    if (end !== undefined) {
      const name = source.slice(at, end).toLowerCase();
      if (name === "atomic" && previous === "begin") body = new AtomicBody();
      else if (body?.endsWith(name)) body = undefined;
      previous = name;
      at = end;
      continue;
    }
    const character = source[at++]!;
    if (/\S/.test(character)) previous = character;
    if (character === "(") depth++;
    else if (character === ")") depth = Math.max(0, depth - 1);
    else if (character === ";" && depth === 0) {
      if (body) body.statementEnded();
      else yield at;
    }
  }
  yield source.length;
}

/** The `begin atomic … end` of a function: `end` closes it where a statement could begin. */
class AtomicBody {
  #atStart = true;

  endsWith(name: string): boolean {
    const closes = this.#atStart && name === "end";
    this.#atStart = false;
    return closes;
  }

  statementEnded(): void {
    this.#atStart = true;
  }
}

/** Comments of this kind nest, which no regular expression can follow. */
function endOfComment(source: string, at: number): number | undefined {
  if (!source.startsWith("/*", at)) return undefined;
  const edge = /\/\*|\*\//g;
  edge.lastIndex = at;
  let depth = 0;
  for (let match = edge.exec(source); match; match = edge.exec(source)) {
    depth += match[0] === "/*" ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  return source.length;
}

function endOfMatch(patterns: RegExp[], source: string, at: number): number | undefined {
  for (const pattern of patterns) {
    pattern.lastIndex = at;
    if (pattern.test(source)) return pattern.lastIndex;
  }
  return undefined;
}
