import { Batch } from "shared/batch.ts";
import { compose, type OpenedMail } from "shared/email/compose.ts";
import { send } from "shared/email/send.ts";
import { UnknownOutcome, UnsendableMail } from "shared/email/unsendable.ts";
import { ProblemError } from "shared/errors/problem.ts";
import type { Services } from "shared/services.ts";
import { PermanentFailure } from "../failure.ts";
import type { Handler } from "../handlers.ts";
import { opening, settling } from "../deliveries.ts";

interface Settled {
  tenant_id: string;
  event_id: unknown;
  channel: "email";
  status: "sent" | "refused" | "waiting";
  reason?: string;
  provider?: string;
  provider_id?: string | null;
}

/** A worker holds many mails at a time: the database is asked for them, and told of them, together. */
const doors = new WeakMap<Services, ReturnType<typeof openDoors>>();

function openDoors({ database }: Services) {
  return {
    open: new Batch(opening<OpenedMail>(database, "notifications_open_emails")),
    settle: new Batch(settling<Settled>(database, "notifications_settle")),
  };
}

function doorsOf(services: Services) {
  const known = doors.get(services) ?? openDoors(services);
  doors.set(services, known);
  return known;
}

/**
 * Sends one mail. What was sent, switched off, suppressed, erased or has run out in the meantime is
 * none any more. The event's id is the mail's key with the provider, so that a job that comes again,
 * be it replayed from the dead letter, sends nothing twice.
 */
const email: Handler = async (job, services, signal) => {
  const { open, settle } = doorsOf(services);
  const mail = await open.ask(job);
  if (!mail) return;
  const row = {
    tenant_id: job.tenant_id,
    event_id: job.payload.event_id,
    channel: "email",
  } as const;
  try {
    const message = compose(mail, services.config);
    const { provider, id } = await send(services, message, { signal, only: mail.provider });
    await settle.ask({ ...row, status: "sent", provider, provider_id: id ?? null });
  } catch (error) {
    if (error instanceof UnknownOutcome) {
      await settle.ask({ ...row, status: "waiting", provider: error.provider });
    }
    if (error instanceof UnsendableMail) {
      await settle.ask({ ...row, status: "refused", reason: error.message });
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
