import { dirname, join } from "../paths.ts";
import type { Settings } from "../settings.ts";
import { secretFiles } from "./environment.ts";

const settleFor = 150;

/**
 * Calls back with the names of the functions whose files changed: one function's folder, or what
 * all of them share. Changes that come together are reported together.
 */
export function onChange(
  { root, config }: Settings,
  callback: (changed: Set<string>) => void,
): { close(): void } {
  const all = config.functions.map(({ name }) => name);
  const folders = new Map(config.functions.map((f) => [`${dirname(f.entrypoint)}/`, [f.name]]));
  folders.set(`${join(root, "shared")}/`, all);
  const files = new Set([
    ...config.functions.flatMap(({ importMap }) => importMap ?? []),
    ...secretFiles.map((file) => join(root, file)),
  ]);
  const affectedBy = (path: string): string[] =>
    files.has(path)
      ? all
      : [...folders].flatMap(([folder, names]) => path.startsWith(folder) ? names : []);

  const changed = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const note = ({ kind, paths }: Deno.FsEvent) => {
    const names = kind === "access" ? [] : paths.flatMap(affectedBy);
    if (names.length === 0) return;
    names.forEach((name) => changed.add(name));
    clearTimeout(timer);
    timer = setTimeout(() => {
      callback(new Set(changed));
      changed.clear();
    }, settleFor);
  };
  // A single file is watched through its folder: editors replace files instead of writing them.
  const watchers = [
    watch([...folders.keys()], true, note),
    watch([...files].map(dirname), false, note),
  ];
  return {
    close() {
      clearTimeout(timer);
      watchers.forEach((watcher) => watcher?.close());
    },
  };
}

function watch(
  paths: string[],
  recursive: boolean,
  note: (event: Deno.FsEvent) => void,
): Deno.FsWatcher | undefined {
  const there = [...new Set(paths)].filter(exists);
  if (there.length === 0) return undefined;
  const watcher = Deno.watchFs(there, { recursive });
  (async () => {
    for await (const event of watcher) note(event);
  })();
  return watcher;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
