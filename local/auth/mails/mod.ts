import type { Auth } from "../auth.ts";
import type { Call } from "../call.ts";
import type { Sql } from "../database.ts";
import { redirectOf } from "../redirects.ts";
import { present, type User } from "../users.ts";
import { type MailAction, renderMail } from "./templates.ts";

export type { MailAction } from "./templates.ts";

interface Secret {
  code: string;
  hash: string;
}

/** The link of a mail: it works with the hash alone. */
export function linkFor(auth: Auth, type: string, hash: string, redirectTo: string): string {
  const query = new URLSearchParams({ token: hash, type, redirect_to: redirectTo });
  return `${auth.keys.issuer}/verify?${query}`;
}

/** Sends a mail with a link and a code, or has the `send_email` hook do it. */
export async function sendMail(
  auth: Auth,
  sql: Sql,
  call: Call,
  user: User,
  action: Exclude<MailAction, "email_change">,
  { code, hash }: Secret,
): Promise<void> {
  countMail(auth);
  const redirectTo = redirectOf(auth.config, call);
  if (auth.hooks.has("send_email")) {
    const data = hookData(auth, action, redirectTo, { token: code, token_hash: hash });
    return await auth.hooks.sendEmail(sql, call, present(user), data);
  }
  const link = action === "reauthentication"
    ? {}
    : { link: linkFor(auth, action, hash, redirectTo) };
  await auth.deliver(renderMail(action, { to: user.email!, code, ...link }));
}

/** Sends the mails of a change of address: to the new one, and to the old one where it must agree. */
export async function sendEmailChange(
  auth: Auth,
  sql: Sql,
  call: Call,
  user: User,
  next: Secret,
  current: Secret | undefined,
): Promise<void> {
  countMail(auth);
  const redirectTo = redirectOf(auth.config, call);
  if (auth.hooks.has("send_email")) {
    // Hosted pairs each code with the hash of the other one. Hooks in the world know and rely on it.
    const data = hookData(auth, "email_change", redirectTo, {
      token: current?.code ?? next.code,
      token_hash: next.hash,
      token_new: current ? next.code : "",
      token_hash_new: current?.hash ?? "",
    });
    return await auth.hooks.sendEmail(sql, call, present(user), data);
  }
  const note = `From ${user.email} to ${user.email_change}.`;
  for (const [to, secret] of [[user.email_change, next], [user.email, current]] as const) {
    if (!secret || !to) continue;
    const link = linkFor(auth, "email_change", secret.hash, redirectTo);
    await auth.deliver(renderMail("email_change", { to, code: secret.code, link, note }));
  }
}

/** GoTrue does not count the mails of a project that confirms every address by itself. */
function countMail(auth: Auth): void {
  if (auth.config.confirmationsEnabled) auth.limits.takeMail();
}

function hookData(
  auth: Auth,
  action: MailAction,
  redirectTo: string,
  secrets: { token: string; token_hash: string; token_new?: string; token_hash_new?: string },
) {
  return {
    token_new: "",
    token_hash_new: "",
    ...secrets,
    redirect_to: redirectTo,
    email_action_type: action,
    site_url: auth.keys.issuer,
    old_email: "",
    old_phone: "",
    provider: "",
    factor_type: "",
  };
}
