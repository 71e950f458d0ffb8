import assert from "node:assert/strict";
import { taskRunner } from "../../local/terminal.ts";

Deno.test("who came by npx is told to come by npx again", () => {
  assert.equal(taskRunner({ npm_command: "exec" }), `npx -y deno@${Deno.version.deno} task`);
  assert.equal(taskRunner({ npm_command: "run-script" }), "deno task");
  assert.equal(taskRunner({}), "deno task");
});
