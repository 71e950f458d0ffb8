import { openHome } from "../local/home.ts";
import { readSettings, root } from "../local/settings.ts";
import { type StackInfo, startStack } from "../local/stack.ts";
import { freeOffset } from "./support/ports.ts";

/**
 * Runs the tests (or those under the paths given) against one stack: the one named by SUPABASE_URL
 * and its companions, else one of its own on free ports in a temporary folder.
 */
async function main(paths: string[]): Promise<number> {
  if (Deno.env.has("SUPABASE_URL")) return await test(paths, {});
  const home = await Deno.makeTempDir({ prefix: "nexus-test-" });
  const offset = freeOffset();
  const settings = {
    ...readSettings(["--port-offset", String(offset)], { NEXUS_HOME: home }),
    seed: false,
  };
  try {
    const { log, close } = await openHome(home);
    const stack = await startStack(settings, (_title, work) => work(), log);
    try {
      return await test(paths, environment(stack.info));
    } finally {
      await stack.stop();
      await close();
    }
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

function environment(info: StackInfo): Record<string, string> {
  return {
    SUPABASE_URL: info.url,
    SUPABASE_PUBLISHABLE_KEY: info.publishableKey,
    SUPABASE_SECRET_KEY: info.secretKey,
    SUPABASE_DB_URL: info.databaseUrl,
  };
}

async function test(paths: string[], env: Record<string, string>): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--quiet", "--no-check", "--parallel", ...paths],
    cwd: root,
    env: { DENO_JOBS: "2", ...env },
  }).spawn();
  return (await child.status).code;
}

Deno.exit(await main(Deno.args));
