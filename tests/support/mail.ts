import type { CaughtMail } from "../../local/mail/mail.ts";
import { readProjectConfig, root } from "../../local/settings.ts";
import { getStack } from "./stack.ts";
import { until } from "./wait.ts";

/** Where the stack's inbox is: as far from its API as `config.toml` says. */
export function inboxUrl(): string {
  const { ports } = readProjectConfig(root, {});
  const url = new URL(getStack().url);
  url.port = String(Number(url.port) + ports.mail - ports.api);
  return url.origin;
}

/** The mails to an address that the inbox has caught, the newest first. */
export async function mailsTo(address: string): Promise<CaughtMail[]> {
  const query = new URLSearchParams({ to: address });
  return await (await fetch(`${inboxUrl()}/api/messages?${query}`)).json();
}

/** The mail of this template to an address, once it has arrived. */
export async function mailTo(address: string, template: string): Promise<CaughtMail> {
  const name = template.replaceAll(/[^\w-]/g, "_");
  return await until(
    async () =>
      (await mailsTo(address)).find(({ tags }) => tags.some(({ value }) => value === name)),
    { timeout: 10_000, every: 50, message: `${template} to ${address}` },
  );
}

/** The link to Auth in a mail. */
export function linkIn({ text }: CaughtMail): string {
  const [link] = /http\S+\/auth\/v1\/verify\?\S+/.exec(text) ?? [];
  if (!link) throw new Error(`no link in: ${text}`);
  return link;
}

/** The code in a mail: it stands on a line of its own. */
export function codeIn({ text }: CaughtMail): string {
  const [code] = /^\d{6}$/m.exec(text) ?? [];
  if (!code) throw new Error(`no code in: ${text}`);
  return code;
}
