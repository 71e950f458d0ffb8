import { dirname, fromFileUrl, join, resolve } from "../../../local/paths.ts";
import { signal } from "../../../local/watchdog.ts";
import { freeOffset } from "../../support/ports.ts";
import { until } from "../../support/wait.ts";

export const repository = resolve(dirname(fromFileUrl(import.meta.url)), "../../..");

const startPatience = 60_000;

/** What a finished command left. */
export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

interface SiteOptions {
  /** Another checkout than this one. */
  project?: string;
  /** Through `deno task`, as people start it, and not directly. */
  asTask?: boolean;
}

/** A place for one stack: a home, a port offset, and the commands run there. */
export class Site {
  readonly home: string;
  readonly offset = freeOffset();
  readonly #options: SiteOptions;
  readonly #running = new Set<Running>();

  constructor(home: string, options: SiteOptions) {
    this.home = home;
    this.#options = options;
  }

  get apiPort(): number {
    return 54321 + this.offset;
  }

  /** `deno task start`, without waiting for anything. */
  start(...args: string[]): Running {
    const running = new Running(this.#command("start.ts", ["--no-seed", ...args]).spawn());
    this.#running.add(running);
    return running;
  }

  /** `deno task start`, until it says that it is ready. */
  async startReady(...args: string[]): Promise<Running> {
    const running = this.start(...args);
    await until(() => running.isReady || running.hasEnded, { timeout: startPatience });
    if (!running.isReady) throw new Error(`did not start:\n${running.stdout}${running.stderr}`);
    return running;
  }

  async run(script: "status.ts" | "stop.ts" | "start.ts", ...args: string[]): Promise<Finished> {
    const output = await this.#command(script, args).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
  }

  async cleanUp(): Promise<void> {
    for (const running of this.#running) {
      running.signal("SIGTERM");
      await running.finished;
    }
  }

  #command(script: string, args: string[]): Deno.Command {
    const { project = repository, asTask = false } = this.#options;
    const command = asTask
      ? ["task", script.replace(".ts", "")]
      : ["run", "-A", "--quiet", join(project, "local", script)];
    return new Deno.Command(Deno.execPath(), {
      args: [...command, ...args],
      cwd: project,
      env: { NEXUS_HOME: this.home, NEXUS_PORT_OFFSET: String(this.offset) },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }
}

/** A `start` under way, and what it has said so far. */
export class Running {
  stdout = "";
  stderr = "";
  hasEnded = false;
  readonly finished: Promise<Finished>;
  readonly #process: Deno.ChildProcess;

  constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.finished = this.#follow();
  }

  get pid(): number {
    return this.#process.pid;
  }

  get isReady(): boolean {
    return this.stdout.includes("Nexus is ready");
  }

  signal(name: Deno.Signal): void {
    signal(this.#process, name);
  }

  async #follow(): Promise<Finished> {
    const read = async (stream: ReadableStream<Uint8Array>, add: (text: string) => void) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) add(text);
    };
    const [{ code }] = await Promise.all([
      this.#process.status,
      read(this.#process.stdout, (text) => this.stdout += text),
      read(this.#process.stderr, (text) => this.stderr += text),
    ]);
    this.hasEnded = true;
    return { code, stdout: this.stdout, stderr: this.stderr };
  }
}

/** Runs `test` at a new site, and leaves nothing of it behind. */
export async function withSite(
  test: (site: Site) => Promise<void>,
  options: SiteOptions = {},
): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "nexus-start-" });
  const site = new Site(home, options);
  try {
    await test(site);
  } finally {
    await site.cleanUp();
    await Deno.remove(home, { recursive: true });
  }
}
