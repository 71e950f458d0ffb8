import { Apple, type AppleIdentity, type Ceremony, challengeOf } from "shared/auth/apple.ts";
import { AuthRefusal, AuthServer } from "shared/auth/auth_server.ts";
import { sessionFor, type SessionTokens } from "shared/auth/session.ts";
import type { Database, Origin } from "shared/database/client.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { describeError } from "shared/log.ts";
import type { Services } from "shared/services.ts";

/** What Apple posts back. */
export interface AppleAnswer {
  state: string;
  code?: string | undefined;
  error?: string | undefined;
  /** The person's name, the first time only, and not signed. */
  user?: string | undefined;
}

interface Taken extends Omit<Ceremony, "state"> {
  redirect_to: string;
  app_challenge: string;
}

/** One for each configuration: it keeps Apple's keys for as long as they are good. */
const clients = new WeakMap<Services, Apple>();

function clientOf(services: Services): Apple {
  const known = clients.get(services);
  if (known) return known;
  if (!services.config.apple) throw new ProblemError("apple.not_configured");
  const client = new Apple(services.config.apple, services.callProvider);
  clients.set(services, client);
  return client;
}

/** Signing in with Apple: the browser goes there and back, then its app comes for the session. */
export class AppleSignIn {
  readonly #apple: Apple;
  readonly #asService: Database;

  constructor(readonly services: Services, readonly origin: Origin) {
    this.#apple = clientOf(services);
    this.#asService = services.database.asService(origin);
  }

  /** Where the browser goes first. */
  async begin(redirectTo: string, appChallenge: string): Promise<string> {
    // Only apps that the operator named: whoever gets the code gets the person's session.
    if (!this.services.config.http.origins.includes(new URL(redirectTo).origin)) {
      throw new ProblemError("apple.redirect_refused");
    }
    const ceremony = await this.#asService.rpc<Ceremony>("apple_begin", {
      redirect_to: redirectTo,
      app_challenge: appChallenge,
    });
    return await this.#apple.authorizeUrl(ceremony);
  }

  /** Where the browser goes in the end: to its app, with a code or with the reason why there is none. */
  async finish(answer: AppleAnswer): Promise<string> {
    const taken = await this.#asService.rpc<Taken>("apple_take", { state: answer.state });
    const target = new URL(taken.redirect_to);
    try {
      target.searchParams.set("code", await this.#codeFor(answer, taken));
    } catch (error) {
      if (!(error instanceof ProblemError) || error.code === "internal") throw error;
      this.services.log("warn", "sign-in with Apple failed", {
        code: error.code,
        ...describeError(error.cause ?? error),
      });
      target.searchParams.set("error", error.code);
    }
    return target.href;
  }

  /** The session, for whoever began this sign-in, if the tenant they name lets them in. */
  async redeem(code: string, codeVerifier: string, tenant?: string): Promise<SessionTokens> {
    const person = await this.#asService.rpc<string | null>("apple_redeem", {
      code,
      app_challenge: await challengeOf(codeVerifier),
    });
    if (!person) throw new ProblemError("apple.code_refused");
    return await sessionFor(this.services, person, { purpose: "apple", tenant }, this.origin);
  }

  async #codeFor({ code, error, user }: AppleAnswer, taken: Taken): Promise<string> {
    if (error === "user_cancelled_authorize") throw new ProblemError("apple.cancelled");
    if (error || !code) throw new ProblemError("apple.refused", { cause: new Error(error) });
    const identity = await this.#apple.identify(code, taken);
    const signedIn = (fresh: boolean) =>
      this.#asService.rpc<{ code: string | null }>("apple_signed_in", {
        subject: identity.subject,
        email: identity.email ?? null,
        relay: identity.relay,
        app_challenge: taken.app_challenge,
        fresh,
      });
    const first = await signedIn(false);
    if (first.code) return first.code;
    const second = await signedIn(await this.#createPerson(identity, user));
    if (!second.code) throw new ProblemError("unavailable", { retryAfter: 1 });
    return second.code;
  }

  /** Apple has verified the address, so there is nothing to confirm. False: somebody has it meanwhile. */
  async #createPerson({ email }: AppleIdentity, user: string | undefined): Promise<boolean> {
    const displayName = nameIn(user);
    try {
      await new AuthServer(this.services.config, this.origin).createUser({
        email: email!,
        email_confirm: true,
        user_metadata: displayName ? { display_name: displayName } : {},
      });
      return true;
    } catch (error) {
      if (!(error instanceof AuthRefusal)) throw error;
      if (error.code === "email_exists") return false;
      throw new ProblemError("unavailable", { retryAfter: 1, cause: error });
    }
  }
}

/** Nobody vouches for it, so it is a name to begin with and no more. */
function nameIn(user: string | undefined): string {
  try {
    const { firstName, lastName } = JSON.parse(user ?? "{}").name ?? {};
    const parts = [firstName, lastName].filter((part) => typeof part === "string");
    return parts.join(" ").replaceAll(/\p{C}/gu, "").trim().slice(0, 80);
  } catch {
    return "";
  }
}
