import { listen } from "../listen.ts";
import type { Mend } from "../mend.ts";

/**
 * The schema is read again when the database says that it changed (`notify pgrst`, which hosted's
 * event triggers send after DDL too). Lite serves the schema of its first request for ever.
 */
export const schemaCache: Mend = {
  name: "schema cache",
  async connection({ connection, options, catalogue }) {
    const forget = () => {
      catalogue.clear();
      void connection.clearSchemaCache();
    };
    return await listen(options.catalogueUrl, "pgrst", forget);
  },
};
