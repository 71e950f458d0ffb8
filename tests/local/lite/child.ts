import { startLite } from "../../../local/lite/mod.ts";
import { join } from "../../../local/paths.ts";
import { readSettings, root } from "../../../local/settings.ts";
import { getStack } from "../../support/stack.ts";
import { type Door, doorOf, type Scratch, secret } from "./support.ts";

/** The Data API in a process of its own, over a database of its own. */
export interface Child extends AsyncDisposable {
  door: Door;
  fetch(request: Request): Promise<Response>;
  /** The process that serves at this moment. */
  process(): Promise<{ pid: number; args: string[] } | undefined>;
}

export async function startChild(database: Scratch, answerWithin?: number): Promise<Child> {
  const { hostname: host, port } = new URL(getStack().databaseUrl);
  const part = await startLite({
    settings: readSettings([], {}),
    database: { host, port: Number(port), url: database.url },
    internalSecret: secret,
    log: () => {},
    ...(answerWithin !== undefined && { answerWithin }),
  });
  const fetch = (request: Request) => part.fetch(request, { address: "127.0.0.1" });
  return {
    door: doorOf({ fetch }),
    fetch,
    process: () => childRunning(join(root, "local/lite/main.ts")),
    [Symbol.asyncDispose]: () => part.stop(),
  };
}

/** The child of this process that runs the script. */
export async function childRunning(script: string) {
  for await (const { name: pid } of Deno.readDir("/proc")) {
    const read = (file: string) => Deno.readTextFile(`/proc/${pid}/${file}`).catch(() => "");
    const args = (await read("cmdline")).split("\0");
    const parent = (await read("status")).match(/^PPid:\s+(\d+)/m)?.[1];
    if (args.includes(script) && parent === String(Deno.pid)) return { pid: Number(pid), args };
  }
  return undefined;
}
