import { holderOf, isHeld } from "./home.ts";
import { StackError } from "./part.ts";
import { pause } from "./process.ts";
import { runCommand } from "./running.ts";
import { readSettings } from "./settings.ts";
import { say } from "./terminal.ts";

const patience = 15_000;

// `deno task stop`: asks the running stack to stop, and waits until it has.
await runCommand(async () => {
  const { home } = readSettings();
  const pid = await holderOf(home);
  if (pid === undefined) return say(`Nexus does not run in ${home}.`);
  Deno.kill(pid, "SIGTERM");
  const deadline = Date.now() + patience;
  while (await isHeld(home)) {
    if (Date.now() > deadline) {
      throw new StackError(`Process ${pid} has not stopped within ${patience / 1000} s.`);
    }
    await pause(50);
  }
  say("Nexus has stopped.");
});
