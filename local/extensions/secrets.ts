import postgres from "postgres";
import type { Database } from "../postgres/mod.ts";

/** What a deployment sets by hand: the worker's secret, known to the vault and to the function. */
export interface StackSecrets {
  WORKER_SECRET: string;
}

/**
 * Keeps in the vault what the database needs to call functions, as `docs/jobs.md` asks of a hosted
 * project: `functions_url`, which follows the port of this run, and `worker_secret`, made once.
 */
export async function keepSecrets(database: Database, functionsUrl: string): Promise<StackSecrets> {
  const sql = postgres(database.url("postgres"), { max: 1, onnotice() {} });
  try {
    const found = await sql<{ id: string; name: string; value: string }[]>`
      select id, name, decrypted_secret as value from vault.decrypted_secrets
      where name in ('functions_url', 'worker_secret')`;
    const known = new Map(found.map((row) => [row.name, row]));
    const keep = async (name: string, value: string) => {
      const row = known.get(name);
      if (row?.value === value) return;
      await (row
        ? sql`select vault.update_secret(${row.id}, ${value})`
        : sql`select vault.create_secret(${value}, ${name})`);
    };
    const secret = known.get("worker_secret")?.value ?? randomSecret();
    await keep("worker_secret", secret);
    await keep("functions_url", functionsUrl);
    return { WORKER_SECRET: secret };
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function randomSecret(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toHex();
}
