import assert from "node:assert/strict";
import { wrappersAmong } from "../../../local/wrappers.ts";
import { until } from "../../support/wait.ts";
import { withSite } from "./fixture.ts";
import { descendants, livingOf } from "./processes.ts";

const commands = (...chain: string[]) =>
  wrappersAmong(chain.map((command) => ({ command }))).map(({ command }) => command);

Deno.test("npx, its shell and the task belong to the stack", () => {
  const chain = ["deno task start", "sh -c 'deno' task start", "npm exec deno@2.9.6 task start"];
  assert.deepEqual(commands(...chain, "bash"), chain);
  assert.deepEqual(commands("/usr/bin/deno task start", "-bash"), ["/usr/bin/deno task start"]);
});

Deno.test("a shell that starts the stack in the background may end", () => {
  assert.deepEqual(commands("sh -c deno run -A local/start.ts &", "node harness.js"), []);
  assert.deepEqual(commands("deno task start", "sh -c deno task start &", "python3"), [
    "deno task start",
  ]);
  assert.deepEqual(commands("bash", "npm run shell"), []);
});

Deno.test("the stack ends when the task around it is killed", async () => {
  await withSite(async (site) => {
    const task = await site.startReady();
    const stack = await descendants(task.pid);
    task.signal("SIGKILL");
    await until(async () => (await livingOf(stack)).length === 0, { timeout: 15_000 });
  }, { asTask: true });
});
