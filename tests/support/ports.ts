import { isFree } from "../../local/ports.ts";
import { readProjectConfig, root } from "../../local/settings.ts";

// Linux gives outgoing connections the ports up to 60999: above them nobody takes one meanwhile.
const lowest = 6_700;
const highest = 9_900;

/** A port offset at which every port of `config.toml` is free at this moment. */
export function freeOffset(): number {
  const ports = Object.values(readProjectConfig(root, {}).ports);
  for (;;) {
    const offset = lowest + Math.floor(Math.random() * (highest - lowest));
    if (ports.every((port) => isFree(port + offset))) return offset;
  }
}
