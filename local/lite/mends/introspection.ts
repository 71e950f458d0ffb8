import type { IntrospectResult } from "@supabase/lite";
import { createPostgresConnection } from "@supabase/lite/postgres";
import type { KyselyPlugin } from "kysely";
import type { Mend } from "../mend.ts";
import { asJson } from "./results.ts";
import { executeOn, kyselyOver } from "../statements.ts";

/**
 * Lite learns the schema through a connection of its own that sees every table, and only of the
 * exposed schemas: it looks relations up by their bare name, and would mix `public.users` up with
 * `auth.users`. It is read once for all requests that wait for it, and a failed reading is an
 * error: lite takes it for an empty database.
 */
export const introspection: Mend = {
  name: "introspection",
  connection({ connection, options, reader }) {
    const reading = createPostgresConnection({ url: options.catalogueUrl });
    reading.kysely = kyselyOver(asJson(executeOn(reader))).withPlugin(exposedOnly(options.schemas));
    let known: Promise<IntrospectResult> | undefined;

    connection.introspect = () => {
      if (known) return known;
      const result = known = reading.introspect().then(complete);
      result.catch(() => {
        if (known === result) known = undefined;
      });
      return result;
    };
    connection.clearSchemaCache = () => {
      known = undefined;
      return Promise.resolve();
    };
  },
  fetch(next, parts) {
    return async (request) => {
      try {
        await Promise.all([parts.connection.introspect(), parts.catalogue.ready()]);
      } catch {
        return schemaUnknown();
      }
      return await next(request);
    };
  },
};

function complete(result: IntrospectResult): IntrospectResult {
  // Only a reading that went to its end has them.
  if (!result.timezones) throw new Error("the schema could not be read");
  return result;
}

function schemaUnknown(): Response {
  const code = "PGRST002";
  const message = "Could not query the database for the schema cache. Retrying.";
  return Response.json({ code, details: null, hint: null, message }, {
    status: 503,
    headers: { "Proxy-Status": `PostgREST; error=${code}`, "Retry-After": "1" },
  });
}

function exposedOnly(schemas: string[]): KyselyPlugin {
  const isExposed = (row: Record<string, unknown>) => {
    if ("kind" in row) return true; // a type may be used from any schema
    return [row.schema, row.ref_schema].every((name) =>
      name === undefined || schemas.includes(String(name))
    );
  };
  return {
    transformQuery: ({ node }) => node,
    transformResult: ({ result }) =>
      Promise.resolve({ ...result, rows: result.rows.filter(isExposed) }),
  };
}
