import type { Json } from "./body.ts";
import { fragment, type Sql } from "./database.ts";
import { orFail } from "./errors.ts";
import { audience, findUser, instance, type User } from "./users.ts";

/** A user about to be made. The id is chosen before, as the hook before the creation is told it. */
export interface Candidate {
  id: string;
  email: string | null;
  /** Empty for somebody who has no password. */
  passwordHash: string;
  userMetadata: Json;
  appMetadata: Json;
  role?: string | undefined;
  aud?: string | undefined;
  anonymous?: boolean;
}

/** What GoTrue keeps of an address it has not verified. */
const unverified = (id: string, email: string) => ({
  sub: id,
  email,
  email_verified: false,
  phone_verified: false,
});

/** Somebody who comes with an address: by signing up, by a one-time code, or invited. */
export function candidateFor(email: string, passwordHash: string, data: Json = {}): Candidate {
  return {
    id: crypto.randomUUID(),
    email,
    passwordHash,
    userMetadata: data,
    appMetadata: { provider: "email", providers: ["email"] },
  };
}

/** `before_user_created` is told of a user that is in no table yet, in GoTrue's words for one. */
export function presentCandidate(candidate: Candidate): Json {
  const never = "0001-01-01T00:00:00Z";
  return {
    id: candidate.id,
    aud: candidate.aud ?? audience,
    role: "",
    email: candidate.email ?? "",
    phone: "",
    app_metadata: candidate.appMetadata,
    user_metadata: candidate.userMetadata,
    identities: [],
    created_at: never,
    updated_at: never,
    is_anonymous: candidate.anonymous ?? false,
  };
}

/** Makes the user and, where there is an address, its e-mail identity. */
export async function createUser(
  sql: Sql,
  candidate: Candidate,
  identityData: Json = {},
): Promise<User> {
  const { id, email } = candidate;
  const identity = { ...unverified(id, email ?? ""), ...identityData };
  await orFail(
    "Database error saving new user",
    sql`
      with person as (
        insert into auth.users (
          instance_id, id, aud, role, email, encrypted_password, raw_app_meta_data,
          raw_user_meta_data, is_anonymous, created_at, updated_at, confirmation_token,
          recovery_token, email_change_token_new, email_change_token_current, email_change,
          phone_change, phone_change_token, reauthentication_token
        ) values (
          ${instance}, ${id}, ${candidate.aud ?? audience}, ${candidate.role ?? "authenticated"},
          ${email}, ${candidate.passwordHash}, ${candidate.appMetadata}, ${candidate.userMetadata},
          ${candidate.anonymous ?? false}, now(), now(), '', '', '', '', '', '', '', ''
        )
        returning id
      )
      insert into auth.identities (
        provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at
      )
      select ${id}::text, id, ${identity}::jsonb, 'email', now(), now(), now()
      from person where ${email}::text is not null`,
  );
  return (await findUser(sql, id))!;
}

/**
 * Makes a user who still has to prove the address. Like GoTrue it copies the identity's data, what
 * the client sent included, into the user's metadata.
 */
export async function createUnconfirmed(sql: Sql, candidate: Candidate): Promise<User> {
  const identity = { ...candidate.userMetadata, ...unverified(candidate.id, candidate.email!) };
  return await createUser(sql, { ...candidate, userMetadata: identity }, identity);
}

/** Takes the address as proven: nothing sent before to prove it works any more. */
export async function confirmEmail(sql: Sql, id: string): Promise<User> {
  const verified = { email_verified: true };
  await sql`
    with tokens as (delete from auth.one_time_tokens where user_id = ${id})
    update auth.users set
      confirmation_token = '', email_confirmed_at = now(), updated_at = now(),
      raw_user_meta_data = coalesce(raw_user_meta_data, '{}') || ${verified}
    where id = ${id}`;
  return (await findUser(sql, id))!;
}

/** Marks the e-mail identity of a confirmed address as verified. */
export async function verifyIdentity(sql: Sql, id: string): Promise<void> {
  const verified = { email_verified: true };
  await sql`
    update auth.identities i set
      identity_data = i.identity_data || ${verified}, updated_at = now()
    from auth.users u
    where i.user_id = ${id} and u.id = i.user_id and i.email = u.email`;
}

/** Gives the e-mail identity another address, or makes one. */
export async function setIdentityEmail(
  sql: Sql,
  id: string,
  email: string,
  verified: boolean,
): Promise<void> {
  const data = { email, email_verified: verified };
  await sql`
    insert into auth.identities (
      provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at
    ) values (
      ${id}, ${id}, ${{ ...unverified(id, email), ...data }}, 'email', now(), now(), now()
    )
    on conflict (provider_id, provider) do update set
      identity_data = identities.identity_data || ${data}, updated_at = now()`;
}

type MetadataColumn = "raw_user_meta_data" | "raw_app_meta_data";

const columns = {
  raw_user_meta_data: fragment`raw_user_meta_data`,
  raw_app_meta_data: fragment`raw_app_meta_data`,
};

/** Merges members in; one that is null is taken out. */
export async function mergeMetadata(
  sql: Sql,
  id: string,
  metadata: MetadataColumn,
  updates: Json | undefined,
): Promise<void> {
  if (!updates) return;
  const column = columns[metadata];
  const entries = Object.entries(updates);
  const set = Object.fromEntries(entries.filter(([, value]) => value !== null));
  const removed = entries.filter(([, value]) => value === null).map(([key]) => key);
  await sql`
    update auth.users set
      ${column} = (coalesce(${column}, '{}') || ${set}) - ${removed}::text[], updated_at = now()
    where id = ${id}`;
}

/**
 * Sets the password and ends every session but `keep`. Whatever was sent before by mail is void,
 * as the person may no longer trust what was done with the old password.
 */
export async function setPassword(
  sql: Sql,
  id: string,
  hash: string | null,
  keep: string | null,
): Promise<void> {
  await sql`
    with tokens as (delete from auth.one_time_tokens where user_id = ${id}),
    ended as (
      delete from auth.sessions where user_id = ${id} and id is distinct from ${keep}::uuid
    )
    update auth.users set
      encrypted_password = ${hash}, updated_at = now(),
      confirmation_token = '', confirmation_sent_at = null,
      recovery_token = '', recovery_sent_at = null,
      email_change_token_current = '', email_change_token_new = '', email_change_sent_at = null,
      phone_change_token = '', phone_change_sent_at = null,
      reauthentication_token = '', reauthentication_sent_at = null
    where id = ${id}`;
}

/** Notes the address somebody wants to change to; nobody has confirmed it yet. */
export async function setPendingEmail(sql: Sql, id: string, email: string): Promise<void> {
  await sql`
    update auth.users set
      email_change = ${email}, email_change_confirm_status = 0,
      email_change_token_current = '', email_change_token_new = '', updated_at = now()
    where id = ${id}`;
}
