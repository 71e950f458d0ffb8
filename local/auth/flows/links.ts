import { candidateFor } from "../accounts.ts";
import { audit } from "../audit.ts";
import type { Auth } from "../auth.ts";
import type { Json } from "../body.ts";
import type { Call } from "../call.ts";
import type { Sql } from "../database.ts";
import { requireEmail } from "../email_address.ts";
import { AuthError, invalid } from "../errors.ts";
import { requireUser } from "../guard.ts";
import { challengeOf, startFlow } from "../pkce.ts";
import { findUserByEmail, lockUser, type User } from "../users.ts";
import {
  requestEmailChange,
  sendConfirmation,
  sendMagicLink,
  sendReauthentication,
  sendRecovery,
} from "./mailing.ts";
import { register, requireOpen } from "./signup.ts";

/** `POST /recover`: a mail to set a new password, to a known address; the answer does not tell. */
export async function recover(auth: Auth, call: Call): Promise<Json> {
  const { body } = call;
  if (!body.text("email")) throw invalid("Password recovery requires an email");
  const email = requireEmail(body.text("email"));
  const challenge = challengeOf(body);
  await withKnown(auth, email, async (sql, user) => {
    if (challenge) await startFlow(sql, user.id, "recovery", challenge);
    await audit(sql, user, "user_recovery_requested");
    await sendRecovery(auth, sql, call, user, challenge);
  });
  return {};
}

/** `POST /otp`: a code and a link to sign in with, for an address that may be new. */
export async function otp(auth: Auth, call: Call): Promise<Json> {
  const { body } = call;
  const [email, phone] = [body.text("email"), body.text("phone")];
  if (email && phone) {
    throw invalid("Only an email address or phone number should be provided");
  }
  if (email && body.text("channel")) {
    throw invalid("Channel should only be specified with Phone OTP");
  }
  if (phone) throw new AuthError(400, "phone_provider_disabled", "Unsupported phone provider");
  if (!email) throw invalid("One of email or phone must be set");
  if (body.flag("create_user") === false) {
    const known = await findUserByEmail(auth.sql, requireEmail(email));
    if (!known || known.deleted_at) {
      throw new AuthError(422, "otp_disabled", "Signups not allowed for otp");
    }
  }
  return await magicLink(auth, call);
}

/** `POST /magiclink`: as `/otp`, from before there was one. */
export async function magicLink(auth: Auth, call: Call): Promise<Json> {
  const { body } = call;
  const email = requireEmail(body.text("email"));
  const challenge = challengeOf(body);
  const user = await findUserByEmail(auth.sql, email);
  if (!user?.email_confirmed_at) {
    requireOpen(auth);
    // Hosted gives them a random password that nobody knows. None is the same to every client, and
    // takes no time by which a new address could be told from a known one.
    const candidate = candidateFor(email, "", body.object("data"));
    const registered = await register(auth, call, candidate, challenge);
    // The confirmation that went out signs in, too.
    if (auth.config.confirmationsEnabled && !registered.existed) return {};
  }
  await withKnown(auth, email, async (sql, known) => {
    if (challenge) await startFlow(sql, known.id, "magiclink", challenge);
    await audit(sql, known, "user_recovery_requested");
    await sendMagicLink(auth, sql, call, known, challenge);
  });
  return {};
}

/** `POST /resend`: the confirmation of an address, or of its change, once more. */
export async function resend(auth: Auth, call: Call): Promise<Json> {
  const { body } = call;
  const type = body.text("type") ?? "";
  if (!["signup", "email_change", "sms", "phone_change"].includes(type)) {
    throw invalid("Missing one of these types: signup, email_change, sms, phone_change");
  }
  const [given, phone] = [body.text("email"), body.text("phone")];
  if (!given && type === "signup") throw invalid("Type provided requires an email address");
  if (!phone && type === "sms") throw invalid("Type provided requires a phone number");
  if (given && phone) throw invalid("Only an email address or phone number should be provided.");
  if (phone) throw new AuthError(400, "phone_provider_disabled", "Phone logins are disabled");
  if (!given) throw invalid("Missing email address or phone number");
  await withKnown(auth, requireEmail(given), async (sql, user) => {
    if (type === "signup" && !user.email_confirmed_at) {
      await audit(sql, user, "user_confirmation_requested");
      await sendConfirmation(auth, sql, call, user);
    } else if (type === "email_change" && user.email_change) {
      await requestEmailChange(auth, sql, call, user, user.email_change);
    }
  });
  return {};
}

/** `GET /reauthenticate`: a code by which a signed-in person proves that it is still them. */
export async function reauthenticate(auth: Auth, call: Call): Promise<Json> {
  const { user } = await requireUser(auth, call);
  const { email } = user;
  if (!email) {
    throw invalid("Reauthentication requires the user to have an email or a phone number");
  }
  if (!user.email_confirmed_at) {
    throw new AuthError(422, "email_not_confirmed", "Please verify your email first.");
  }
  await withKnown(auth, email, async (sql, locked) => {
    await audit(sql, locked, "user_reauthenticate_requested");
    await sendReauthentication(auth, sql, call, locked);
  });
  return {};
}

/** Runs `work` in a transaction that holds the person's row; does nothing for an unknown address. */
async function withKnown(
  auth: Auth,
  email: string,
  work: (sql: Sql, user: User) => Promise<void>,
): Promise<void> {
  const known = await findUserByEmail(auth.sql, email);
  if (!known || known.deleted_at) return;
  await auth.sql.transaction(async (sql) => {
    const user = await lockUser(sql, known.id);
    if (user) await work(sql, user);
  });
}
