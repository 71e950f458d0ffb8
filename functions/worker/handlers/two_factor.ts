import { secretAbout } from "shared/auth/totp.ts";
import { KeyRing } from "shared/crypto.ts";
import { describeError } from "shared/log.ts";
import type { Handler } from "../handlers.ts";

interface Enrolment {
  person_id: string;
  secret: string;
}

/**
 * Brings secrets that an older key encrypted under the present one, so that the old key can be taken
 * away. One that does not open is reported and left: the others must not wait for it.
 */
const rotate: Handler = async (_job, { config, database, log }, signal) => {
  if (config.twoFactor.keys.length < 2) return;
  const ring = new KeyRing(config.twoFactor.keys);
  const asService = database.asService();
  let after: string | null = null;
  while (!signal.aborted) {
    const batch: Enrolment[] = await asService.rpc("two_factor_secrets_under", {
      keys: ring.older,
      after,
    });
    for (const { person_id: person, secret: sealed } of batch) {
      const about = secretAbout(person);
      try {
        const secret = await ring.encrypt(await ring.decrypt(sealed, about), about);
        await asService.rpc("two_factor_reencrypt", { person, secret_read: sealed, secret });
      } catch (error) {
        log("error", "an authenticator secret cannot be re-encrypted", {
          person,
          ...describeError(error),
        });
      }
    }
    if (batch.length === 0) return;
    after = batch.at(-1)!.person_id;
  }
};

export const twoFactorHandlers: Record<string, Handler> = { "two_factor.rotate": rotate };
