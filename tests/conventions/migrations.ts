import { join } from "../../local/paths.ts";
import { root } from "../../local/settings.ts";

export interface MigrationText {
  file: string;
  text: string;
}

/** The migrations, in order. */
export async function readMigrations(): Promise<MigrationText[]> {
  const folder = join(root, "migrations");
  const files = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  return await Promise.all(
    files.map(async (file) => ({ file, text: await Deno.readTextFile(join(folder, file)) })),
  );
}
