import type { IntrospectResult } from "@supabase/lite";
import {
  ColumnNode,
  type KyselyPlugin,
  OperationNodeTransformer,
  RawNode,
  ReferenceNode,
  type RootOperationNode,
} from "kysely";
import type { Mend } from "../mend.ts";

type ForeignKey = IntrospectResult["foreign_keys"][number];

/**
 * A foreign key of several columns is one relationship. Lite joins by its first column alone where
 * the request names the key (`author:people!posts_author_fkey(name)`), which in tables keyed by
 * tenant finds everybody, and does not see that such a key may be unique. Here lite is told of one
 * column that stands for all, and its comparison becomes one of rows.
 */
export const relationships: Mend = {
  name: "relationships",
  connection({ connection }) {
    const introspect = connection.introspect.bind(connection);
    const known = new WeakMap<IntrospectResult, IntrospectResult>();
    connection.introspect = async (options) => {
      const result = await introspect(options);
      if (!known.has(result)) known.set(result, withWholeKeys(result));
      return known.get(result)!;
    };
  },
  tree: () => rowComparisons,
};

const separator = ",";

function withWholeKeys(result: IntrospectResult): IntrospectResult {
  const parts = Object.values(Object.groupBy(result.foreign_keys, keyOf)) as ForeignKey[][];
  const foreignKeys = parts.map((key) => ({
    ...key[0]!,
    column: key.map(({ column }) => column).join(separator),
    ref_column: key.map(({ ref_column }) => ref_column).join(separator),
  }));
  return {
    ...result,
    foreign_keys: foreignKeys,
    unique_constraints: [...result.unique_constraints, ...uniqueKeys(result, foreignKeys)],
  };
}

function keyOf(key: ForeignKey): string {
  const group = key.foreign_key_group ?? "";
  return [key.schema, key.table, key.foreign_key_name, key.ref_table, group].join("\n");
}

// Each foreign key whose columns are unique together is to-one from the other side too.
function uniqueKeys(result: IntrospectResult, foreignKeys: ForeignKey[]) {
  const unique = [
    ...result.primary_keys,
    ...result.unique_constraints,
    ...result.indexes.filter(({ unique }) => unique),
  ];
  return foreignKeys
    .filter(({ column, table, schema }) => {
      const columns = column.split(separator).sort().join();
      return column.includes(separator) &&
        unique.some((key) =>
          key.table === table && key.schema === schema && key.columns.toSorted().join() === columns
        );
    })
    .map(({ schema, table, foreign_key_name: name, column }) => ({
      schema,
      table,
      name,
      columns: [column],
    }));
}

class RowComparisons extends OperationNodeTransformer {
  protected override transformReference(node: ReferenceNode): ReferenceNode {
    const { column } = node;
    if (!ColumnNode.is(column) || !column.column.name.includes(separator)) {
      return super.transformReference(node);
    }
    const columns = column.column.name.split(separator)
      .map((name) => ReferenceNode.create(ColumnNode.create(name), node.table));
    const between = columns.slice(1).map(() => ", ");
    return RawNode.create(["(", ...between, ")"], columns) as unknown as ReferenceNode;
  }
}

const transformer = new RowComparisons();

const rowComparisons: KyselyPlugin = {
  transformQuery: ({ node }) => transformer.transformNode(node) as RootOperationNode,
  transformResult: ({ result }) => Promise.resolve(result),
};
