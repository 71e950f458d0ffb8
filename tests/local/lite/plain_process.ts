/** Lite as it comes, in a process of its own: what becomes of it when its backend is killed? */
import { plainApi } from "./support.ts";

const [url = "", port = ""] = Deno.args;
const api = await plainApi({ url: () => url });
Deno.serve({ hostname: "127.0.0.1", port: Number(port), onListen() {} }, api.fetch);
