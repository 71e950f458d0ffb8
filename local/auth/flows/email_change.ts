import { confirmEmail, mergeMetadata, setIdentityEmail } from "../accounts.ts";
import { audit } from "../audit.ts";
import type { Auth } from "../auth.ts";
import { isTakenEmail, name, type Sql } from "../database.ts";
import { AuthError } from "../errors.ts";
import type { TokenKind } from "../one_time_tokens.ts";
import { findUser, type User } from "../users.ts";

/** Takes the confirmation of one side. Undefined while the other one is still to come. */
export async function confirmEmailChange(
  auth: Auth,
  sql: Sql,
  user: User,
  kind: TokenKind,
): Promise<User | undefined> {
  const { confirmationsEnabled, doubleConfirmChanges } = auth.config;
  const both = confirmationsEnabled && doubleConfirmChanges && user.email !== null;
  if (both && user.email_change_confirm_status === 0) {
    await sql`
      update auth.users set
        email_change_confirm_status = 1, ${name(kind)} = '', updated_at = now()
      where id = ${user.id}`;
    return undefined;
  }
  return await changeEmail(sql, user, user.email_change!);
}

async function changeEmail(sql: Sql, user: User, email: string): Promise<User> {
  await audit(sql, user, "user_modified");
  await setIdentityEmail(sql, user.id, email, true);
  try {
    await sql`
      with tokens as (delete from auth.one_time_tokens where user_id = ${user.id})
      update auth.users set
        email = ${email}, email_change = '', email_change_token_current = '',
        email_change_token_new = '', email_change_confirm_status = 0, is_anonymous = false,
        updated_at = now()
      where id = ${user.id}`;
  } catch (error) {
    if (isTakenEmail(error)) throw emailTaken();
    throw error;
  }
  if (user.is_anonymous) {
    const providers = { provider: "email", providers: ["email"] };
    await mergeMetadata(sql, user.id, "raw_app_meta_data", providers);
  }
  return user.email_confirmed_at
    ? (await findUser(sql, user.id))!
    : await confirmEmail(sql, user.id);
}

export const emailTaken = (): AuthError =>
  new AuthError(
    422,
    "email_exists",
    "A user with this email address has already been registered",
  );
