import { holderOf, isHeld } from "./home.ts";
import { pause } from "./process.ts";
import { readSettings } from "./settings.ts";
import { say, warn } from "./terminal.ts";

const patience = 15_000;

/** `deno task stop`: asks the running stack to stop, and waits until it has. */
async function main(): Promise<number> {
  const { home } = readSettings();
  const pid = await holderOf(home);
  if (pid === undefined) {
    say(`Nexus does not run in ${home}.`);
    return 0;
  }
  Deno.kill(pid, "SIGTERM");
  const deadline = Date.now() + patience;
  while (await isHeld(home)) {
    if (Date.now() > deadline) {
      warn(`Process ${pid} has not stopped within ${patience / 1000} s.`);
      return 1;
    }
    await pause(50);
  }
  say("Nexus has stopped.");
  return 0;
}

Deno.exit(await main());
