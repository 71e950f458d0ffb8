import assert from "node:assert/strict";
import { openHome } from "../../local/home.ts";
import { findStack } from "../../local/running.ts";

const stack = { url: "http://x", publishableKey: "p", secretKey: "s", databaseUrl: "d" };

Deno.test("a command tells a stack that starts or stops from none at all", async () => {
  const folder = await Deno.makeTempDir({ prefix: "nexus-running-" });
  const find = () => findStack({ NEXUS_HOME: folder });
  try {
    await assert.rejects(find, /^StackError: Nexus does not run in .*Start it with/);
    const home = await openHome(folder);
    await assert.rejects(find, /^StackError: .*is starting or stopping/);
    await home.publish({ pid: Deno.pid, ...stack });
    assert.equal((await find()).url, stack.url);
    await home.close();
    await assert.rejects(find, /^StackError: Nexus does not run/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the project named by the environment comes before the stack that runs here", async () => {
  const found = await findStack({
    SUPABASE_URL: "https://project.example",
    SUPABASE_SECRET_KEY: "secret",
  });
  assert.deepEqual(found, {
    url: "https://project.example",
    publishableKey: "",
    secretKey: "secret",
    databaseUrl: "",
  });
});
