import {
  createBackupCodes,
  hashBackupCode,
  normaliseBackupCode,
  type Salting,
} from "shared/auth/backup_codes.ts";
import { createTotpSecret, secretAbout, totpEnrolment, totpStep } from "shared/auth/totp.ts";
import type { Config } from "shared/config.ts";
import { KeyRing } from "shared/crypto.ts";
import type { Database } from "shared/database/client.ts";
import { ProblemError } from "shared/errors/problem.ts";

/** What the database says of the caller; it has checked their session by that. */
export interface Status {
  person_id: string;
  session_id: string;
  label: string;
  factors: string[];
  recent: boolean;
}

interface Kept {
  secret: string | null;
  confirmed: boolean;
  backup: Salting | null;
}

/** Ten tries in five minutes, of codes of both kinds together. */
const attempts = { quota: 10, seconds: 300 };

/** The acts around a second factor: ciphers and hashes here, everything that counts in the database. */
export class TwoFactor {
  constructor(
    readonly config: Config["twoFactor"],
    readonly asService: Database,
    readonly caller: Status,
  ) {}

  /** What secrets are encrypted with; backup codes, which are hashed, do without. */
  get #ring(): KeyRing {
    if (this.config.keys.length === 0) throw new ProblemError("two_factor.not_configured");
    return new KeyRing(this.config.keys);
  }

  /** Whose session it is, as the functions that need the secret key are told. */
  get #who() {
    return { person: this.caller.person_id, session: this.caller.session_id };
  }

  /** Makes a secret for the caller's app. It counts once a code has confirmed it. */
  async setUp() {
    const secret = createTotpSecret();
    const sealed = await this.#ring.encrypt(secret, secretAbout(this.caller.person_id));
    await this.asService.rpc("two_factor_begin", { ...this.#who, secret: sealed });
    return totpEnrolment(secret, this.config.issuer, this.caller.label);
  }

  /** Takes a code of the app: lifts the session, and confirms a set-up, which brings backup codes. */
  async verify(code: string): Promise<{ confirmed: boolean; backup_codes: string[] }> {
    const ring = this.#ring;
    await this.#countAttempt();
    const { secret: sealed, confirmed } = await this.#read();
    if (!sealed) throw new ProblemError("two_factor.not_enabled");
    const about = secretAbout(this.caller.person_id);
    const secret = await ring.decrypt(sealed, about);
    const step = totpStep(secret, code);
    if (step === undefined) throw new ProblemError("two_factor.code_refused");
    const backup = confirmed ? undefined : await createBackupCodes(this.config.hashCost);
    const accepted = await this.asService.rpc<{ confirmed: boolean }>("two_factor_accept", {
      ...this.#who,
      secret_read: sealed,
      secret: ring.isStale(sealed) ? await ring.encrypt(secret, about) : sealed,
      step,
      backup: backup?.set ?? null,
    });
    return { ...accepted, backup_codes: backup?.codes ?? [] };
  }

  /** Uses up a backup code: lifts the session. */
  async useBackupCode(code: string): Promise<{ backup_codes_left: number }> {
    await this.#countAttempt();
    const { backup } = await this.#read();
    if (!backup) throw new ProblemError("two_factor.code_refused");
    const digest = await hashBackupCode(normaliseBackupCode(code), backup);
    return await this.asService.rpc("two_factor_use_backup_code", { ...this.#who, digest });
  }

  /** Ten new backup codes; the earlier ones are void. */
  async regenerate(): Promise<string[]> {
    if (this.caller.factors.length === 0) throw new ProblemError("two_factor.not_enabled");
    // The database asks again: this spares the hashing.
    if (!this.caller.recent) throw new ProblemError("two_factor.recent_required");
    const { codes, set } = await createBackupCodes(this.config.hashCost);
    await this.asService.rpc("two_factor_replace_backup_codes", { ...this.#who, backup: set });
    return codes;
  }

  #read(): Promise<Kept> {
    return this.asService.rpc<Kept>("two_factor_read", this.#who);
  }

  /** In a call of its own, committed before the code is looked at: what follows cannot undo it. */
  async #countAttempt(): Promise<void> {
    const key = `two_factor:${this.caller.person_id}`;
    const verdict = await this.asService.rpc<{ allowed: boolean; retry_after: number }>(
      "limits_attempt",
      { key, ...attempts },
    );
    if (verdict.allowed) return;
    throw new ProblemError("limits.exceeded", { retryAfter: verdict.retry_after });
  }
}
