const extensions: Record<string, string> = {
  "application/pdf": "pdf",
  "image/gif": "gif",
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
};

const longest = 60;

/**
 * A name that is safe in a path, a URL and a shell, and not one more thing: letters without their
 * accents, digits and dashes, and the extension that the bytes deserve, whatever the client's was.
 */
export function safeName(name: string, type: string): string {
  const base = name.split(/[/\\]/).at(-1) ?? "";
  const stem = base.replace(/\.[^.]*$/, "").normalize("NFKD").replaceAll(/\p{M}/gu, "")
    .toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").slice(0, longest).replaceAll(/^-+|-+$/g, "");
  return `${stem || "file"}.${extensions[type] ?? "bin"}`;
}

/** Where a picture derived from the file at `path` lies: beside it, in a folder of its kind. */
export function variantPath(path: string, kind: string): string {
  const folders = path.split("/");
  const name = folders.pop()!;
  return [...folders, kind, name.replace(/\.[^.]*$/, ".webp")].join("/");
}

/** The folder in which everything of a file lies. */
export const folderOf = (path: string): string => path.split("/").slice(0, 3).join("/");
