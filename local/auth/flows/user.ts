import { mergeMetadata, setPassword } from "../accounts.ts";
import { audit } from "../audit.ts";
import type { Auth } from "../auth.ts";
import type { Json } from "../body.ts";
import type { Call } from "../call.ts";
import { requireEmail } from "../email_address.ts";
import { AuthError, invalid } from "../errors.ts";
import { requireUser, type SignedIn } from "../guard.ts";
import { hashOf, isExpired, takeToken } from "../one_time_tokens.ts";
import { requireStrong } from "../passwords.ts";
import { challengeOf, startFlow } from "../pkce.ts";
import { endSessions, type Scope } from "../sessions.ts";
import { audience, findUser, findUserByEmail, lockUser, present } from "../users.ts";
import { emailTaken } from "./email_change.ts";
import { requestEmailChange } from "./mailing.ts";

const day = 24 * 3600 * 1000;

/** `GET /user`: the person behind the token. */
export async function getUser(auth: Auth, call: Call): Promise<Json> {
  const { user } = await requireUser(auth, call);
  if (user.aud !== audience) throw invalid("Token audience doesn't match request audience");
  return present(user);
}

/** `PUT /user`: a new password, a new address (to be confirmed), other metadata. */
export async function updateUser(auth: Auth, call: Call): Promise<Json> {
  const signedIn = await requireUser(auth, call);
  auth.limits.take("updateUser", call.address);
  const { user, session } = signedIn;
  const { body } = call;
  if (body.text("phone")) {
    throw new AuthError(400, "phone_provider_disabled", "Phone logins are disabled");
  }
  const email = body.text("email") && requireEmail(body.text("email"));
  const newEmail = email && email !== user.email ? email : undefined;
  const password = body.given("password");
  if (password !== undefined) requireStrong(auth.config, password);
  if (body.object("app_metadata")) {
    throw new AuthError(403, "not_admin", "Updating app_metadata requires admin privileges");
  }
  if (user.is_anonymous && password && !email) {
    const message =
      "Updating password of an anonymous user without an email or phone is not allowed";
    throw new AuthError(422, "validation_failed", message);
  }
  const challenge = challengeOf(body);
  if (newEmail && await findUserByEmail(auth.sql, newEmail)) throw emailTaken();
  const hash = password === undefined ? undefined : await newHash(auth, call, signedIn, password);
  await auth.sql.transaction(async (sql) => {
    const current = (await lockUser(sql, user.id))!;
    if (hash !== undefined) {
      await setPassword(sql, user.id, hash, session?.id ?? null);
      await audit(sql, current, "user_updated_password");
    }
    await mergeMetadata(sql, user.id, "raw_user_meta_data", body.object("data"));
    if (newEmail) {
      if (challenge) await startFlow(sql, user.id, "email_change", challenge);
      await requestEmailChange(auth, sql, call, current, newEmail, challenge);
    }
    await audit(sql, current, "user_modified");
  });
  return present((await findUser(auth.sql, user.id))!);
}

async function newHash(
  auth: Auth,
  call: Call,
  signedIn: SignedIn,
  password: string,
): Promise<string> {
  const { encrypted_password } = signedIn.user;
  await requireFreshSession(auth, call, signedIn);
  if (encrypted_password && await auth.passwords.matches(password, encrypted_password)) {
    const message = "New password should be different from the old password.";
    throw new AuthError(422, "same_password", message);
  }
  return await auth.passwords.hash(password);
}

/** Where the project asks for it, a session older than a day needs a code to change the password. */
async function requireFreshSession(
  auth: Auth,
  { body }: Call,
  { user, session }: SignedIn,
): Promise<void> {
  if (!auth.config.securePasswordChange) return;
  if (session && Date.now() <= session.created_at.getTime() + day) return;
  const nonce = body.text("nonce");
  if (!nonce) {
    const message = "Password update requires reauthentication";
    throw new AuthError(400, "reauthentication_needed", message);
  }
  const hash = hashOf(user.email ?? "", nonce);
  const taken = await auth.sql.transaction((sql) =>
    takeToken(sql, hash, ["reauthentication_token"])
  );
  if (taken?.user.id !== user.id || isExpired(auth, user.reauthentication_sent_at)) {
    throw new AuthError(422, "reauthentication_not_valid", "Nonce has expired or is invalid");
  }
}

/** `POST /logout`: ends this session, the others or all. */
export async function logOut(auth: Auth, call: Call): Promise<Response> {
  const scope = call.query.get("scope") || "global";
  if (!isScope(scope)) throw invalid(`Unsupported logout scope "${scope}"`);
  const { user, session } = await requireUser(auth, call);
  await auth.sql.transaction(async (sql) => {
    await audit(sql, user, "logout");
    await endSessions(sql, user.id, session ? scope : "global", session?.id ?? null);
  });
  return new Response(null, { status: 204 });
}

const isScope = (scope: string): scope is Scope => ["global", "local", "others"].includes(scope);
