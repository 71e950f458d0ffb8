import { candidateFor, confirmEmail, createUser, mergeMetadata } from "../accounts.ts";
import { audit, operator } from "../audit.ts";
import type { Auth } from "../auth.ts";
import type { Json } from "../body.ts";
import type { Call } from "../call.ts";
import { isTakenEmail, type Sql } from "../database.ts";
import { banEnd } from "../durations.ts";
import { requireEmail } from "../email_address.ts";
import { AuthError, invalid, orFail } from "../errors.ts";
import { emailTaken } from "../flows/email_change.ts";
import { isUuid } from "../guard.ts";
import { requireShort } from "../passwords.ts";
import { findUser, findUserByEmail, instance, present, type User } from "../users.ts";

/** The user an admin path names. */
export async function requireTarget(auth: Auth, { params }: Call): Promise<User> {
  if (!isUuid(params.id)) {
    throw new AuthError(404, "validation_failed", "user_id must be an UUID");
  }
  const user = await findUser(auth.sql, params.id);
  if (!user) throw new AuthError(404, "user_not_found", "User not found");
  return user;
}

export async function getUser(auth: Auth, call: Call): Promise<Json> {
  return present(await requireTarget(auth, call));
}

/** `POST /admin/users`: a user as an operator wants them. No hook is asked, no mail is sent. */
export async function createUserAsAdmin(auth: Auth, call: Call): Promise<Json> {
  const { body } = call;
  if (!body.text("email")) {
    throw body.text("phone")
      ? new AuthError(400, "phone_provider_disabled", "Phone signups are disabled")
      : invalid("Cannot create a user without either an email or phone");
  }
  const email = requireEmail(body.text("email"));
  const bannedUntil = banEnd(body.text("ban_duration"));
  if (await findUserByEmail(auth.sql, email)) throw emailTaken();
  const base = candidateFor(email, await passwordHashOf(auth, call), body.object("user_metadata"));
  const candidate = {
    ...base,
    id: idOf(call) ?? base.id,
    role: body.text("role"),
    aud: body.text("aud"),
  };
  try {
    return await auth.sql.transaction(async (sql) => {
      const user = await createUser(sql, candidate);
      await audit(sql, operator, "user_signedup", traitsOf(user));
      await mergeMetadata(sql, user.id, "raw_app_meta_data", body.object("app_metadata"));
      if (bannedUntil) {
        await sql`update auth.users set banned_until = ${bannedUntil} where id = ${user.id}`;
      }
      if (body.flag("email_confirm")) await confirmEmail(sql, user.id);
      return present((await findUser(sql, user.id))!);
    });
  } catch (error) {
    const cause = error instanceof AuthError ? error.cause : error;
    if (isTakenEmail(cause)) throw emailTaken();
    throw new AuthError(500, "unexpected_failure", "Database error creating new user", { cause });
  }
}

function idOf({ body }: Call): string | undefined {
  const id = body.text("id");
  if (id === undefined || (isUuid(id) && id !== instance)) return id;
  throw invalid(
    id === instance ? "ID cannot be a nil uuid" : "ID must conform to the uuid v4 format",
  );
}

/** The hash to store: of the password, as given, or none where nobody has said one. */
async function passwordHashOf(auth: Auth, { body }: Call): Promise<string> {
  const [password, hash] = [body.given("password"), body.text("password_hash")];
  if (password !== undefined && hash !== undefined) {
    throw invalid("Only a password or a password hash should be provided");
  }
  if (hash !== undefined) {
    if (/^\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}$/.test(hash)) return hash;
    throw invalid("Only bcrypt password hashes are supported here");
  }
  if (!password) return "";
  requireShort(password);
  return await auth.passwords.hash(password);
}

export const traitsOf = (user: User): Json => ({
  user_id: user.id,
  user_email: user.email,
  user_phone: user.phone ?? "",
});

/** `DELETE /admin/users/{id}`: for good, or only so far that nobody can use the account. */
export async function deleteUser(auth: Auth, call: Call): Promise<Json> {
  const user = await requireTarget(auth, call);
  const soft = call.body.flag("should_soft_delete") ?? false;
  await orFail(
    soft ? "Error soft deleting user" : "Database error deleting user",
    auth.sql.transaction(async (sql) => {
      await audit(sql, operator, "user_deleted", traitsOf(user));
      if (!soft) await sql`delete from auth.users where id = ${user.id}`;
      else if (!user.deleted_at) await softDelete(sql, user);
    }),
  );
  return {};
}

/** Keeps the row under a name nobody can guess or sign in with. */
async function softDelete(sql: Sql, { id }: User): Promise<void> {
  await sql`
    with identities as (
      update auth.identities set
        identity_data = '{}', updated_at = now(),
        provider_id = encode(
          sha256(convert_to(user_id || provider || ':' || provider_id, 'utf8')), 'hex'
        )
      where user_id = ${id}
    ), tokens as (delete from auth.one_time_tokens where user_id = ${id}),
    factors as (delete from auth.mfa_factors where user_id = ${id}),
    sessions as (delete from auth.sessions where user_id = ${id})
    update auth.users set
      email = encode(sha256(convert_to(id || coalesce(email, ''), 'utf8')), 'hex'),
      phone = null, email_change = '', phone_change = '', encrypted_password = null,
      confirmation_token = '', recovery_token = '', email_change_token_current = '',
      email_change_token_new = '', phone_change_token = '', reauthentication_token = '',
      raw_user_meta_data = '{}', raw_app_meta_data = '{}', deleted_at = now(), updated_at = now()
    where id = ${id}`;
}
