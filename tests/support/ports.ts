import { readProjectConfig, root } from "../../local/settings.ts";

/** A port offset at which every port of `config.toml` is free at this moment. */
export function freeOffset(): number {
  const ports = Object.values(readProjectConfig(root, {}).ports);
  for (;;) {
    const offset = 100 + Math.floor(Math.random() * 9_800);
    if (ports.every((port) => isFree(port + offset))) return offset;
  }
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch {
    return false;
  }
}
