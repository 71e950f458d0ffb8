import assert from "node:assert/strict";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { readProjectConfig, root } from "../../local/settings.ts";

const { functions } = readProjectConfig(root, {});

interface Module {
  specifier: string;
  kind: string;
}

/** The files of ours that a function is made of, as Deno resolves them. */
async function filesOf(entrypoint: string): Promise<string[]> {
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entrypoint],
    cwd: root,
  }).output();
  assert.ok(success, entrypoint);
  const { modules }: { modules: Module[] } = JSON.parse(new TextDecoder().decode(stdout));
  return modules.filter(({ specifier }) => specifier.startsWith("file:"))
    .map(({ specifier }) => relative(root, fileURLToPath(specifier)));
}

Deno.test("every folder of functions/ is deployed, and nothing else", async () => {
  const folders = (await Array.fromAsync(Deno.readDir(`${root}/functions`)))
    .filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  assert.deepEqual(functions.map(({ name }) => name).sort(), folders.sort());
});

for (const { name, entrypoint, importMap } of functions) {
  Deno.test(`function ${name} names its entrypoint and the import map, so that its upload is complete`, async () => {
    assert.equal(relative(root, entrypoint), `functions/${name}/index.ts`);
    assert.equal(relative(root, importMap ?? ""), "import_map.json");
    assert.ok((await Deno.stat(entrypoint)).isFile);
    assert.ok((await Deno.stat(importMap!)).isFile);
  });

  Deno.test(`function ${name} is made of functions/${name}/ and shared/ alone`, async () => {
    const files = await filesOf(entrypoint);
    assert.ok(files.includes(`functions/${name}/app.ts`));
    const strangers = files.filter((file) =>
      !file.startsWith(`functions/${name}/`) && !file.startsWith("shared/")
    );
    assert.deepEqual(strangers, []);
  });

  Deno.test(`function ${name} starts with ten lines at most`, async () => {
    const lines = (await Deno.readTextFile(entrypoint)).trimEnd().split("\n");
    assert.ok(lines.length <= 10, `${lines.length} lines`);
  });
}

Deno.test("the import map pins every dependency to one exact version from npm", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(`${root}/import_map.json`));
  for (const [name, target] of Object.entries<string>(imports)) {
    if (target.startsWith("./")) continue;
    assert.match(target, /^npm:\/?(@[\w-]+\/)?[\w.-]+@\d+\.\d+\.\d+(-[\w.]+)?(\/[\w./-]*)?$/, name);
  }
});
