import type { z } from "@hono/zod-openapi";
import { decodeJwt } from "jose";
import { createBackupCodes } from "shared/auth/backup_codes.ts";
import {
  type AuthenticationResponseJSON,
  challengeIn,
  creationOptions,
  type Kept,
  type Known,
  type RegistrationResponseJSON,
  requestOptions,
  verifyAssertion,
  verifyRegistration,
} from "shared/auth/passkeys.ts";
import { sessionFor, type SessionTokens } from "shared/auth/session.ts";
import type { Database, Origin } from "shared/database/client.ts";
import { ProblemError } from "shared/errors/problem.ts";
import type { Services } from "shared/services.ts";
import type { Passkey } from "./passkey_forms.ts";

interface Begun {
  challenge: string;
  rp_id: string;
  rp_name: string;
  passkeys: Known[];
}

interface BegunRegistration extends Begun {
  user: { id: string; name: string; display_name: string };
}

/** A challenge that is spent, and what it was good for. */
interface Taken {
  person_id: string;
  session_id: string;
  rp_id: string;
  origins: string[];
  passkey: (Kept & { id: string; person_id: string }) | null;
}

interface TakenRegistration extends Taken {
  has_backup: boolean;
}

interface Added {
  passkey: z.infer<typeof Passkey>;
  codes_taken: boolean;
}

/** The acts around passkeys: signatures here, everything that counts in the database. */
export class Passkeys {
  readonly #asService: Database;

  constructor(readonly services: Services, readonly origin: Origin) {
    this.#asService = services.database.asService(origin);
  }

  /** What the browser makes a passkey of. */
  async beginRegistration(asCaller: Database, tenant: string) {
    return await creationOptions(
      await asCaller.rpc<BegunRegistration>("passkeys_begin_registration", { tenant }),
    );
  }

  /**
   * Keeps what the browser made, if it answers a challenge of the caller's session. Whoever has no
   * backup codes gets some with it: a lost authenticator must not be the end of an account.
   */
  async register(asCaller: Database, response: RegistrationResponseJSON, name: string) {
    const challenge = challengeIn(response.response);
    const taken = await asCaller.rpc<TakenRegistration>("passkeys_take_registration", {
      challenge,
    });
    const verified = await verifyRegistration(response, { challenge, ...taken });
    const { hashCost } = this.services.config.twoFactor;
    const backup = taken.has_backup ? undefined : await createBackupCodes(hashCost);
    const { passkey, codes_taken } = await this.#asService.rpc<Added>("passkeys_add", {
      person: taken.person_id,
      session: taken.session_id,
      passkey: { ...verified, name },
      backup: backup?.set ?? null,
    });
    return { ...passkey, backup_codes: codes_taken && backup ? backup.codes : [] };
  }

  /** What whoever is not known yet proves themselves by: the browser offers the passkeys it has. */
  async beginLogin(tenant: string) {
    const { challenge, rp_id } = await this.#asService.rpc<Begun>("passkeys_begin_login", {
      tenant,
    });
    return await requestOptions({ challenge, rp_id });
  }

  /** A session of the passkey's owner, which has its second factor by that, if the tenant lets them in. */
  async login(response: AuthenticationResponseJSON, tenant?: string): Promise<SessionTokens> {
    // Nobody said who they are, so the authenticator has to.
    if (!response.response.userHandle) throw new ProblemError("passkeys.refused");
    const challenge = challengeIn(response.response);
    const taken = await this.#asService.rpc<Taken>("passkeys_take_login", {
      challenge,
      credential: response.id,
    });
    const { id, person_id } = await this.#accept(response, challenge, taken);
    const tokens = await sessionFor(
      this.services,
      person_id,
      { purpose: "passkey", factor: "passkey", tenant },
      this.origin,
    );
    const session = decodeJwt(tokens.access_token).session_id;
    await this.#asService.rpc("passkeys_verified", { passkey: id, session, opened: true });
    return tokens;
  }

  /** What the caller gives a passkey of theirs by, as the second factor of this session. */
  async beginStepUp(asCaller: Database, tenant: string) {
    return await requestOptions(await asCaller.rpc<Begun>("passkeys_begin_step_up", { tenant }));
  }

  /** Lifts the caller's session. */
  async stepUp(asCaller: Database, response: AuthenticationResponseJSON): Promise<void> {
    const challenge = challengeIn(response.response);
    const taken = await asCaller.rpc<Taken>("passkeys_take_step_up", {
      challenge,
      credential: response.id,
    });
    const { id } = await this.#accept(response, challenge, taken);
    await this.#asService.rpc("passkeys_verified", {
      passkey: id,
      session: taken.session_id,
      opened: false,
    });
  }

  /** The passkey that signed; a signature whose counter has been seen is no better than none. */
  async #accept(response: AuthenticationResponseJSON, challenge: string, taken: Taken) {
    const { passkey } = taken;
    if (!passkey) throw new ProblemError("passkeys.refused");
    const { counter, backed_up } = await verifyAssertion(
      response,
      { challenge, ...taken },
      passkey,
    );
    const accepted = await this.#asService.rpc<boolean>("passkeys_accept", {
      passkey: passkey.id,
      counter,
      backed_up,
    });
    if (!accepted) throw new ProblemError("passkeys.refused");
    return passkey;
  }
}
