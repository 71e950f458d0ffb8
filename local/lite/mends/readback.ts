import type { Mend } from "../mend.ts";

/**
 * Rows changed by an update are read back by their key alone. Where the answer renames or embeds,
 * lite reads them with a second statement, by the filter of the request as well: an update that
 * changes what it filters by would seem to have changed nothing.
 */
export const readBack: Mend = {
  name: "read back",
  parsed(ast, { current }) {
    if (ast.type !== "update") return ast;
    const request = current();
    const { where, ...rest } = ast;
    return Object.defineProperty({ ...rest }, "where", {
      enumerable: true,
      get: () => request.updated ? undefined : where,
    });
  },
  statement: (next, { current }) => async (query) => {
    const result = await next(query);
    if (query.query.kind === "UpdateQueryNode") current().updated = true;
    return result;
  },
};
