import { setPendingEmail } from "../accounts.ts";
import type { Auth } from "../auth.ts";
import type { Call } from "../call.ts";
import type { Sql } from "../database.ts";
import { orFail } from "../errors.ts";
import { type MailAction, sendEmailChange, sendMail } from "../mails/mod.ts";
import { hashOf, newCode, requirePause, storeToken, type TokenKind } from "../one_time_tokens.ts";
import { type Challenge, markFor } from "../pkce.ts";
import { findUser, type User } from "../users.ts";

/** What a mail carries, when the last one went out, and what GoTrue says when it could not. */
interface Kind {
  action: Exclude<MailAction, "email_change">;
  token: TokenKind;
  sentAt?: "confirmation_sent_at" | "recovery_sent_at" | "reauthentication_sent_at";
  failure: string;
}

/**
 * Stores a token, sends it and gives the user as they are then. The transaction has locked the user,
 * so that of two requests at once only one finds the last mail long enough ago; a mail that fails
 * leaves no trace.
 */
async function send(
  auth: Auth,
  sql: Sql,
  call: Call,
  user: User,
  { action, token, sentAt, failure }: Kind,
  challenge?: Challenge,
): Promise<User> {
  if (sentAt) requirePause(auth, user[sentAt]);
  const code = newCode(auth);
  const hash = markFor(hashOf(user.email!, code), challenge);
  return await orFail(
    failure,
    (async () => {
      await storeToken(sql, user.id, token, hash, user.email!);
      const current = (await findUser(sql, user.id))!;
      await sendMail(auth, sql, call, current, action, { code, hash });
      return current;
    })(),
  );
}

type Send = (
  auth: Auth,
  sql: Sql,
  call: Call,
  user: User,
  challenge?: Challenge,
) => Promise<User>;

const sender = (kind: Kind): Send => (auth, sql, call, user, challenge) =>
  send(auth, sql, call, user, kind, challenge);

export const sendConfirmation = sender({
  action: "signup",
  token: "confirmation_token",
  sentAt: "confirmation_sent_at",
  failure: "Error sending confirmation email",
});

export const sendRecovery = sender({
  action: "recovery",
  token: "recovery_token",
  sentAt: "recovery_sent_at",
  failure: "Error sending recovery email",
});

export const sendMagicLink = sender({
  action: "magiclink",
  token: "recovery_token",
  sentAt: "recovery_sent_at",
  failure: "Error sending magic link email",
});

export const sendReauthentication = sender({
  action: "reauthentication",
  token: "reauthentication_token",
  sentAt: "reauthentication_sent_at",
  failure: "Error sending reauthentication email",
});

/** An operator may invite as often as they like. */
export const sendInvite = sender({
  action: "invite",
  token: "confirmation_token",
  failure: "Error sending invite email",
});

/** Asks the new address, and the old one where both must agree, to confirm a change; `user` is locked. */
export async function requestEmailChange(
  auth: Auth,
  sql: Sql,
  call: Call,
  user: User,
  email: string,
  challenge?: Challenge,
): Promise<void> {
  requirePause(auth, user.email_change_sent_at);
  const secretFor = (address: string) => {
    const code = newCode(auth);
    return { code, hash: markFor(hashOf(address, code), challenge) };
  };
  const next = secretFor(email);
  const current = auth.config.doubleConfirmChanges && user.email
    ? secretFor(user.email)
    : undefined;
  await orFail(
    "Error sending email change email",
    (async () => {
      await setPendingEmail(sql, user.id, email);
      await storeToken(sql, user.id, "email_change_token_new", next.hash, email);
      if (current) {
        await storeToken(sql, user.id, "email_change_token_current", current.hash, user.email!);
      }
      const pending = (await findUser(sql, user.id))!;
      await sendEmailChange(auth, sql, call, pending, next, current);
    })(),
  );
}
