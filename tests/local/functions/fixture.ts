import { startFunctions } from "../../../local/functions/mod.ts";
import { type Keys, loadKeys } from "../../../local/keys.ts";
import type { Part } from "../../../local/part.ts";
import { join } from "../../../local/paths.ts";
import { readSettings } from "../../../local/settings.ts";

const repository = readSettings([], {}).root;

/** A function host of its own over a project in a temporary folder. */
export interface Host {
  root: string;
  keys: Keys;
  part: Part;
  log: string[];
  write(path: string, text: string): Promise<void>;
  call(path: string, init?: RequestInit): Promise<Response>;
}

/** Runs `test` with a host of the given functions (name → source); `guarded` ones verify tokens. */
export async function withHost(
  sources: Record<string, string>,
  test: (host: Host) => Promise<void>,
  { guarded = [] as string[], files = {} as Record<string, string> } = {},
): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "nexus-functions-" });
  const write = async (path: string, text: string) => {
    await Deno.mkdir(join(root, path, ".."), { recursive: true });
    await Deno.writeTextFile(join(root, path), text);
  };
  try {
    await write("shared/answer.ts", "export const answer = 1;");
    await write("import_map.json", `{ "imports": { "shared/": "./shared/" } }`);
    await Deno.copyFile(join(repository, "deno.json"), join(root, "deno.json"));
    for (const [name, source] of Object.entries(sources)) {
      await write(`functions/${name}/index.ts`, source);
    }
    for (const [path, text] of Object.entries(files)) await write(path, text);
    await run(root, Object.keys(sources), guarded, write, test);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function run(
  root: string,
  names: string[],
  guarded: string[],
  write: Host["write"],
  test: (host: Host) => Promise<void>,
): Promise<void> {
  const functions = names.map((name) => ({
    name,
    entrypoint: join(root, "functions", name, "index.ts"),
    importMap: join(root, "import_map.json"),
    verifyJwt: guarded.includes(name),
  }));
  const settings = readSettings([], {});
  const keys = await loadKeys(root, "http://127.0.0.1:54321/auth/v1", undefined);
  const log: string[] = [];
  const part = await startFunctions({
    settings: { ...settings, root, config: { ...settings.config, functions } },
    keys,
    database: { url: () => "postgresql://postgres:postgres@127.0.0.1:54322/postgres" },
    log: (line) => log.push(line),
  });
  const call = (path: string, init?: RequestInit) =>
    part.fetch(new Request(`http://127.0.0.1/functions/v1${path}`, init), { address: "10.0.0.1" });
  try {
    await test({ root, keys, part, log, write, call });
  } finally {
    await part.stop();
  }
}
