import assert from "node:assert/strict";
import { StackError } from "../../local/part.ts";
import { join } from "../../local/paths.ts";
import { Supervised, type SupervisedOptions } from "../../local/process.ts";
import { until } from "../support/wait.ts";

interface Fixture {
  child: Supervised;
  log: string[];
  /** When each run began. */
  starts: number[];
}

/** A supervised shell script, ready once it has made the file `ready`. */
async function withChild(
  script: string,
  test: (fixture: Fixture) => Promise<void>,
  options: Partial<SupervisedOptions> = {},
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const log: string[] = [];
  const starts: number[] = [];
  const child = new Supervised({
    name: "child",
    command() {
      starts.push(Date.now());
      return { program: "sh", args: ["-c", `rm -f ready; ${script}`], cwd: folder };
    },
    ready: () => Deno.stat(join(folder, "ready")).then(() => true, () => false),
    log: (line) => log.push(line),
    ...options,
  });
  try {
    await test({ child, log, starts });
  } finally {
    await child.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

const serve = "touch ready; exec sleep 60";

Deno.test("a child that is killed is ready again within a second", async () => {
  await withChild(serve, async ({ child, starts }) => {
    await child.started();
    const { pid } = child;
    Deno.kill(pid!, "SIGKILL");
    await until(() => starts.length === 2 && child.isReady, { timeout: 1_000 });
    assert.notEqual(child.pid, pid);
  });
});

Deno.test("a child that keeps dying is started ever more slowly", async () => {
  await withChild("exit 1", async ({ starts }) => {
    await until(() => starts.length >= 4);
    const pauses = starts.slice(1, 4).map((start, index) => start - starts[index]!);
    assert.ok(pauses[1]! > pauses[0]! && pauses[2]! > pauses[1]!, pauses.join(", "));
  });
});

Deno.test("a child that never comes up is explained by its last words", async () => {
  await withChild("echo the port is taken >&2; exit 1", async ({ child, starts }) => {
    await assert.rejects(
      child.started(),
      (error) =>
        error instanceof StackError && /did not start.*the port is taken/s.test(error.message),
    );
    assert.equal(starts.length, 1, "it is not tried again");
  });
});

Deno.test("a child that is not ready in time is ended", async () => {
  await withChild("exec sleep 60", async ({ child, log }) => {
    await assert.rejects(child.started(), StackError);
    assert.ok(log.some((line) => line.includes("not ready within 100 ms")));
  }, { readyWithin: 100 });
});

Deno.test("whoever waits for a child that fails is told at once", async () => {
  await withChild("exit 1", async ({ child }) => {
    const began = Date.now();
    assert.equal(await child.whenReady(20_000), false);
    assert.ok(child.isFailing);
    assert.ok(Date.now() - began < 10_000);
  });
});

Deno.test("a restart asked for does not wait for the pause after a failure", async () => {
  await withChild("exit 1", async ({ child, starts }) => {
    await until(() => starts.length === 5);
    const asked = Date.now();
    await until(() => child.pid === undefined);
    await child.restart();
    await until(() => starts.length === 6);
    assert.ok(starts[5]! - asked < 800, "the pause is 1.6 s by then");
  });
});

Deno.test("a child deaf to the first signal gets the harder one", async () => {
  await withChild("trap '' TERM; touch ready; while :; do sleep 0.1; done", async ({ child }) => {
    await child.started();
    const { pid } = child;
    const began = Date.now();
    await child.stop();
    assert.ok(Date.now() - began < 5_000);
    assert.throws(() => Deno.kill(pid!, "SIGCONT"));
  }, { stopWithin: 100 });
});

Deno.test("a grandchild that lives on does not hold up the restart", async () => {
  await withChild("sleep 3 & touch ready; exec sleep 60", async ({ child, starts }) => {
    await child.started();
    Deno.kill(child.pid!, "SIGKILL");
    await until(() => starts.length === 2 && child.isReady, { timeout: 2_000 });
  });
});
