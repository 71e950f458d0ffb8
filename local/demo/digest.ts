import { StackError } from "../part.ts";
import type { CaughtMail } from "../mail/mail.ts";
import { readProjectConfig, root } from "../settings.ts";
import type { StackInfo } from "../stack.ts";
import { say } from "../terminal.ts";
import { answer, type Member } from "./members.ts";

interface Hours {
  quiet_from: string | null;
  quiet_until: string | null;
  digest_at: string;
  digest_day: number;
  time_zone: string;
}

/** Has the member's daily digest come within two minutes, waits for it, and sets the hour back. */
export async function readDigest(
  stack: StackInfo,
  member: Member,
  tenant_id: string,
): Promise<void> {
  const { client, name } = member;
  const { hours: { time_zone, ...hours } } = await answer<{ hours: Hours }>(
    client.rpc("notifications_settings", { tenant_id }),
  );
  const digest_at = soon(time_zone);
  const since = new Date().toISOString();
  await answer(client.rpc("notifications_set_hours", { digest_at }));
  say(
    `Evening: ${name} wants the digest at ${digest_at}; what can wait until then comes in one mail.`,
  );
  try {
    const mail = await arrival(stack, member, since);
    say(mail ? `It comes:\n\n${body(mail.text)}\n` : `It goes to ${member.email}.`);
  } finally {
    await answer(client.rpc("notifications_set_hours", hours));
  }
}

/** The next full minute there that does not pass before it is written down. */
function soon(timeZone: string): string {
  const at = new Date(Date.now() + (new Date().getSeconds() < 50 ? 60_000 : 120_000));
  return new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit" })
    .format(at);
}

/** The digest in the inbox of the stack on this machine; elsewhere mails go to their receivers. */
async function arrival(
  { url }: StackInfo,
  { name, email }: Member,
  since: string,
): Promise<CaughtMail | undefined> {
  const inbox = new URL(url);
  if (!["127.0.0.1", "localhost"].includes(inbox.hostname)) return undefined;
  const { ports } = readProjectConfig(root, {});
  inbox.port = String(Number(inbox.port) + ports.mail - ports.api);
  inbox.pathname = "/api/messages";
  inbox.searchParams.set("to", email);
  const deadline = Date.now() + 180_000;
  while (Date.now() < deadline) {
    const mails: CaughtMail[] = await (await fetch(inbox)).json();
    const digest = mails.find(({ created_at, tags }) =>
      created_at > since && tags.some(({ value }) => value === "notifications_digest")
    );
    if (digest) return digest;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new StackError(`No digest came for ${name} within three minutes.`);
}

/** What the mail says, without its footer. */
const body = (text: string) =>
  text.split("\n-- \n")[0]!.split("\n--\n")[0]!.trim().replaceAll(/^(?=.)/gm, "    ");
