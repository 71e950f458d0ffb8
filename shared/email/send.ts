import type { Config } from "../config.ts";
import { ProblemError } from "../errors/problem.ts";
import { describeError } from "../log.ts";
import type { Services } from "../services.ts";
import { mailboxOf, oneAddress, oneLine, subjectLine } from "./headers.ts";
import { gmail } from "./providers/gmail.ts";
import { resend } from "./providers/resend.ts";
import { smtp } from "./providers/smtp.ts";
import { NotTaken } from "./unsendable.ts";

/** A mail to one receiver. */
export interface Mail {
  to: string;
  /** Whose mail it is: stands before the sender's own name. */
  onBehalfOf?: string | undefined;
  subject: string;
  html: string;
  text: string;
  headers?: Record<string, string>;
  /** What the provider's statistics tell mails apart by. */
  template: string;
  /** A mail that comes again with the same key is not sent again. */
  idempotencyKey: string;
}

/** A mail as a provider gets it: nothing in it means more than it says. */
export interface Message extends Required<Omit<Mail, "onBehalfOf">> {
  from: string;
  fromAddress: string;
}

/** What a provider needs of the services. */
export type Needed = Pick<Services, "callProvider" | "config" | "log">;

/**
 * One way out. `send` gives the provider's id of the mail, and ends as `NotTaken`, `UnsendableMail`,
 * or anything else where nobody knows; `check` ends without an error where the credentials are good.
 */
export interface MailProvider {
  isConfigured(email: Config["email"]): boolean;
  send(services: Needed, message: Message, signal?: AbortSignal): Promise<string | undefined>;
  check(services: Needed): Promise<void>;
}

export type MailProviderName = Config["email"]["order"][number];

const providers: Record<MailProviderName, MailProvider> = { resend, smtp, gmail };

/** Those that this project can send by, in the order in which they are asked. */
export const providersOf = ({ email }: Config): MailProviderName[] =>
  email.from ? email.order.filter((name) => providers[name].isConfigured(email)) : [];

/** Whether this project can send mail at all. */
export const canSend = (config: Config): boolean => providersOf(config).length > 0;

export interface Sent {
  provider: MailProviderName;
  /** The provider's id of the mail; undefined when it had taken it before, in another wording. */
  id: string | undefined;
}

/**
 * Sends a mail by the first provider that takes it. The next one is asked only where it is sure that
 * the one before did not: a mail that may be on its way stays with `only`, who may have taken it.
 * Ends as `email.not_configured`, as `unavailable` where another try makes sense, as
 * `UnknownOutcome`, or as `UnsendableMail`.
 */
export async function send(
  services: Needed,
  mail: Mail,
  { signal, only }: { signal?: AbortSignal; only?: string | null } = {},
): Promise<Sent> {
  const { from } = services.config.email;
  const configured = providersOf(services.config);
  if (!from || configured.length === 0) throw new ProblemError("email.not_configured");
  const message = messageOf(mail, from);
  // Whoever is configured no more cannot be asked whether they took it.
  const asked = configured.filter((name) => name === only);
  let refusal: unknown;
  for (const provider of asked.length > 0 ? asked : configured) {
    try {
      return { provider, id: await providers[provider].send(services, message, signal) };
    } catch (error) {
      if (!(error instanceof NotTaken)) throw error;
      refusal = error;
      services.log("warn", "a mail provider did not take a mail", {
        provider,
        ...describeError(error),
      });
    }
  }
  throw new ProblemError("unavailable", { retryAfter: 1, cause: refusal });
}

/** Asks each configured provider whether it accepts its credentials, and logs who does not. */
export async function checkProviders(services: Needed): Promise<Record<string, boolean>> {
  const outcomes = providersOf(services.config).map(async (name) => {
    try {
      await providers[name].check(services);
      return [name, true] as const;
    } catch (error) {
      services.log("error", "a mail provider refuses its credentials", {
        provider: name,
        ...describeError(error),
      });
      return [name, false] as const;
    }
  });
  return Object.fromEntries(await Promise.all(outcomes));
}

function messageOf(mail: Mail, from: { name: string; address: string }): Message {
  const { onBehalfOf, headers = {}, ...rest } = mail;
  return {
    ...rest,
    to: oneAddress(mail.to),
    subject: subjectLine(mail.subject),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, oneLine(value)]),
    ),
    from: mailboxOf(senderName(from.name, onBehalfOf), from.address),
    fromAddress: from.address,
  };
}

/** A community may not pass itself off as the sender of all mail. */
const senderName = (own: string, onBehalfOf: string | undefined): string =>
  onBehalfOf ? `${onBehalfOf} via ${own || "Nexus"}` : own;
