import type { AuthConfig } from "../settings.ts";
import { postgresError, type Sql } from "./database.ts";
import { AuthError, invalid } from "./errors.ts";

/** bcrypt reads no further, so a longer password would be one that only seems long. */
const maximumBytes = 72;

/** A bcrypt hash that belongs to no password: checking it takes as long as checking a real one. */
const nobodys = "$2a$10$7EqJtq98hPqEX7fNZaFWoOa5lZ0gq7yVj3m1Fq0z0QXoCj8cN3u3e";

/** How many may wait for a slot: about what one slot works off within the gateway's patience. */
const maximumWaiting = 200;

/** Hashes and checks passwords inside Postgres, off our event loop, `slots` at a time. */
export class Passwords {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly sql: Sql, slots: number) {
    this.#free = slots;
  }

  async hash(password: string): Promise<string> {
    const [row] = await this.#inSlot(() =>
      this.sql<{ hash: string }>`
        select extensions.crypt(${password}::text, extensions.gen_salt('bf', 10)) as hash`
    );
    return row!.hash;
  }

  /** Takes the same time whether or not there is a hash to compare with. */
  async matches(password: string, hash: string | null): Promise<boolean> {
    // pgcrypto knows bcrypt by its first name; the later ones compute the same.
    const stored = (hash || nobodys).replace(/^\$2[by]\$/, "$2a$");
    const same = await this.#inSlot(() => this.#compare(password, stored));
    return same && Boolean(hash) && byteLength(password) <= maximumBytes;
  }

  async #compare(password: string, stored: string): Promise<boolean> {
    try {
      const [row] = await this.sql<{ same: boolean }>`
        select extensions.crypt(${password}::text, ${stored}::text) = ${stored} as same`;
      return row!.same;
    } catch (error) {
      // What is stored is no hash that pgcrypto knows, so no password fits it.
      if (postgresError(error)?.code === "22023") return false;
      throw error;
    }
  }

  async #inSlot<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else {
      if (this.#waiting.length >= maximumWaiting) {
        throw new AuthError(429, "over_request_rate_limit", "Request rate limit reached", {
          retryAfter: 5,
        });
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}

const lower = "abcdefghijklmnopqrstuvwxyz";
const upper = lower.toUpperCase();
const digits = "0123456789";
const symbols = "!@#$%^&*()_+-=[]{};'\\:\"|<>?,./`~";

const requirements: Record<string, string[]> = {
  letters_digits: [lower + upper, digits],
  lower_upper_letters_digits: [lower, upper, digits],
  lower_upper_letters_digits_symbols: [lower, upper, digits, symbols],
};

type Rules = Pick<AuthConfig, "minimumPasswordLength" | "passwordRequirements">;

/** What is wrong with a password by the project's rules: GoTrue's reasons and its message. */
export function weaknessOf(rules: Rules, password: string) {
  const weak = { reasons: [] as string[], messages: [] as string[] };
  if (byteLength(password) < rules.minimumPasswordLength) {
    weak.reasons.push("length");
    weak.messages.push(
      `Password should be at least ${rules.minimumPasswordLength} characters.`,
    );
  }
  const sets = requirements[rules.passwordRequirements] ?? [];
  if (sets.some((set) => ![...set].some((character) => password.includes(character)))) {
    weak.reasons.push("characters");
    weak.messages.push(
      `Password should contain at least one character of each: ${sets.join(", ")}.`,
    );
  }
  if (weak.reasons.length === 0) return undefined;
  return { message: weak.messages.join(" "), reasons: weak.reasons };
}

export function requireStrong(rules: Rules, password: string): void {
  requireShort(password);
  const weakness = weaknessOf(rules, password);
  if (!weakness) return;
  throw new AuthError(422, "weak_password", weakness.message, {
    body: { weak_password: { reasons: weakness.reasons } },
  });
}

export function requireShort(password: string): void {
  if (byteLength(password) <= maximumBytes) return;
  throw invalid(`Password cannot be longer than ${maximumBytes} characters`);
}

const byteLength = (text: string) => new TextEncoder().encode(text).length;
