import type { Json } from "./body.ts";
import { fragment, type Sql } from "./database.ts";

export interface Identity {
  id: string;
  provider_id: string;
  provider: string;
  identity_data: Json;
  email: string | null;
  last_sign_in_at: string | null;
  created_at: string;
  updated_at: string;
}

/** A row of `auth.users` with its identities. */
export interface User {
  id: string;
  aud: string;
  role: string;
  email: string | null;
  encrypted_password: string | null;
  email_confirmed_at: Date | null;
  invited_at: Date | null;
  phone: string | null;
  phone_confirmed_at: Date | null;
  confirmation_sent_at: Date | null;
  confirmed_at: Date | null;
  recovery_sent_at: Date | null;
  email_change: string | null;
  email_change_sent_at: Date | null;
  email_change_token_current: string | null;
  email_change_confirm_status: number;
  reauthentication_sent_at: Date | null;
  last_sign_in_at: Date | null;
  raw_app_meta_data: Json | null;
  raw_user_meta_data: Json | null;
  created_at: Date;
  updated_at: Date;
  banned_until: Date | null;
  deleted_at: Date | null;
  is_anonymous: boolean;
  identities: Identity[];
}

/** `auth.users` as `u`, each row as a `User`. */
export const userColumns = fragment`u.*, (
  select coalesce(jsonb_agg(to_jsonb(i) order by i.created_at), '[]')
  from auth.identities i where i.user_id = u.id
) as identities`;

/** GoTrue writes this instance everywhere, and sees no user of another: one inserted by hand without it is none. */
export const instance = "00000000-0000-0000-0000-000000000000";

export const audience = "authenticated";

export async function findUser(sql: Sql, id: string): Promise<User | undefined> {
  const [user] = await sql<User>`
    select ${userColumns} from auth.users u where u.instance_id = ${instance} and u.id = ${id}`;
  return user;
}

/** The user to change: nobody else changes it until the transaction ends. */
export async function lockUser(sql: Sql, id: string): Promise<User | undefined> {
  await sql`select from auth.users u where u.id = ${id} for update`;
  return await findUser(sql, id);
}

/** Addresses are kept in lower case; `email` must be, too. */
export async function findUserByEmail(sql: Sql, email: string): Promise<User | undefined> {
  const [user] = await sql<User>`
    select ${userColumns} from auth.users u
    where u.instance_id = ${instance} and lower(u.email) = ${email} and u.aud = ${audience}
      and not u.is_sso_user`;
  return user;
}

export const isBanned = (user: Pick<User, "banned_until">): boolean =>
  user.banned_until !== null && user.banned_until.getTime() > Date.now();

/** A user as GoTrue shows it: what is not set is left out. */
export function present(user: User): Json {
  return {
    id: user.id,
    aud: user.aud,
    role: user.role,
    email: user.email ?? "",
    email_confirmed_at: user.email_confirmed_at ?? undefined,
    invited_at: user.invited_at ?? undefined,
    phone: user.phone ?? "",
    phone_confirmed_at: user.phone_confirmed_at ?? undefined,
    confirmation_sent_at: user.confirmation_sent_at ?? undefined,
    confirmed_at: user.confirmed_at ?? undefined,
    recovery_sent_at: user.recovery_sent_at ?? undefined,
    new_email: user.email_change || undefined,
    email_change_sent_at: user.email_change_sent_at ?? undefined,
    reauthentication_sent_at: user.reauthentication_sent_at ?? undefined,
    last_sign_in_at: user.last_sign_in_at ?? undefined,
    app_metadata: user.raw_app_meta_data ?? {},
    user_metadata: user.raw_user_meta_data ?? {},
    identities: user.identities.map((identity) => presentIdentity(user.id, identity)),
    created_at: user.created_at,
    updated_at: user.updated_at,
    banned_until: user.banned_until ?? undefined,
    deleted_at: user.deleted_at ?? undefined,
    is_anonymous: user.is_anonymous,
  };
}

function presentIdentity(userId: string, identity: Identity): Json {
  return {
    identity_id: identity.id,
    id: identity.provider_id,
    user_id: userId,
    identity_data: identity.identity_data,
    provider: identity.provider,
    last_sign_in_at: identity.last_sign_in_at ? utc(identity.last_sign_in_at) : undefined,
    created_at: utc(identity.created_at),
    updated_at: utc(identity.updated_at),
    email: identity.email ?? undefined,
  };
}

// Postgres writes a time within JSON with the offset +00:00.
const utc = (time: string) => new Date(time).toISOString();
