import { Lru } from "./auth/lru.ts";

interface Entry<V> {
  value: Promise<V>;
  expires: number;
  tags: readonly string[];
}

interface Options {
  /** Milliseconds that a value stays good. */
  ttl: number;
  /** Entries kept; the one used longest ago goes first. */
  limit?: number;
  now?: () => number;
}

/**
 * A cache of this isolate: short-lived, of bounded size, and unknown to other isolates. So it is for
 * what may be a little old (lists of modules, a tenant's card) and never for rights.
 */
export class Cache<V> {
  readonly #entries: Lru<string, Entry<V>>;
  readonly #keysByTag = new Map<string, Set<string>>();
  readonly #ttl: number;
  readonly #now: () => number;

  constructor({ ttl, limit = 500, now = Date.now }: Options) {
    this.#entries = new Lru(limit, (key, entry) => this.#untag(key, entry));
    this.#ttl = ttl;
    this.#now = now;
  }

  /** The value, made once for all who ask while it is being made. A failure is not kept. */
  get(key: string, make: () => Promise<V>, tags: readonly string[] = []): Promise<V> {
    const hit = this.#entries.get(key);
    if (hit && hit.expires > this.#now()) return hit.value;
    this.delete(key);
    const entry = { value: make(), expires: this.#now() + this.#ttl, tags };
    this.#entries.set(key, entry);
    for (const tag of tags) {
      this.#keysByTag.set(tag, (this.#keysByTag.get(tag) ?? new Set()).add(key));
    }
    entry.value.catch(() => {
      if (this.#entries.get(key) === entry) this.delete(key);
    });
    return entry.value;
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Forgets everything that carries the tag, what is being made included. */
  invalidate(tag: string): void {
    for (const key of [...this.#keysByTag.get(tag) ?? []]) this.delete(key);
  }

  #untag(key: string, { tags }: Entry<V>): void {
    for (const tag of tags) {
      const keys = this.#keysByTag.get(tag);
      keys?.delete(key);
      if (keys?.size === 0) this.#keysByTag.delete(tag);
    }
  }
}
