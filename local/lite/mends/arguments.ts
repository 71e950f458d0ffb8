import {
  AliasNode,
  FromNode,
  type RawBuilder,
  type RootOperationNode,
  SelectQueryNode,
  sql,
} from "kysely";
import type { Routine } from "../catalogue.ts";
import type { Mend } from "../mend.ts";
import type { CurrentRequest } from "../request.ts";

/**
 * The arguments of a function are read by Postgres out of the JSON they came in, as PostgREST has
 * it do. Lite hands json over as a JSON string, objects as "[object Object]", and writes names
 * unquoted: `order` is a syntax error, `camelCase` another name.
 */
export const functionArguments: Mend = {
  name: "function arguments",
  tree: ({ current }) => ({
    transformQuery: ({ node }) => withCall(node, current()),
    transformResult: ({ result }) => Promise.resolve(result),
  }),
  fetch: (next, { current }) => async (request) => {
    if (!isCall(request)) return await next(request);
    const body = current().body = await request.text();
    return await next(new Request(request, { body }));
  },
};

function isCall({ url, method, headers }: Request): boolean {
  return method === "POST" && new URL(url).pathname.startsWith("/rest/v1/rpc/") &&
    /json/.test(headers.get("content-type") ?? "");
}

function withCall(node: RootOperationNode, request: CurrentRequest): RootOperationNode {
  const { ast, routine } = request;
  if (!SelectQueryNode.is(node) || ast?.type !== "rpc" || !routine || routine.variadic) return node;
  const [from] = node.from?.froms ?? [];
  if (!from || !AliasNode.is(from) || from.node.kind !== "RawNode") return node;
  const call = callOf(routine, ast.args ?? {}, request).toOperationNode();
  return { ...node, from: FromNode.create([{ ...from, node: call } as AliasNode]) };
}

function callOf(routine: Routine, given: object, request: CurrentRequest): RawBuilder<unknown> {
  const name = sql.id(routine.schema, routine.name);
  const args = routine.args.filter((arg) => arg.name in given);
  if (args.length === 0) return sql`${name}()`;
  if (request.method !== "POST") {
    // In the URL an argument is text, whatever its type.
    const values = args.map(({ name, type }) =>
      sql`${sql.id(name)} := ${request.url.searchParams.get(name)}::${sql.raw(type)}`
    );
    return sql`${name}(${sql.join(values)})`;
  }
  const json = request.body ?? JSON.stringify(given);
  const columns = sql.join(args.map(({ name, type }) => sql`${sql.id(name)} ${sql.raw(type)}`));
  const values = args.map(({ name }) => sql`${sql.id(name)} := ${sql.id("pgrst_args", name)}`);
  const result = sql.id(routine.name);
  return sql`(
    select ${result}.*
    from json_to_record(${json}::json) as pgrst_args (${columns}),
      lateral ${name}(${sql.join(values)}) as ${result}
  )`;
}
