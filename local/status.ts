import { readState } from "./home.ts";
import { readSettings } from "./settings.ts";
import { say, warn } from "./terminal.ts";

/** `deno task status`: where the running stack is, for people, scripts and tests. */
async function main(): Promise<number> {
  const { home } = readSettings();
  const state = await readState(home);
  if (!state) {
    warn(`Nexus does not run in ${home}. Start it with \`deno task start\`.`);
    return 1;
  }
  say(`SUPABASE_URL=${state.url}`);
  say(`SUPABASE_PUBLISHABLE_KEY=${state.publishableKey}`);
  say(`SUPABASE_SECRET_KEY=${state.secretKey}`);
  say(`SUPABASE_DB_URL=${state.databaseUrl}`);
  return 0;
}

Deno.exit(await main());
