interface State {
  failures: number;
  openUntil: number;
}

/**
 * One circuit for each provider, in this isolate: after so many failures in a row nobody waits for
 * it any more, until the pause is over and a single call tries again.
 */
export class Circuits {
  readonly #states = new Map<string, State>();

  constructor(
    readonly failuresAllowed = 5,
    readonly pause = 30_000,
    readonly now: () => number = Date.now,
  ) {}

  /** Milliseconds until the provider may be tried again; 0 when it may be tried now. */
  wait(name: string): number {
    const state = this.#states.get(name);
    if (!state || state.failures < this.failuresAllowed) return 0;
    const left = state.openUntil - this.now();
    if (left > 0) return left;
    // This caller is the trial; the others keep waiting for its outcome.
    state.openUntil = this.now() + this.pause;
    return 0;
  }

  succeeded(name: string): void {
    this.#states.delete(name);
  }

  failed(name: string): void {
    const failures = (this.#states.get(name)?.failures ?? 0) + 1;
    this.#states.set(name, { failures, openUntil: this.now() + this.pause });
  }
}
