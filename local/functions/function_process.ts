import type { Log } from "../part.ts";
import { dirname, fromFileUrl, join } from "../paths.ts";
import { accepts, freePort } from "../ports.ts";
import { Supervised } from "../process.ts";
import { proxy } from "../proxy.ts";
import type { FunctionConfig } from "../settings.ts";

const bootPatience = 10_000;
const runtime = fromFileUrl(import.meta.resolve("./runtime.ts"));
// Hosted ends a function at 256 MB in all; most of that is its heap.
const v8Flags = "--v8-flags=--max-old-space-size=192";

/** One function in a Deno process of its own. */
export class FunctionProcess {
  readonly config: FunctionConfig;
  readonly #process: Supervised;
  #port = 0;

  constructor(
    config: FunctionConfig,
    root: string,
    environment: () => Record<string, string>,
    log: Log,
  ) {
    this.config = config;
    this.#process = new Supervised({
      name: `function ${config.name}`,
      command: () => {
        this.#port = freePort();
        return {
          program: Deno.execPath(),
          args: runArguments(config, root),
          cwd: dirname(config.entrypoint),
          clearEnv: true,
          env: { ...environment(), DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${this.#port}` },
        };
      },
      ready: () => accepts(this.#port),
      log,
    });
  }

  /** Hands the request on; one that comes while the function starts waits for it. */
  async fetch(request: Request, path: string): Promise<Response> {
    if (this.#process.isFailing || !await this.#process.whenReady(bootPatience)) {
      return unavailable();
    }
    try {
      return await proxy(request, this.#port, path);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return broken();
    }
  }

  async restart(): Promise<void> {
    await this.#process.restart();
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}

function runArguments({ entrypoint, importMap }: FunctionConfig, root: string): string[] {
  const map = importMap === undefined ? [] : [`--import-map=${importMap}`];
  const config = `--config=${join(root, "deno.json")}`;
  return ["run", "-A", "--quiet", v8Flags, config, ...map, `--preload=${runtime}`, entrypoint];
}

const unavailable = (): Response =>
  Response.json({
    code: "BOOT_ERROR",
    message: "Worker failed to boot (please check logs)",
  }, { status: 503, headers: { "retry-after": "1" } });

const broken = (): Response =>
  Response.json({
    code: "WORKER_ERROR",
    message: "Function exited due to an error (please check logs)",
  }, { status: 500 });
