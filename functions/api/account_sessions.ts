import { AuthRefusal, type Tokens } from "shared/auth/auth_server.ts";
import { requireGoodPassword } from "shared/auth/passwords.ts";
import { decodeJwt } from "jose";
import { isErrorCode } from "shared/errors/catalogue.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { type AccountDoors, countAttempt, redeem, refused } from "./accounts.ts";

/** What the database says of the caller; it has checked their session by that. */
export interface Caller {
  person: string;
  session: string;
  email: string;
}

export interface Login {
  email: string;
  password: string;
  tenant?: string | undefined;
}

interface Opened {
  refusal: string | null;
  two_factor_required: boolean;
}

export const sessionOf = ({ access_token }: Tokens): string =>
  String(decodeJwt(access_token).session_id);

/** How sessions begin by password, go on, and prove themselves once more. */
export class AccountSessions {
  constructor(readonly doors: AccountDoors) {}

  async login({ email, password, tenant }: Login): Promise<Tokens & Opened> {
    await countAttempt(this.doors, "login", email);
    const tokens = await this.#signIn(email, password);
    const opened = await this.#succeeded(email, sessionOf(tokens), tenant);
    if (isErrorCode(opened.refusal)) throw new ProblemError(opened.refusal);
    return { ...tokens, ...opened };
  }

  async refresh(refreshToken: string): Promise<Tokens> {
    return await this.doors.auth.refresh(refreshToken).catch((error) => {
      if (!(error instanceof AuthRefusal)) throw error;
      throw new ProblemError("accounts.refresh_refused", { cause: error });
    });
  }

  /** The caller's password: Auth knows it by opening a session, which ends with this. */
  async proveByPassword({ person, session, email }: Caller, password: string): Promise<void> {
    await countAttempt(this.doors, "login", email);
    const by_session = sessionOf(await this.#signIn(email, password));
    await this.#succeeded(email, by_session);
    await this.doors.asService.rpc("accounts_prove", { person, session, by_session });
  }

  async proveByCode({ person, session, email }: Caller, code: string): Promise<void> {
    await redeem(this.doors, "reauthentication", { email, code });
    await this.doors.asService.rpc("accounts_prove", { person, session });
  }

  async sendCode({ person, email }: Caller): Promise<void> {
    await countAttempt(this.doors, "forgot", email);
    await this.doors.asService.rpc("accounts_send_code", { person });
  }

  /**
   * Sets another password. The session by which Auth knows the present one takes the place of the
   * caller's, second factor included: it is fresh, as Auth wants it, and all others end.
   */
  async changePassword(caller: Caller, current: string, password: string): Promise<Tokens> {
    const { asService, auth, services } = this.doors;
    const { person, session, email } = caller;
    await requireGoodPassword(services, password, email);
    await countAttempt(this.doors, "login", email);
    const tokens = await this.#signIn(email, current);
    const replacement = sessionOf(tokens);
    await this.#succeeded(email, replacement);
    await asService.rpc("accounts_replace_session", { person, session, replacement });
    try {
      await auth.updateSelf(tokens.access_token, { password });
    } catch (error) {
      await asService.rpc("accounts_prove", { person, session, by_session: replacement });
      throw refused(error);
    }
    return tokens;
  }

  async #succeeded(email: string, session: string, tenant?: string): Promise<Opened> {
    const { asService, client } = this.doors;
    const args = { email, client, session, tenant: tenant ?? null };
    return await asService.rpc<Opened>("accounts_login_succeeded", args);
  }

  async #signIn(email: string, password: string): Promise<Tokens> {
    const { asService, auth, client, services } = this.doors;
    try {
      return await auth.signIn(email, password);
    } catch (error) {
      if (!(error instanceof AuthRefusal && refusals.has(error.code))) {
        // Whether the password is right was not said, so nobody has failed.
        await asService.rpc("accounts_login_undecided", { email, client });
        throw error;
      }
      if (error.code === "email_not_confirmed") {
        const site = services.config.accounts.siteUrl;
        await asService.rpc("accounts_login_unproved", { email, site });
      }
      throw new ProblemError("accounts.credentials_refused", { cause: error });
    }
  }
}

/**
 * How Auth refuses credentials: one answer of ours for all, and all count as failed. Auth says of a
 * ban before it looks at the password; and whoever registered an address of somebody else must not
 * learn by signing in whether it was free.
 */
const refusals = new Set(["invalid_credentials", "user_banned", "email_not_confirmed"]);
