interface Entry {
  value: string;
  /** Seconds since 1970, as a token's `exp`. */
  expires: number;
}

const capacity = 1_000;

/** Remembers what was made of a token until the token expires; the least recently used goes first. */
export class TokenCache {
  readonly #entries = new Map<string, Entry>();
  readonly #make: (token: string) => Promise<Entry>;

  constructor(make: (token: string) => Promise<Entry>) {
    this.#make = make;
  }

  async get(token: string): Promise<string> {
    const known = this.#entries.get(token);
    this.#entries.delete(token);
    const entry = known && known.expires > Date.now() / 1000 ? known : await this.#make(token);
    this.#entries.set(token, entry);
    if (this.#entries.size > capacity) {
      this.#entries.delete(this.#entries.keys().next().value!);
    }
    return entry.value;
  }
}
