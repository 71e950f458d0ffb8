import type { AuthConfig } from "../settings.ts";
import { AuthError } from "./errors.ts";

/** What is counted apart, by client address, as in GoTrue. */
export type LimitName =
  | "token"
  | "verify"
  | "signUp"
  | "anonymous"
  | "recover"
  | "resend"
  | "magicLink"
  | "otp"
  | "updateUser";

interface Rate {
  perSecond: number;
  burst: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

const hour = 3600;
const burst = 30;
const maximumBuckets = 20_000;

/** Token buckets in memory and a count of mails by the hour: `[auth.rate_limit]`. */
export class Limits {
  readonly #rates: Record<LimitName, Rate>;
  readonly #mailsPerHour: number;
  readonly #buckets = new Map<string, Bucket>();
  #mails = { sent: 0, since: 0 };

  constructor(
    { rateLimits }: Pick<AuthConfig, "rateLimits">,
    private readonly now: () => number = Date.now,
  ) {
    const perFiveMinutes = (count: number): Rate => ({ perSecond: count / 300, burst });
    const signIns = perFiveMinutes(rateLimits.signInSignUps);
    const { anonymousUsers } = rateLimits;
    this.#rates = {
      token: perFiveMinutes(rateLimits.tokenRefresh),
      verify: perFiveMinutes(rateLimits.tokenVerifications),
      anonymous: { perSecond: anonymousUsers / hour, burst: anonymousUsers },
      signUp: signIns,
      recover: signIns,
      resend: signIns,
      magicLink: signIns,
      otp: signIns,
      updateUser: signIns,
    };
    this.#mailsPerHour = rateLimits.emailSent;
  }

  /** Counts one request of `address`; throws 429 when it has none left. */
  take(name: LimitName, address: string): void {
    const { perSecond, burst } = this.#rates[name];
    const key = `${name} ${address}`;
    const now = this.now() / 1000;
    const last = this.#buckets.get(key) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, last.tokens + (now - last.at) * perSecond);
    if (tokens < 1) {
      const retryAfter = Math.ceil((1 - tokens) / perSecond);
      throw new AuthError(429, "over_request_rate_limit", "Request rate limit reached", {
        retryAfter,
      });
    }
    // Set anew, so that the map is in the order of use and the oldest are forgotten first.
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: tokens - 1, at: now });
    if (this.#buckets.size > maximumBuckets) {
      this.#buckets.delete(this.#buckets.keys().next().value!);
    }
  }

  /** Counts one mail of the whole project; throws 429 when this hour's are used up. */
  takeMail(): void {
    const now = this.now() / 1000;
    if (now - this.#mails.since >= hour) this.#mails = { sent: 0, since: now };
    if (this.#mails.sent >= this.#mailsPerHour) {
      const retryAfter = Math.ceil(this.#mails.since + hour - now);
      throw new AuthError(429, "over_email_send_rate_limit", "email rate limit exceeded", {
        retryAfter,
      });
    }
    this.#mails.sent += 1;
  }
}
