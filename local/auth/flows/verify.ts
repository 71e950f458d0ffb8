import { signInWithin, type TokenAnswer } from "../access_tokens.ts";
import { confirmEmail, verifyIdentity } from "../accounts.ts";
import { audit } from "../audit.ts";
import type { Auth } from "../auth.ts";
import type { Json } from "../body.ts";
import type { Call } from "../call.ts";
import type { Sql } from "../database.ts";
import { requireEmail } from "../email_address.ts";
import { AuthError, invalid } from "../errors.ts";
import { hashOf, isExpired, pkcePrefix, takeToken, type TokenKind } from "../one_time_tokens.ts";
import { issueCode } from "../pkce.ts";
import type { Method } from "../sessions.ts";
import { isBanned, type User } from "../users.ts";
import { confirmEmailChange } from "./email_change.ts";

/** Which stored tokens a verification type means. */
const kindsOf: Record<string, TokenKind[]> = {
  signup: ["confirmation_token"],
  invite: ["confirmation_token"],
  recovery: ["recovery_token"],
  magiclink: ["recovery_token"],
  email: ["confirmation_token", "recovery_token"],
  email_change: ["email_change_token_current", "email_change_token_new"],
};

/** What a link or code to be verified says. */
interface Proof {
  type: string;
  hash: string;
  /** The words for one that is wrong, used or too old. */
  refusal: string;
}

/** A change of address of which one of two sides has been confirmed. */
export const halfConfirmed =
  "Confirmation link accepted. Please proceed to confirm link sent to the other email";

/** `POST /verify`: a session for the code of a mail, or for the hash of its link. */
export async function verify(auth: Auth, call: Call): Promise<TokenAnswer | Json> {
  const proof = proofOf(call);
  return await auth.sql.transaction(async (sql) => {
    const user = await accept(auth, sql, proof);
    if (!user) return { msg: halfConfirmed, code: "200" };
    return await signInWithin(auth, sql, call, user, { method: "otp" });
  });
}

export interface Opened {
  /** The tokens of a new session, or a code to exchange for them; neither when half confirmed. */
  tokens?: TokenAnswer;
  code?: string;
}

/** What opening the link of a mail gives. */
export async function openLink(auth: Auth, call: Call, token: string): Promise<Opened> {
  const type = call.query.get("type")!;
  const refusal = "Email link is invalid or has expired";
  return await auth.sql.transaction(async (sql) => {
    const user = await accept(auth, sql, { type, hash: token, refusal });
    if (!user) return {};
    if (token.startsWith(pkcePrefix)) {
      return { code: await issueCode(sql, user.id, methodOf(type)) };
    }
    return { tokens: await signInWithin(auth, sql, call, user, { method: "otp" }) };
  });
}

const methodOf = (type: string): Method => type === "signup" ? "email/signup" : type as Method;

function proofOf({ body }: Call): Proof {
  const type = body.text("type");
  const [token, tokenHash] = [body.text("token"), body.text("token_hash")];
  const [email, phone] = [body.text("email"), body.text("phone")];
  if (!type) throw invalid("Verify requires a verification type");
  if (!token === !tokenHash) throw invalid("Verify requires either a token or a token hash");
  if (tokenHash) {
    if (email || phone || body.text("redirect_to")) {
      throw invalid("Only the token_hash and type should be provided");
    }
    return { type, hash: tokenHash, refusal: "Email link is invalid or has expired" };
  }
  if (!email || phone) {
    throw invalid("Only an email address or phone number should be provided on verify");
  }
  const hash = hashOf(requireEmail(email), token!);
  return { type, hash, refusal: "Token has expired or is invalid" };
}

/** Uses the token up and does what it is for. Undefined: the other address has to confirm, too. */
async function accept(auth: Auth, sql: Sql, { type, hash, refusal }: Proof) {
  const kinds = Object.hasOwn(kindsOf, type) ? kindsOf[type]! : undefined;
  if (!kinds) throw invalid("Invalid email verification type");
  const { user, kind } = await takeToken(sql, hash, kinds) ?? {};
  if (!user || !kind || user.deleted_at || isExpired(auth, sentAt(user, kind))) {
    throw new AuthError(403, "otp_expired", refusal);
  }
  if (isBanned(user)) throw new AuthError(403, "user_banned", "User is banned");
  if (type === "email_change") return await confirmEmailChange(auth, sql, user, kind);
  return await confirmAddress(sql, user, kind);
}

function sentAt(user: User, kind: TokenKind): Date | null {
  if (kind === "confirmation_token") return user.confirmation_sent_at;
  if (kind === "recovery_token") return user.recovery_sent_at;
  return user.email_change_sent_at;
}

/** Whoever holds the token reads the address, be it to confirm it or to sign in. */
async function confirmAddress(sql: Sql, user: User, kind: TokenKind): Promise<User> {
  if (kind === "recovery_token") {
    await sql`
      with tokens as (delete from auth.one_time_tokens where user_id = ${user.id})
      update auth.users set recovery_token = '', updated_at = now() where id = ${user.id}`;
    if (user.email_confirmed_at) return user;
  }
  await audit(sql, user, "user_signedup");
  await verifyIdentity(sql, user.id);
  return await confirmEmail(sql, user.id);
}
