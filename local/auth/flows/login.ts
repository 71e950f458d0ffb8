import { signInAs, type TokenAnswer } from "../access_tokens.ts";
import type { Auth } from "../auth.ts";
import type { Call } from "../call.ts";
import { AuthError, invalid } from "../errors.ts";
import { weaknessOf } from "../passwords.ts";
import { exchangeCode } from "../pkce.ts";
import { refresh } from "../refresh.ts";
import { findUserByEmail, isBanned } from "../users.ts";

/** `POST /token`: every grant that ends in a session. */
export async function token(auth: Auth, call: Call): Promise<TokenAnswer> {
  const grant = grants.get(call.query.get("grant_type"));
  if (!grant) throw new AuthError(400, "invalid_credentials", "unsupported_grant_type");
  auth.limits.take("token", call.address);
  return await grant(auth, call);
}

type Grant = (auth: Auth, call: Call) => Promise<TokenAnswer> | never;

const grants = new Map<string | null, Grant>([
  ["password", signInWithPassword],
  ["refresh_token", refresh],
  ["pkce", exchangeCode],
  ["id_token", noProvider],
]);

function noProvider(): never {
  throw new AuthError(400, "provider_disabled", "Provider is not enabled");
}

async function signInWithPassword(auth: Auth, call: Call): Promise<TokenAnswer> {
  const { body } = call;
  const [email, phone] = [body.text("email"), body.text("phone")];
  if (email && phone) {
    throw invalid("Only an email address or phone number should be provided on login.");
  }
  if (phone) throw new AuthError(422, "phone_provider_disabled", "Phone logins are disabled");
  if (!email) throw invalid("missing email or phone");
  const password = body.given("password") ?? "";
  const found = await findUserByEmail(auth.sql, email.toLowerCase());
  const user = found && !found.deleted_at ? found : undefined;
  const hash = user?.encrypted_password ?? null;
  // Asked for everybody, known or not, so that the answer takes as long.
  const matches = await auth.passwords.matches(password, hash);
  // Told whatever the password is, as hosted does.
  if (user && hash && isBanned(user)) throw new AuthError(400, "user_banned", "User is banned");
  if (!matches || !user) {
    throw new AuthError(400, "invalid_credentials", "Invalid login credentials");
  }
  if (!user.email_confirmed_at) {
    throw new AuthError(400, "email_not_confirmed", "Email not confirmed");
  }
  const answer = await signInAs(auth, call, user, { method: "password", passwordHash: hash });
  return { ...answer, weak_password: weaknessOf(auth.config, password) ?? null };
}
