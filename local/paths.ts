/** The few path helpers `local/` needs, from Node's own library. */
export { dirname, join, relative, resolve } from "node:path";
export { fileURLToPath as fromFileUrl } from "node:url";
