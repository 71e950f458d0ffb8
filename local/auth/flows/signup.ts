import { signInAs, signInWithin, type TokenAnswer } from "../access_tokens.ts";
import {
  type Candidate,
  candidateFor,
  confirmEmail,
  createUnconfirmed,
  createUser,
  presentCandidate,
} from "../accounts.ts";
import { audit } from "../audit.ts";
import type { Auth } from "../auth.ts";
import type { Json } from "../body.ts";
import type { Call } from "../call.ts";
import { isTakenEmail, type Sql } from "../database.ts";
import { requireEmail } from "../email_address.ts";
import { AuthError, invalid, orFail } from "../errors.ts";
import { requireStrong } from "../passwords.ts";
import { type Challenge, challengeOf, startFlow } from "../pkce.ts";
import { findUserByEmail, lockUser, present, type User } from "../users.ts";
import { sendConfirmation } from "./mailing.ts";

/** `POST /signup`: with a password, or anonymously where neither address nor number is given. */
export async function signUp(auth: Auth, call: Call): Promise<TokenAnswer | Json> {
  const { body } = call;
  const [email, phone] = [body.text("email"), body.text("phone")];
  if (!email && !phone) return await signUpAnonymously(auth, call);
  auth.limits.take("signUp", call.address);
  requireOpen(auth);
  const password = body.text("password");
  if (!password) throw invalid("Signup requires a valid password");
  requireStrong(auth.config, password);
  if (email && phone) {
    throw invalid("Only an email address or phone number should be provided on signup.");
  }
  const challenge = challengeOf(body);
  if (phone) throw new AuthError(400, "phone_provider_disabled", "Phone signups are disabled");
  const address = requireEmail(email);
  const data = body.object("data") ?? {};
  // Hashed before anybody looks whether the address is known, so that both answers take as long.
  const candidate = candidateFor(address, await auth.passwords.hash(password), data);
  const registered = await register(auth, call, candidate, challenge);
  if (registered.existed) return await answerKnown(auth, registered.user, data);
  const { user } = registered;
  if (user.email_confirmed_at) return await signInAs(auth, call, user, { method: "password" });
  // An invitation's data is the inviter's, and whoever signs up has proven nothing yet.
  return present(user.invited_at ? { ...user, raw_user_meta_data: {}, identities: [] } : user);
}

export function requireOpen({ config }: Auth): void {
  if (config.signupEnabled) return;
  throw new AuthError(422, "signup_disabled", "Signups not allowed for this instance");
}

export interface Registered {
  user: User;
  /** Whether the address belongs to somebody who has confirmed it; nothing was done then. */
  existed: boolean;
}

/** Makes the user, or takes up an unconfirmed one, and has the address confirmed. */
export async function register(
  auth: Auth,
  call: Call,
  candidate: Candidate,
  challenge: Challenge | undefined,
): Promise<Registered> {
  const known = await findUserByEmail(auth.sql, candidate.email!);
  if (known?.email_confirmed_at) return { user: known, existed: true };
  if (!known) await auth.hooks.beforeUserCreated(call, presentCandidate(candidate));
  try {
    const user = await auth.sql.transaction(async (sql) => {
      const person = known
        ? (await lockUser(sql, known.id))!
        : await createUnconfirmed(sql, candidate);
      return await requestConfirmation(auth, sql, call, person, challenge);
    });
    return { user, existed: false };
  } catch (error) {
    const cause = error instanceof AuthError ? error.cause : error;
    // Somebody else signed the same address up in the meantime: it is a known one now.
    if (known || !isTakenEmail(cause)) throw error;
    return await register(auth, call, candidate, challenge);
  }
}

async function requestConfirmation(
  auth: Auth,
  sql: Sql,
  call: Call,
  user: User,
  challenge: Challenge | undefined,
): Promise<User> {
  const traits = { provider: "email" };
  if (!auth.config.confirmationsEnabled) {
    await audit(sql, user, "user_signedup", traits);
    return await confirmEmail(sql, user.id);
  }
  await audit(sql, user, "user_confirmation_requested", traits);
  if (challenge) await startFlow(sql, user.id, "email/signup", challenge);
  return await sendConfirmation(auth, sql, call, user, challenge);
}

/**
 * Where addresses are confirmed, a known one is answered like a new one, with nothing of the person
 * in it; where they are not, there is no hiding that the address is taken.
 */
async function answerKnown(auth: Auth, user: User, data: Json): Promise<Json> {
  await audit(auth.sql, user, "user_repeated_signup", { provider: "email" });
  if (!auth.config.confirmationsEnabled) {
    throw new AuthError(422, "user_already_exists", "User already registered");
  }
  const now = new Date();
  return {
    id: crypto.randomUUID(),
    aud: user.aud,
    role: "",
    email: user.email,
    phone: "",
    confirmation_sent_at: now,
    app_metadata: { provider: "email", providers: ["email"] },
    user_metadata: data,
    identities: [],
    created_at: now,
    updated_at: now,
    is_anonymous: false,
  };
}

async function signUpAnonymously(auth: Auth, call: Call): Promise<TokenAnswer> {
  if (!auth.config.anonymousEnabled) {
    const message = "Anonymous sign-ins are disabled";
    throw new AuthError(422, "anonymous_provider_disabled", message);
  }
  auth.limits.take("anonymous", call.address);
  requireOpen(auth);
  const candidate: Candidate = {
    id: crypto.randomUUID(),
    email: null,
    passwordHash: "",
    userMetadata: call.body.object("data") ?? {},
    appMetadata: {},
    anonymous: true,
  };
  await auth.hooks.beforeUserCreated(call, presentCandidate(candidate));
  return await orFail(
    "Database error creating anonymous user",
    auth.sql.transaction(async (sql) => {
      const user = await createUser(sql, candidate);
      return await signInWithin(auth, sql, call, user, { method: "anonymous" });
    }),
  );
}
