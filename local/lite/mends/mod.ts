import type { Mend } from "../mend.ts";
import { functionArguments } from "./arguments.ts";
import { caller } from "./caller.ts";
import { embedding } from "./embedding.ts";
import { errors } from "./errors.ts";
import { filters } from "./filters.ts";
import { introspection } from "./introspection.ts";
import { methods } from "./methods.ts";
import { readBack } from "./readback.ts";
import { relationships } from "./relationships.ts";
import { results } from "./results.ts";
import { schemaCache } from "./schema_cache.ts";
import { values } from "./values.ts";
import { writes } from "./writes.ts";

/**
 * All of them, in the order in which they wrap: the first is outermost. What the request is changed
 * to is handed down the list, too.
 */
export const mends: Mend[] = [
  introspection,
  relationships,
  schemaCache,
  errors,
  methods,
  caller,
  filters,
  embedding,
  functionArguments,
  values,
  writes,
  readBack,
  results,
];
