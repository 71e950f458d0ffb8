import { breakingChanges } from "./openapi/breaking.ts";
import { committed, describe, documentFile } from "./openapi/document.ts";
import { say, warn } from "./terminal.ts";

/**
 * `deno task openapi`: writes the routes' description to `docs/openapi.json`. What would break
 * clients is refused, unless `--breaking` says that this is meant.
 */
async function main(): Promise<number> {
  const now = await describe();
  const before = await committed().catch((error) => {
    if (error instanceof Deno.errors.NotFound) return now;
    throw error;
  });
  const breaks = breakingChanges(before, now);
  if (breaks.length > 0 && !Deno.args.includes("--breaking")) {
    warn(`Not written, clients would break:\n  ${breaks.join("\n  ")}`);
    return 1;
  }
  await Deno.writeTextFile(documentFile, `${JSON.stringify(now, null, 2)}\n`);
  say(`Written: ${Object.keys(now.paths).length} paths.`);
  return 0;
}

Deno.exit(await main());
