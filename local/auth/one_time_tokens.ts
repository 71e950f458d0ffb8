import { createHash, randomInt } from "node:crypto";
import type { Auth } from "./auth.ts";
import { fragment, name, type Sql } from "./database.ts";
import { AuthError } from "./errors.ts";
import { lockUser, type User } from "./users.ts";

export type TokenKind =
  | "confirmation_token"
  | "recovery_token"
  | "reauthentication_token"
  | "email_change_token_new"
  | "email_change_token_current";

/** When the last one of a kind was sent. */
const sentColumns: Record<TokenKind, string> = {
  confirmation_token: "confirmation_sent_at",
  recovery_token: "recovery_sent_at",
  reauthentication_token: "reauthentication_sent_at",
  email_change_token_new: "email_change_sent_at",
  email_change_token_current: "email_change_sent_at",
};

/** Marks a token whose link ends in a code to exchange, not in a session. */
export const pkcePrefix = "pkce_";

export const newCode = ({ config }: Pick<Auth, "config">): string =>
  String(randomInt(0, 10 ** config.otpLength)).padStart(config.otpLength, "0");

/** What is stored and sent in links: the code is only good together with its address. */
export const hashOf = (email: string, code: string): string =>
  createHash("sha224").update(email + code).digest("hex");

/** Keeps a token, in place of one of the same kind. */
export async function storeToken(
  sql: Sql,
  userId: string,
  kind: TokenKind,
  hash: string,
  relatesTo: string,
): Promise<void> {
  const [token, sent] = [name(kind), name(sentColumns[kind])];
  await sql`
    with token as (
      insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to)
      values (${crypto.randomUUID()}, ${userId}, ${kind}, ${hash}, ${relatesTo.toLowerCase()})
      on conflict (user_id, token_type) do update set
        token_hash = excluded.token_hash, relates_to = excluded.relates_to,
        created_at = excluded.created_at, updated_at = excluded.updated_at
    )
    update auth.users set ${token} = ${hash}, ${sent} = now(), updated_at = now()
    where id = ${userId}`;
}

/**
 * Uses a token up, for whoever comes first, and gives its owner, locked. The owner is locked before
 * the token, as everywhere. The hash of a code fits with and without the PKCE mark.
 */
export async function takeToken(
  sql: Sql,
  hash: string,
  kinds: TokenKind[],
): Promise<{ user: User; kind: TokenKind } | undefined> {
  const matching = fragment`from auth.one_time_tokens
    where token_hash = any (${[hash, pkcePrefix + hash]}::text[])
      and token_type::text = any (${kinds}::text[])`;
  const [found] = await sql<{ user_id: string }>`select user_id ${matching}`;
  const user = found && await lockUser(sql, found.user_id);
  const [taken] = await sql<{ kind: TokenKind }>`delete ${matching} returning token_type as kind`;
  return user && taken && { user, kind: taken.kind };
}

/** Whether the last one of its kind was sent too long ago. */
export function isExpired({ config }: Pick<Auth, "config">, sentAt: Date | null): boolean {
  return sentAt === null || Date.now() > sentAt.getTime() + config.otpExpiry * 1000;
}

/** Refuses to send another mail to the same person too soon. */
export function requirePause({ config }: Pick<Auth, "config">, sentAt: Date | null): void {
  if (sentAt === null) return;
  const left = sentAt.getTime() + config.maxFrequency * 1000 - Date.now();
  if (left <= 0) return;
  const message = `For security purposes, you can only request this after ${
    Math.floor(left / 1000)
  } seconds.`;
  throw new AuthError(429, "over_email_send_rate_limit", message, {
    retryAfter: Math.ceil(left / 1000),
  });
}
