import {
  candidateFor,
  createUnconfirmed,
  createUser,
  mergeMetadata,
  presentCandidate,
  setPendingEmail,
} from "../accounts.ts";
import { audit, operator } from "../audit.ts";
import type { Auth } from "../auth.ts";
import type { Json } from "../body.ts";
import type { Call } from "../call.ts";
import type { Sql } from "../database.ts";
import { requireEmail } from "../email_address.ts";
import { AuthError, invalid } from "../errors.ts";
import { emailTaken } from "../flows/email_change.ts";
import { sendInvite } from "../flows/mailing.ts";
import { linkFor } from "../mails/mod.ts";
import { hashOf, newCode, storeToken } from "../one_time_tokens.ts";
import { requireStrong } from "../passwords.ts";
import { isAllowed, redirectOf } from "../redirects.ts";
import { findUser, findUserByEmail, lockUser, present, type User } from "../users.ts";
import { traitsOf } from "./users.ts";

/** `POST /invite`: makes an unconfirmed user and asks them by mail to join. */
export async function invite(auth: Auth, call: Call): Promise<Json> {
  const email = requireEmail(call.body.text("email"));
  const known = await findUserByEmail(auth.sql, email);
  if (known?.email_confirmed_at) throw emailTaken();
  const candidate = candidateFor(email, "", call.body.object("data"));
  if (!known) await auth.hooks.beforeUserCreated(call, presentCandidate(candidate));
  return await auth.sql.transaction(async (sql) => {
    const user = known ? (await lockUser(sql, known.id))! : await createUser(sql, candidate);
    await noteInvitation(sql, user);
    await sendInvite(auth, sql, call, user);
    return present((await findUser(sql, user.id))!);
  });
}

async function noteInvitation(sql: Sql, user: User): Promise<void> {
  await audit(sql, operator, "user_invited", traitsOf(user));
  await sql`update auth.users set invited_at = now() where id = ${user.id}`;
}

type LinkType =
  | "signup"
  | "invite"
  | "magiclink"
  | "recovery"
  | "email_change_current"
  | "email_change_new";

const linkTypes: string[] = [
  "signup",
  "invite",
  "magiclink",
  "recovery",
  "email_change_current",
  "email_change_new",
] satisfies LinkType[];

const isLinkType = (type: string | undefined): type is LinkType =>
  type !== undefined && linkTypes.includes(type);

/** `POST /admin/generate_link`: what a mail would carry, handed to the operator instead. */
export async function generateLink(auth: Auth, call: Call): Promise<Json> {
  const { body } = call;
  const email = requireEmail(body.text("email"));
  const asked = body.text("type");
  if (!isLinkType(asked)) {
    throw invalid(`Invalid email action link type requested: ${asked ?? ""}`);
  }
  const known = await findUserByEmail(auth.sql, email);
  const type = known ? asked : typeForNew(asked);
  const prepared = await prepare(auth, call, type, email, known, asked !== type);
  const requested = body.text("redirect_to");
  const redirectTo = requested && isAllowed(auth.config, requested)
    ? requested
    : redirectOf(auth.config, call);
  const code = newCode(auth);
  return await auth.sql.transaction(async (sql) => {
    const user = await prepared(sql);
    const hash = await storeLink(auth, sql, call, type, user, code);
    const action = type.startsWith("email_change") ? "email_change" : type;
    return {
      ...present((await findUser(sql, user.id))!),
      action_link: linkFor(auth, action, hash, redirectTo),
      email_otp: code,
      hashed_token: hash,
      verification_type: type,
      redirect_to: redirectTo,
    };
  });
}

/** A sign-in link for somebody new signs them up; the other links are for people there are. */
function typeForNew(type: LinkType): LinkType {
  if (type === "magiclink") return "signup";
  if (type === "signup" || type === "invite") return type;
  throw new AuthError(404, "user_not_found", "User with this email not found");
}

/** Everything that must be known before the transaction; what it gives makes or takes the user in it. */
async function prepare(
  auth: Auth,
  { body, ...call }: Call,
  type: LinkType,
  email: string,
  known: User | undefined,
  passwordless: boolean,
): Promise<(sql: Sql) => Promise<User>> {
  const data = body.object("data");
  if (known) {
    if ((type === "signup" || type === "invite") && known.email_confirmed_at) throw emailTaken();
    return async (sql) => {
      await lockUser(sql, known.id);
      if (type === "signup") await mergeMetadata(sql, known.id, "raw_user_meta_data", data);
      return known;
    };
  }
  let hash = "";
  if (type === "signup" && !passwordless) {
    const password = body.text("password");
    if (!password) throw invalid("Signup requires a valid password");
    requireStrong(auth.config, password);
    hash = await auth.passwords.hash(password);
  }
  const candidate = candidateFor(email, hash, data);
  await auth.hooks.beforeUserCreated({ body, ...call }, presentCandidate(candidate));
  return (sql) =>
    type === "signup" ? createUnconfirmed(sql, candidate) : createUser(sql, candidate);
}

/** Stores the token of the link and gives its hash. */
async function storeLink(
  auth: Auth,
  sql: Sql,
  { body }: Call,
  type: LinkType,
  user: User,
  code: string,
): Promise<string> {
  const email = user.email!;
  const hash = hashOf(email, code);
  if (type === "magiclink" || type === "recovery") {
    await audit(sql, user, "user_recovery_requested");
    await storeToken(sql, user.id, "recovery_token", hash, email);
    return hash;
  }
  if (type === "signup" || type === "invite") {
    if (type === "invite") await noteInvitation(sql, user);
    await storeToken(sql, user.id, "confirmation_token", hash, email);
    return hash;
  }
  return await storeChange(auth, sql, type, user, requireEmail(body.text("new_email")), code);
}

async function storeChange(
  auth: Auth,
  sql: Sql,
  type: "email_change_current" | "email_change_new",
  user: User,
  newEmail: string,
  code: string,
): Promise<string> {
  if (type === "email_change_current" && !auth.config.doubleConfirmChanges) {
    throw invalid("Enable secure email change to generate link for current email");
  }
  const other = await findUserByEmail(sql, newEmail);
  if (other && other.id !== user.id) throw emailTaken();
  // The second link of the same change must leave the first one good.
  if (user.email_change !== newEmail) await setPendingEmail(sql, user.id, newEmail);
  const [kind, address] = type === "email_change_new"
    ? ["email_change_token_new", newEmail] as const
    : ["email_change_token_current", user.email!] as const;
  const hash = hashOf(address, code);
  await storeToken(sql, user.id, kind, hash, address);
  return hash;
}
