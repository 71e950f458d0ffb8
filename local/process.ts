import { type Log, StackError } from "./part.ts";
import { signal, watch } from "./watchdog.ts";

/** What to run. `clearEnv` keeps the stack's own environment from the child. */
export interface Command extends Omit<Deno.CommandOptions, "stdin" | "stdout" | "stderr"> {
  program: string;
}

export interface SupervisedOptions {
  name: string;
  /** Asked anew at every start, so that a restarted child may get another port. */
  command: () => Command;
  /** Asked every few milliseconds until it says yes; a child that has not answered in time is killed. */
  ready: () => Promise<boolean>;
  readyWithin?: number;
  stopSignal?: Deno.Signal;
  /** What a child gets that is still there after `stopWithin` milliseconds. */
  killSignal?: Deno.Signal;
  stopWithin?: number;
  log: Log;
}

const firstBackoff = 100;
const longestBackoff = 10_000;
const settledAfter = 10_000;
const lastLinesKept = 20;
const lastWordsWithin = 200;

/**
 * A child process that is kept running: started again with a growing pause when it dies, stopped
 * with one signal and then a harder one, and never left behind: a watchdog ends it even when this process
 * is killed without a chance to clean up.
 */
export class Supervised {
  readonly #options: Required<SupervisedOptions>;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #child: Deno.ChildProcess | undefined;
  #ready = Promise.withResolvers<void>();
  #isReady = false;
  readonly #endedOnce = Promise.withResolvers<void>();
  #restarting = false;
  #isFailing = false;
  #waiting = new AbortController();
  #lastLines: string[] = [];

  constructor(options: SupervisedOptions) {
    this.#options = {
      readyWithin: 20_000,
      stopSignal: "SIGTERM",
      killSignal: "SIGKILL",
      stopWithin: 2_500,
      ...options,
    };
    this.#running = this.#keepRunning();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Whether it ended last time without ever having been ready: waiting for it is of no use. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** Waits until the child answers; false when it fails or takes longer than `timeout` milliseconds. */
  async whenReady(timeout: number): Promise<boolean> {
    if (this.#isReady) return true;
    if (this.#stopping.signal.aborted) return false;
    const giveUp = new AbortController();
    const late = pause(timeout, AbortSignal.any([giveUp.signal, this.#stopping.signal]));
    await Promise.race([this.#ready.promise, late]);
    giveUp.abort();
    return this.#isReady;
  }

  /** The first start: a child that ends instead is not tried again but explained by its output. */
  async started(): Promise<void> {
    await Promise.race([this.#ready.promise, this.#endedOnce.promise]);
    if (this.#isReady) return;
    const output = this.#lastLines.map((line) => `  ${line}`).join("\n");
    await this.stop();
    throw new StackError(`${this.#options.name} did not start. Its last output:\n${output}`);
  }

  /** Ends the child and starts it anew, without waiting for the new one. */
  async restart(): Promise<void> {
    this.#restarting = true;
    this.#isFailing = false;
    this.#waiting.abort();
    await this.#end();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#waiting.abort();
    await this.#end();
    await this.#running;
    this.#endedOnce.resolve();
  }

  async #keepRunning(): Promise<void> {
    const { name, log } = this.#options;
    let backoff = 0;
    while (!this.#stopping.signal.aborted) {
      this.#waiting = new AbortController();
      await pause(backoff, this.#waiting.signal);
      if (this.#stopping.signal.aborted) return;
      const began = Date.now();
      this.#restarting = false;
      const ended = await this.#runOnce();
      this.#endedOnce.resolve();
      if (this.#stopping.signal.aborted) return;
      if (this.#restarting || Date.now() - began > settledAfter) backoff = 0;
      else backoff = Math.min(Math.max(backoff * 2, firstBackoff), longestBackoff);
      log(`[${name}] ended (${ended}), starting again in ${backoff} ms`);
    }
  }

  async #runOnce(): Promise<string> {
    const { program, ...options } = this.#options.command();
    this.#lastLines = [];
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command(program, {
        ...options,
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
    } catch (error) {
      this.#note(String(error));
      return "could not be started";
    }
    this.#child = child;
    const watchdog = watch(child.pid, this.#options);
    const gone = new AbortController();
    const silent = new AbortController();
    const work = Promise.all([
      this.#read(child.stdout, silent.signal),
      this.#read(child.stderr, silent.signal),
      this.#awaitReady(gone.signal),
    ]);
    const status = await child.status;
    gone.abort();
    this.#child = undefined;
    this.#markDown();
    // A grandchild that outlives it may hold its pipes open: that is no reason to wait.
    const patience = pause(lastWordsWithin, silent.signal).then(() => silent.abort());
    const done = () => silent.abort();
    work.then(done, done);
    await Promise.all([work, patience, watchdog.dismiss()]);
    return status.signal ?? `exit code ${status.code}`;
  }

  async #awaitReady(gone: AbortSignal): Promise<void> {
    const deadline = Date.now() + this.#options.readyWithin;
    while (!gone.aborted) {
      if (await this.#options.ready()) {
        if (gone.aborted) return;
        this.#isReady = true;
        this.#isFailing = false;
        this.#ready.resolve();
        return;
      }
      if (Date.now() > deadline) {
        this.#note(`not ready within ${this.#options.readyWithin} ms`);
        return await this.#end();
      }
      await pause(15, gone);
    }
  }

  #markDown(): void {
    const restartedEarly = this.#restarting && !this.#isReady;
    this.#isFailing = !this.#restarting && !this.#isReady;
    this.#isReady = false;
    // Who waits for a child that fails is told so; who waits for one that restarts goes on waiting.
    if (restartedEarly) return;
    this.#ready.resolve();
    this.#ready = Promise.withResolvers<void>();
  }

  async #end(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    signal(child, this.#options.stopSignal);
    const ended = new AbortController();
    const tooLong = pause(this.#options.stopWithin, ended.signal)
      .then(() => ended.signal.aborted || signal(child, this.#options.killSignal));
    await child.status;
    ended.abort();
    await tooLong;
  }

  async #read(stream: ReadableStream<Uint8Array>, silent: AbortSignal): Promise<void> {
    let rest = "";
    try {
      for await (const text of stream.pipeThrough(new TextDecoderStream(), { signal: silent })) {
        const lines = (rest + text).split("\n");
        rest = lines.pop()!;
        lines.forEach((line) => this.#note(line));
      }
    } catch (error) {
      if (!silent.aborted) throw error;
    }
    if (rest) this.#note(rest);
  }

  #note(line: string): void {
    this.#lastLines = [...this.#lastLines.slice(1 - lastLinesKept), line];
    this.#options.log(`[${this.#options.name}] ${line}`);
  }
}

/** Resolves after `milliseconds`, or as soon as the signal is aborted. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted || milliseconds === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done);
  });
}
