import assert from "node:assert/strict";
import { dirname, join } from "../../../local/paths.ts";
import { root } from "../../../local/settings.ts";
import { freePort } from "../../../local/ports.ts";
import { until } from "../../support/wait.ts";
import type { Upload } from "./fake_api.ts";

/** Lays the files of an upload down in a folder, where nothing else is. */
export async function unpack(folder: string, { files }: Upload): Promise<void> {
  for (const file of files) {
    const path = join(folder, file.name);
    assert.ok(path.startsWith(`${folder}/`), file.name);
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeFile(path, await file.bytes());
  }
}

/** Checks the types by the compiler's options of this project, which is all that is borrowed from it. */
export async function typeCheck(folder: string, { metadata }: Upload): Promise<void> {
  const { compilerOptions } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  const config = join(folder, "deno.json");
  const importMap = `./${metadata.import_map_path}`;
  await Deno.writeTextFile(config, JSON.stringify({ compilerOptions, importMap }));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", "--no-lock", metadata.entrypoint_path],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  await Deno.remove(config);
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** Runs the function as hosted does, with nothing but its upload, and asks it for anything at all. */
export async function startAndAsk(
  folder: string,
  { metadata }: Upload,
  path: string,
  env: Record<string, string>,
): Promise<Response> {
  const address = `127.0.0.1:${freePort()}`;
  const alone = ["--no-config", "--no-lock", `--import-map=${metadata.import_map_path}`];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", ...alone, metadata.entrypoint_path],
    cwd: folder,
    env: { ...env, DENO_SERVE_ADDRESS: `tcp:${address}` },
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    return await until(() => fetch(`http://${address}${path}`), { timeout: 20_000 });
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}
