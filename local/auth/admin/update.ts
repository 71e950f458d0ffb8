import { confirmEmail, mergeMetadata, setIdentityEmail, setPassword } from "../accounts.ts";
import { audit, operator } from "../audit.ts";
import type { Auth } from "../auth.ts";
import type { Json } from "../body.ts";
import type { Call } from "../call.ts";
import { isTakenEmail, type Sql } from "../database.ts";
import { banEnd } from "../durations.ts";
import { requireEmail } from "../email_address.ts";
import { AuthError } from "../errors.ts";
import { emailTaken } from "../flows/email_change.ts";
import { requireStrong } from "../passwords.ts";
import { findUser, lockUser, present } from "../users.ts";
import { requireTarget, traitsOf } from "./users.ts";

/** `PUT /admin/users/{id}`: takes effect at once, nobody has to confirm anything. */
export async function updateUserAsAdmin(auth: Auth, call: Call): Promise<Json> {
  const user = await requireTarget(auth, call);
  const { body } = call;
  if (body.text("phone")) {
    throw new AuthError(400, "phone_provider_disabled", "Phone logins are disabled");
  }
  const email = body.text("email") && requireEmail(body.text("email"));
  const bannedUntil = banEnd(body.text("ban_duration"));
  const password = body.given("password");
  if (password !== undefined) requireStrong(auth.config, password);
  const hash = password && await auth.passwords.hash(password);
  try {
    await auth.sql.transaction(async (sql) => {
      await lockUser(sql, user.id);
      await setColumns(sql, user.id, { role: body.text("role"), email, bannedUntil });
      const confirmed = body.flag("email_confirm") ?? false;
      if (email) await setIdentityEmail(sql, user.id, email, confirmed);
      if (confirmed) await confirmEmail(sql, user.id);
      if (password !== undefined) await setPassword(sql, user.id, hash || null, null);
      await mergeMetadata(sql, user.id, "raw_app_meta_data", body.object("app_metadata"));
      await mergeMetadata(sql, user.id, "raw_user_meta_data", body.object("user_metadata"));
      await audit(sql, operator, "user_modified", traitsOf(user));
    });
  } catch (cause) {
    if (isTakenEmail(cause)) throw emailTaken();
    throw new AuthError(500, "unexpected_failure", "Error updating user", { cause });
  }
  return present((await findUser(auth.sql, user.id))!);
}

interface Columns {
  role: string | undefined;
  email: string | undefined;
  /** Null lifts a ban, undefined leaves it. */
  bannedUntil: Date | null | undefined;
}

async function setColumns(sql: Sql, id: string, columns: Columns): Promise<void> {
  const { role, email, bannedUntil } = columns;
  await sql`
    update auth.users set
      role = coalesce(${role}::text, role), email = coalesce(${email || null}::text, email),
      banned_until = case when ${bannedUntil !== undefined}
        then ${bannedUntil ?? null}::timestamptz else banned_until end,
      is_anonymous = is_anonymous and ${email || null}::text is null, updated_at = now()
    where id = ${id}`;
}
