import type { Keys } from "../keys.ts";
import type { Limits } from "./limits.ts";
import { Refusal } from "./refusal.ts";
import { type Claims, claimsOf, isApiKey } from "./tokens.ts";

/** What a watch does to its channel. */
export interface TokenHolder {
  /** Runs the work when the channel has time for it. */
  schedule(work: () => Promise<void>): void;
  /** Takes on the claims of a new token; throws a `Refusal` when they are not enough. */
  renew(claims: Claims): Promise<void>;
  refuse(message: string): void;
}

/** The token of one channel: looked at again while the channel lives, and replaced by newer ones. */
export class TokenWatch {
  readonly #shared: { keys: Keys; limits: Limits };
  readonly #holder: TokenHolder;
  #token: string;
  #renewedAt: number | undefined;
  /** A newer token waiting for its time. */
  #held: string | undefined;
  #holdTimer: ReturnType<typeof setTimeout> | undefined;
  #checkTimer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(shared: { keys: Keys; limits: Limits }, token: string, holder: TokenHolder) {
    this.#shared = shared;
    this.#token = token;
    this.#holder = holder;
  }

  /** The claims of the current token, which is looked at again when they run out. */
  async claims(): Promise<Claims> {
    const claims = await claimsOf(this.#shared.keys, this.#token);
    const { tokenCheck } = this.#shared.limits;
    const left = claims.exp * 1000 - Date.now();
    clearTimeout(this.#checkTimer);
    if (!this.#stopped) {
      this.#checkTimer = setTimeout(
        () => this.#holder.schedule(() => this.#check()),
        Math.max(0, Math.min(tokenCheck, left)),
      );
    }
    return claims;
  }

  /** Takes a token the client sent, at once or, when they come too fast, a little later. */
  async offer(token: unknown): Promise<void> {
    if (typeof token !== "string" || isApiKey(token)) return;
    if (token === this.#token || token === this.#held) return;
    this.#held = token;
    const wait = (this.#renewedAt ?? -Infinity) + this.#shared.limits.tokenThrottle - Date.now();
    if (wait <= 0) return await this.#replace();
    this.#holdTimer ??= setTimeout(() => this.#holder.schedule(() => this.#replace()), wait);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#checkTimer);
    clearTimeout(this.#holdTimer);
  }

  async #check(): Promise<void> {
    if (this.#held !== undefined) return await this.#replace();
    await this.#orRefuse(async () => void await this.claims());
  }

  async #replace(): Promise<void> {
    clearTimeout(this.#holdTimer);
    this.#holdTimer = undefined;
    if (this.#held === undefined || this.#stopped) return;
    this.#token = this.#held;
    this.#held = undefined;
    this.#renewedAt = Date.now();
    await this.#orRefuse(async () => this.#holder.renew(await this.claims()));
  }

  async #orRefuse(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const cancelled = error.code === "QueryCanceled";
      this.#holder.refuse(cancelled ? "Query was cancelled, please try again" : error.message);
    }
  }
}
