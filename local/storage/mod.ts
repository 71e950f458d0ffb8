import type { Keys } from "../keys.ts";
import type { Log, Part } from "../part.ts";
import { join } from "../paths.ts";
import type { Settings } from "../settings.ts";
import { Bytes } from "./bytes.ts";
import { Tables } from "./database.ts";
import { createRoutes } from "./routes.ts";
import { Signer } from "./signing.ts";

export interface StorageContext {
  settings: Settings;
  keys: Keys;
  database: { url(role: "supabase_storage_admin"): string };
  log: Log;
}

/**
 * The Storage stand-in: storage-api's surface over hosted's own schema `storage`, the bytes in the
 * home folder. Rights are the policies of `storage.objects`, asked as the caller's role.
 */
export async function createStorage(context: StorageContext): Promise<Part> {
  const { settings, keys, database, log } = context;
  const tables = new Tables(database.url("supabase_storage_admin"), log);
  try {
    const bytes = await openBytes(tables, settings.home);
    const orphans = await bytes.sweep((versions) => knownVersions(tables, versions));
    if (orphans > 0) log(`storage: removed ${orphans} files that no object names`);
    const sizeLimit = settings.config.storage.fileSizeLimit;
    const signer = await Signer.of(keys);
    const routes = createRoutes({ tables, bytes, signer, sizeLimit, log }, keys);
    return {
      fetch: async (request) => await routes.fetch(request),
      stop: () => tables.end(),
    };
  } catch (error) {
    await tables.end();
    throw error;
  }
}

/** A folder for each database: with another one behind it, this home's files are no orphans. */
async function openBytes(tables: Tables, home: string): Promise<Bytes> {
  const [row] = await tables.asServer((sql) =>
    sql<{ id: string }>`
      select system_identifier || '-' || oid as id from pg_control_system(), pg_database
      where datname = current_database()`
  );
  return await Bytes.open(join(home, "storage", row!.id));
}

async function knownVersions(tables: Tables, versions: string[]): Promise<Set<string>> {
  const rows = await tables.asServer((sql) =>
    sql<{ version: string }>`
      select version from storage.objects where version = any (${versions}::text[])`
  );
  return new Set(rows.map(({ version }) => version));
}
