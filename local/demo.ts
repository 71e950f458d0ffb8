import { playTimeBank } from "./demo/timebank.ts";
import { playWallet } from "./demo/wallet.ts";
import { StackError } from "./part.ts";
import { findStack, runCommand } from "./running.ts";
import type { StackInfo } from "./stack.ts";

const plays: Record<string, (stack: StackInfo) => Promise<void>> = {
  wallet: playWallet,
  timebank: playTimeBank,
};

await runCommand(async () => {
  const [name = "wallet"] = Deno.args;
  const play = plays[name];
  if (!play) {
    throw new StackError(`No such demo: ${name}. There are ${Object.keys(plays).join(", ")}.`);
  }
  await play(await findStack());
});
