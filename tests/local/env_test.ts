import assert from "node:assert/strict";
import { parseEnv } from "node:util";
import { readConfig, variables } from "shared/config.ts";
import { envExample, envExamplePath } from "../../local/env.ts";
import { deadEnvironment } from "../support/services.ts";

Deno.test(".env.example is what `deno task env` makes of shared/config.ts", async () => {
  assert.equal(await Deno.readTextFile(envExamplePath), envExample());
});

Deno.test(".env.example names every variable, with its meaning", () => {
  for (const [name, { description }] of Object.entries(variables.shape)) {
    assert.match(envExample(), new RegExp(`^# ${name}[=:]`, "m"));
    assert.ok(envExample().includes(description!), name);
  }
});

Deno.test("the defaults that .env.example shows are accepted", () => {
  const filled = envExample().replaceAll(/^# (?=[A-Z_]+=\S)/gm, "");
  const given = parseEnv(filled) as Record<string, string>;
  assert.ok(Object.keys(given).length > 0);
  readConfig({ ...deadEnvironment, ...given });
});
