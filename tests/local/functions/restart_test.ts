import assert from "node:assert/strict";
import { join } from "../../../local/paths.ts";
import { until } from "../../support/wait.ts";
import { type Host, withHost } from "./fixture.ts";

const answers = (value: unknown) => `Deno.serve(() => Response.json(${value}));`;
const says = async ({ call }: Host, path = "/it") => {
  const response = await call(path);
  return response.ok ? await response.json() : (await response.body?.cancel(), undefined);
};

Deno.test("a function that dies answers again a moment later", async () => {
  const source = `Deno.serve((request) => {
    if (request.url.endsWith("/die")) Deno.exit(3);
    return Response.json("alive");
  });`;
  await withHost({ it: source }, async (host) => {
    assert.equal(await says(host), "alive");
    const response = await host.call("/it/die");
    assert.equal(response.status, 500);
    assert.equal((await response.json()).code, "WORKER_ERROR");
    assert.equal(await until(() => says(host)), "alive");
  });
});

Deno.test("an edit restarts the function, and one of shared/ every function", async () => {
  const shared = `import { answer } from "shared/answer.ts"; ${answers("answer")}`;
  await withHost({ it: answers(1), other: shared }, async (host) => {
    assert.equal(await says(host), 1);
    assert.equal(await says(host, "/other"), 1);
    await host.write("functions/it/index.ts", answers(2));
    await until(async () => await says(host) === 2);
    await host.write("shared/answer.ts", "export const answer = 3;");
    await until(async () => await says(host, "/other") === 3);
  });
});

Deno.test("a function that does not start is BOOT_ERROR at once, until it is mended", async () => {
  await withHost({ it: "this is not TypeScript" }, async (host) => {
    const response = await until(async () => {
      const answer = await host.call("/it");
      return answer.status === 503 ? answer : (await answer.body?.cancel(), undefined);
    });
    assert.equal((await response.json()).code, "BOOT_ERROR");
    assert.ok(response.headers.has("retry-after"));
    await host.write("functions/it/index.ts", answers(true));
    await until(() => says(host));
  });
});

Deno.test("work handed to EdgeRuntime.waitUntil is finished before the function ends", async () => {
  const source = `Deno.serve((request) => {
    const file = new URL(request.url).searchParams.get("file");
    EdgeRuntime.waitUntil(new Promise((resolve) => setTimeout(resolve, 300))
      .then(() => Deno.writeTextFile(file, "done")));
    return Response.json("accepted");
  });`;
  await withHost({ it: source }, async (host) => {
    const file = join(host.root, "written");
    assert.equal(await says(host, `/it?file=${file}`), "accepted");
    await host.part.stop();
    assert.equal(await Deno.readTextFile(file), "done");
  });
});
