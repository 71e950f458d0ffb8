import { render } from "shared/email/render.ts";
import { send } from "shared/email/send.ts";
import { UnsendableMail } from "shared/email/unsendable.ts";
import { ProblemError } from "shared/errors/problem.ts";
import { PermanentFailure } from "../failure.ts";
import type { Handler } from "../handlers.ts";

/** A mail as the database gives it at the time of sending. */
interface PendingMail {
  id: string;
  to: string;
  locale: string;
  /** The community's name; null for mails of the platform. */
  tenant: string | null;
  template: string;
  data: unknown;
}

/**
 * Sends one mail. What has been sent, erased or has run out in the meantime is none any more. The
 * mail's id is its key with the provider, so that a job that comes again, be it replayed from the
 * dead letter, sends nothing twice.
 */
const email: Handler = async (job, services, signal) => {
  const database = services.database.asService();
  const row = { tenant_id: job.tenant_id, email_id: job.payload.email_id };
  const mail = await database.rpc<PendingMail | null>("notifications_email", row);
  if (!mail) return;
  const platform = services.config.email.from?.name || "Nexus";
  try {
    const rendered = render({ ...mail, sender: mail.tenant ?? platform });
    const providerId = await send(services, {
      ...rendered,
      to: mail.to,
      onBehalfOf: mail.tenant ?? undefined,
      template: mail.template,
      idempotencyKey: mail.id,
    }, signal);
    await database.rpc("notifications_email_sent", { ...row, provider_id: providerId ?? null });
  } catch (error) {
    if (error instanceof UnsendableMail) {
      await database.rpc("notifications_email_refused", row);
      throw new PermanentFailure(error.message, { cause: error });
    }
    // The mail waits on for whoever configures the project; trying within seconds is of no use.
    if (error instanceof ProblemError && error.code === "email.not_configured") {
      throw new PermanentFailure(error.code, { cause: error });
    }
    throw error;
  }
};

export const notificationsHandlers: Record<string, Handler> = { "notifications.email": email };
