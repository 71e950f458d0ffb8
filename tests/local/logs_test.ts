import assert from "node:assert/strict";
import { openHome } from "../../local/home.ts";
import { join } from "../../local/paths.ts";
import { root } from "../../local/settings.ts";
import { until } from "../support/wait.ts";

const logs = (home: string, ...args: string[]) =>
  new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", join(root, "local", "logs.ts"), ...args],
    env: { NEXUS_HOME: home },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

async function withHome(work: (home: string) => Promise<void>) {
  const home = await Deno.makeTempDir({ prefix: "nexus-logs-" });
  try {
    await work(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("logs prints what the running stack wrote, or one part of it", () =>
  withHome(async (folder) => {
    const home = await openHome(folder);
    try {
      home.log("[function worker] works\n    goes on");
      home.log("[postgres] ready");
      const all = await logs(folder).output();
      assert.match(decode(all.stdout), /\[function worker\] works\n {4}goes on\n.*\[postgres\]/s);
      const one = decode((await logs(folder, "worker").output()).stdout);
      assert.match(one, /^\S+Z \[function worker\] works\n {4}goes on\n$/);
    } finally {
      await home.close();
    }
  }));

Deno.test("logs -f goes on with what is written, until the stack ends", () =>
  withHome(async (folder) => {
    const home = await openHome(folder);
    home.log("[postgres] first");
    const process = logs(folder, "-f").spawn();
    let seen = "";
    const reading = (async () => {
      for await (const bytes of process.stdout) seen += decode(bytes);
    })();
    await until(() => seen.includes("first"), { timeout: 20_000 });
    home.log("[postgres] second");
    await until(() => seen.includes("second"));
    home.log("[postgres] last");
    await home.close();
    const { code } = await process.status;
    await reading;
    await process.stderr.cancel();
    assert.equal(code, 0);
    assert.ok(seen.includes("last"));
  }));

Deno.test("logs says so when nothing runs, and what it understands", () =>
  withHome(async (folder) => {
    const nothing = await logs(folder).output();
    assert.equal(nothing.code, 1);
    assert.match(decode(nothing.stderr), /^Nexus does not run in .*deno.* task start/);
    const wrong = await logs(folder, "--all").output();
    assert.equal(wrong.code, 1);
    assert.match(decode(wrong.stderr), /^Unknown option --all\./);
  }));
