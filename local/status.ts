import { readState } from "./home.ts";
import { StackError } from "./part.ts";
import { runCommand } from "./running.ts";
import { readSettings } from "./settings.ts";
import { say, taskRunner } from "./terminal.ts";

// `deno task status`: where the running stack is, for people, scripts and tests.
await runCommand(async () => {
  const { home } = readSettings();
  const state = await readState(home);
  if (!state) {
    throw new StackError(`Nexus does not run in ${home}. Start it with \`${taskRunner()} start\`.`);
  }
  say(`SUPABASE_URL=${state.url}`);
  say(`SUPABASE_PUBLISHABLE_KEY=${state.publishableKey}`);
  say(`SUPABASE_SECRET_KEY=${state.secretKey}`);
  say(`SUPABASE_DB_URL=${state.databaseUrl}`);
});
