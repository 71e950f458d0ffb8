import { AuthRefusal, AuthServer } from "shared/auth/auth_server.ts";
import { requireGoodPassword } from "shared/auth/passwords.ts";
import type { Database } from "shared/database/client.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { addressBlock } from "shared/http/addresses.ts";
import { clientAddress, originOf } from "shared/http/origin.ts";
import type { Env } from "shared/http/env.ts";
import { noSooner } from "shared/http/steady.ts";
import type { Services } from "shared/services.ts";
import type { HonoRequest } from "hono";
import { enclose, type Paper, type Stated } from "./enclosures.ts";

export interface Registration {
  email: string;
  password: string;
  display_name: string;
  locale?: string | undefined;
  tenant?: string | undefined;
  invitation?: string | undefined;
  /** Where the tenant wants to see documents: they may come at once. */
  papers?: Paper[];
  stated?: Stated;
}

/**
 * Milliseconds within which everything that depends on the address is done: the answer comes then,
 * known or not. Registering hashes a password, which takes its time under load.
 */
const registering = 750;

/** What somebody was mailed: the token of a link, or a code together with the address. */
export type Mailed = { token: string } | { email: string; code: string };

export type Act = "register" | "resend" | "forgot" | "login";
type Purpose = "verification" | "reset" | "reauthentication";

interface Verdict {
  allowed: boolean;
  retry_after: number;
}

/** What accounts work with in one request: Auth and the database, both told who asks. */
export interface AccountDoors {
  services: Services;
  asService: Database;
  auth: AuthServer;
  /** What limits by client count. */
  client: string;
}

export function accountDoors(request: HonoRequest, variables: Env["Variables"]): AccountDoors {
  const { services } = variables;
  const { config, database } = services;
  const origin = originOf(request, variables);
  const address = clientAddress(request, config.http.clientAddressHeader);
  return {
    services,
    asService: database.asService(origin),
    auth: new AuthServer(config, origin),
    client: addressBlock(address ?? "unknown"),
  };
}

/** Counts in a call of its own, committed before anything is done: what follows cannot undo it. */
export async function countAttempt(
  { asService, client }: AccountDoors,
  act: Act,
  email: string,
): Promise<void> {
  const verdict = await asService.rpc<Verdict>("accounts_attempt", { act, email, client });
  if (verdict.allowed) return;
  throw new ProblemError("limits.exceeded", { retryAfter: verdict.retry_after });
}

/**
 * Counts a change of address, once a minute for a person as Auth counts its mails: Auth itself counts
 * only where an address is free, and so would tell which one is.
 */
export async function countMove({ asService }: AccountDoors, person: string): Promise<void> {
  const verdict = await asService.rpc<Verdict>("limits_attempt", {
    key: `accounts_move:${person}`,
    quota: 1,
    seconds: 60,
  });
  if (verdict.allowed) return;
  throw new ProblemError("limits.exceeded", { retryAfter: verdict.retry_after });
}

/** Uses up what was mailed, and says whose it was. Ends as `accounts.token_refused`. */
export async function redeem(
  { asService }: AccountDoors,
  purpose: Purpose,
  mailed: Mailed,
): Promise<string> {
  const { person, retry_after } = await asService.rpc<
    { person: string | null; retry_after: number }
  >(
    "accounts_redeem",
    { purpose, ...mailed },
  );
  if (retry_after > 0) throw new ProblemError("limits.exceeded", { retryAfter: retry_after });
  if (person === null) throw new ProblemError("accounts.token_refused");
  return person;
}

/** The way from a stranger to a proved address, and back to an account whose password is lost. */
export class Accounts {
  constructor(readonly doors: AccountDoors) {}

  /**
   * Makes a login that waits for its address to be proved. Whoever knows the address already hears
   * nothing else: an unproved login takes the newer password, as the mail that proves it is the newer
   * one; the owner of a proved one is told by mail.
   */
  async register(
    { tenant, invitation, papers = [], stated = null, ...person }: Registration,
  ): Promise<void> {
    const { asService, services } = this.doors;
    await requireGoodPassword(services, person.password, person.email);
    await countAttempt(this.doors, "register", person.email);
    const asked = { email: person.email, invitation: invitation ?? null };
    const tenant_id = tenant === undefined
      ? null
      : await asService.rpc<string>("accounts_may_register", { ...asked, tenant });
    const enclosures = tenant_id && papers.length > 0
      ? await enclose(this.doors, tenant_id, papers, stated)
      : null;
    const { siteUrl: site } = services.config.accounts;
    // Only from here on it matters whether the address is known.
    await noSooner(registering, async () => {
      await this.#makeLogin(person);
      await asService.rpc("accounts_register", { ...asked, tenant_id, site, enclosures });
    });
  }

  async #makeLogin({ email, password, display_name, locale }: Registration): Promise<void> {
    const { asService, auth } = this.doors;
    const user_metadata = { display_name, ...(locale !== undefined && { locale }) };
    try {
      await auth.createUser({ email, password, user_metadata });
    } catch (error) {
      if (!isRefusal(error, "email_exists", "user_already_exists")) throw refused(error);
      const waiting = await asService.rpc<string | null>("accounts_unverified", { email });
      if (waiting === null) return;
      await auth.updateUser(waiting, { password, user_metadata }).catch((cause) => {
        throw refused(cause);
      });
    }
  }

  /** Takes the address as proved; the database lets the person into the tenant they asked for. */
  async verify(mailed: Mailed): Promise<void> {
    await this.#redeemFor("verification", mailed, { email_confirm: true });
  }

  async resend(email: string): Promise<void> {
    await this.#mail("resend", email);
  }

  async forgot(email: string): Promise<void> {
    await this.#mail("forgot", email);
  }

  /** Sets the password, by which Auth ends every session of the person. */
  async reset(mailed: Mailed, password: string): Promise<void> {
    const email = "email" in mailed ? mailed.email : undefined;
    await requireGoodPassword(this.doors.services, password, email);
    await this.#redeemFor("reset", mailed, { password });
  }

  async #mail(act: "resend" | "forgot", email: string): Promise<void> {
    await countAttempt(this.doors, act, email);
    const { asService, services } = this.doors;
    const site = services.config.accounts.siteUrl;
    await asService.rpc(`accounts_${act}`, { email, site });
  }

  /** What was mailed is good again where Auth could not do what it was for. */
  async #redeemFor(purpose: Purpose, mailed: Mailed, changes: Record<string, unknown>) {
    const { asService, auth } = this.doors;
    const person = await redeem(this.doors, purpose, mailed);
    try {
      await auth.updateUser(person, changes);
    } catch (error) {
      if (isRefusal(error, "user_not_found")) throw new ProblemError("accounts.token_refused");
      await asService.rpc("accounts_give_back", { purpose, person });
      throw refused(error);
    }
  }
}

const isRefusal = (error: unknown, ...codes: string[]): error is AuthRefusal =>
  error instanceof AuthRefusal && codes.includes(error.code);

/** What a refusal of Auth means to our client, where it is not the one that a flow expects. */
export function refused(error: unknown): unknown {
  if (!(error instanceof AuthRefusal)) return error;
  switch (error.code) {
    case "weak_password":
      return new ProblemError("accounts.password_weak", { cause: error });
    case "same_password":
      return new ProblemError("accounts.password_unchanged", { cause: error });
    case "email_address_invalid":
    case "validation_failed":
      return new ProblemError("request.invalid", { cause: error });
    case "bad_jwt":
    case "session_not_found":
    case "user_banned":
    case "user_not_found":
      return new ProblemError("auth.session_ended", { cause: error });
    default:
      return error;
  }
}
