import { isHeld } from "./home.ts";
import { chosen, lineCutter } from "./log_lines.ts";
import { StackError } from "./part.ts";
import { join } from "./paths.ts";
import { pause } from "./process.ts";
import { runCommand } from "./running.ts";
import { readSettings } from "./settings.ts";
import { say, taskRunner } from "./terminal.ts";

const lookEvery = 200;

const usage = "deno task logs [-f] [part …], a part being api, worker, webhooks, postgres, " +
  "data-api, auth, realtime, storage, requests, cron, net or stack";

// `deno task logs`: what the running stack wrote, its functions included; `-f` stays and follows.
await runCommand(async () => {
  const follow = Deno.args.some((arg) => ["-f", "--follow"].includes(arg));
  const parts = Deno.args.filter((arg) => !["-f", "--follow"].includes(arg));
  const option = parts.find((part) => part.startsWith("-"));
  if (option) throw new StackError(`Unknown option ${option}. Use: ${usage}.`);
  const { home } = readSettings();
  const path = join(home, "nexus.log");
  if (!await isHeld(home)) {
    throw new StackError(
      `Nexus does not run in ${home}. Start it with \`${taskRunner()} start\`; ` +
        `what it wrote last is in ${path}.`,
    );
  }
  try {
    await print(path, chosen(parts), () => follow ? isHeld(home) : Promise.resolve(false));
  } catch (error) {
    // Whoever read along has seen enough: `deno task logs | head`.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
});

/** Prints the file, and what is added to it for as long as `goesOn`. */
async function print(
  path: string,
  isShown: (line: string) => boolean,
  goesOn: () => Promise<boolean>,
): Promise<void> {
  using file = await Deno.open(path, { read: true });
  const decoder = new TextDecoder();
  const cut = lineCutter();
  const buffer = new Uint8Array(64 * 1024);
  for (let more = true; more;) {
    // Asked before reading, so that the stack's last words are read, too.
    more = await goesOn();
    for (let size = file.readSync(buffer); size; size = file.readSync(buffer)) {
      const text = decoder.decode(buffer.subarray(0, size), { stream: true });
      cut(text).filter(isShown).forEach(say);
    }
    if (more) await pause(lookEvery);
  }
}
