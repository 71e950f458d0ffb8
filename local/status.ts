import { runCommand, runningStack } from "./running.ts";
import { readSettings } from "./settings.ts";
import { say } from "./terminal.ts";

// `deno task status`: where the running stack is, for people, scripts and tests.
await runCommand(async () => {
  const stack = await runningStack(readSettings().home);
  say(`SUPABASE_URL=${stack.url}`);
  say(`SUPABASE_PUBLISHABLE_KEY=${stack.publishableKey}`);
  say(`SUPABASE_SECRET_KEY=${stack.secretKey}`);
  say(`SUPABASE_DB_URL=${stack.databaseUrl}`);
});
