import { deployFunctions, pushConfig, pushMigrations, setSecrets } from "./deploy/steps.ts";
import { readTarget } from "./deploy/target.ts";
import { StackError } from "./part.ts";
import { say, warn } from "./terminal.ts";

/**
 * `deno task deploy`: brings the hosted project of SUPABASE_PROJECT_REF to what this folder says, by
 * the real Supabase CLI. Every step may be repeated, so a deployment that broke off is run again.
 */
async function main(): Promise<void> {
  const target = readTarget(Deno.env.toObject());
  const folder = await Deno.makeTempDir({ prefix: "nexus-deploy-" });
  try {
    say("Settings");
    await pushConfig(target, folder);
    say("\nMigrations");
    await pushMigrations(target);
    say("\nSecrets");
    await setSecrets(target, folder);
    say("\nFunctions");
    await deployFunctions(target);
    say(`\nDeployed. ${target.functionsUrl}/api/health/ready tells how it is.`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

try {
  await main();
} catch (error) {
  warn(error instanceof StackError ? error.message : String((error as Error).stack ?? error));
  Deno.exit(1);
}
