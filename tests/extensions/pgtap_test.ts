import assert from "node:assert/strict";
import { join } from "../../local/paths.ts";
import { root } from "../../local/settings.ts";
import { getStack } from "../support/stack.ts";
import { getChroot } from "./support.ts";

Deno.test("pgTAP: pg_prove is content with every .sql file of this folder", async () => {
  const chroot = getChroot();
  const folder = join(root, "tests", "extensions");
  const files = Array.from(Deno.readDirSync(folder)).map(({ name }) => name)
    .filter((name) => name.endsWith(".sql"));
  const inside = await chroot.makeFolder();
  try {
    await Promise.all(
      files.map((file) => Deno.copyFile(join(folder, file), join(chroot.folder, inside, file))),
    );
    const paths = files.map((file) => join(inside, file));
    const said = await chroot.onDatabase(getStack().databaseUrl, "pg_prove", ...paths);
    assert.match(said, new RegExp(`Files=${files.length}, Tests=[1-9].*\n.*Result: PASS`));
  } finally {
    await chroot.removeFolder(inside);
  }
});
