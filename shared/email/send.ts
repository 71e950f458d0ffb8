import { ProblemError } from "../errors/problem.ts";
import type { Services } from "../services.ts";
import { mailboxOf, oneAddress, subjectLine } from "./headers.ts";
import { UnsendableMail } from "./unsendable.ts";

/** A mail to one receiver. */
export interface Mail {
  to: string;
  /** Whose mail it is: stands before the sender's own name. */
  onBehalfOf?: string | undefined;
  subject: string;
  html: string;
  text: string;
  /** What the provider's statistics tell mails apart by. */
  template: string;
  /** A mail that comes again with the same key is not sent again. */
  idempotencyKey: string;
}

type Needed = Pick<Services, "callProvider" | "config">;

/** Whether this project can send mail at all. */
export const canSend = ({ email }: Services["config"]): boolean =>
  email.from !== undefined && email.provider.key !== undefined;

/**
 * Sends a mail through Resend and gives the provider's id of it; undefined when it had taken the
 * mail before, in another wording. Ends as `email.not_configured`, as `unavailable` where another
 * try makes sense, or as `UnsendableMail`.
 */
export async function send(
  { callProvider, config }: Needed,
  mail: Mail,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { from, provider: { key, url } } = config.email;
  if (!from || !key) throw new ProblemError("email.not_configured");
  const response = await callProvider(`${url}/emails`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key.reveal()}`,
      "content-type": "application/json",
      "idempotency-key": mail.idempotencyKey,
    },
    body: JSON.stringify({
      from: mailboxOf(senderName(from.name, mail.onBehalfOf), from.address),
      to: [oneAddress(mail.to)],
      subject: subjectLine(mail.subject),
      html: mail.html,
      text: mail.text,
      tags: [{ name: "template", value: mail.template.replaceAll(/[^\w-]/g, "_") }],
    }),
  }, { name: "resend", ...(signal && { signal }) });
  return await readAnswer(response);
}

/** A community may not pass itself off as the sender of all mail. */
const senderName = (own: string, onBehalfOf: string | undefined): string =>
  onBehalfOf ? `${onBehalfOf} via ${own || "Nexus"}` : own;

/** What Resend's names of errors mean for us. */
async function readAnswer(response: Response): Promise<string | undefined> {
  const body = await response.json().catch(() => ({})) as { id?: string; name?: string };
  if (response.ok) return body.id;
  if (body.name === "invalid_idempotent_request") return undefined;
  const cause = new Error(`Resend answered ${response.status} ${body.name ?? ""}`);
  const passing = response.status >= 500 || [408, 409, 425, 429].includes(response.status);
  if (passing) throw new ProblemError("unavailable", { retryAfter: 1, cause });
  throw new UnsendableMail(cause.message);
}
