import { InsertQueryNode, type RootOperationNode } from "kysely";
import type { Mend } from "../mend.ts";
import type { CurrentRequest } from "../request.ts";

/**
 * A write returns rows only where the client wants them: lite returns whole rows of tables with
 * certain columns, which a role that may not read every column is refused. A row without values
 * takes all defaults, where lite's SQL is not valid. And `Location` is told where the client asks
 * for headers only; elsewhere lite builds it of columns it has not read.
 */
export const writes: Mend = {
  name: "writes",
  tree: ({ current }) => ({
    transformQuery: ({ node }) => trimmed(node, current()),
    transformResult: ({ result }) => Promise.resolve(result),
  }),
  fetch: (next) => async (request) => {
    const response = await next(request);
    if (!/return=headers-only/.test(request.headers.get("prefer") ?? "")) {
      response.headers.delete("location");
    }
    return response;
  },
};

function trimmed(node: RootOperationNode, { headers }: CurrentRequest): RootOperationNode {
  const wanted = /return=(representation|headers-only)/.test(headers.get("prefer") ?? "");
  if ("returning" in node && !wanted) {
    const { returning: _, ...silent } = node;
    return trimmedInsert(silent as RootOperationNode);
  }
  return trimmedInsert(node);
}

function trimmedInsert(node: RootOperationNode): RootOperationNode {
  if (!InsertQueryNode.is(node) || node.columns?.length !== 0) return node;
  const { columns: _, values: __, ...empty } = node;
  return { ...empty, defaultValues: true };
}
