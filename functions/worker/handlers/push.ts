import { Batch } from "shared/batch.ts";
import { UnsendableMail } from "shared/email/unsendable.ts";
import { composePush, type OpenedPush, type PushMessage } from "shared/push/message.ts";
import { type Outcome, sendPush } from "shared/push/send.ts";
import type { Services } from "shared/services.ts";
import { opening, settling } from "../deliveries.ts";
import { PermanentFailure } from "../failure.ts";
import type { Handler, Job } from "../handlers.ts";

interface Settled {
  tenant_id: string;
  event_id: unknown;
  /** Ids of the devices that were told, and of those that are no more. */
  sent: string[];
  gone: string[];
  /** Nobody is left to tell. */
  done: boolean;
  reason: string | null;
}

const doors = new WeakMap<Services, ReturnType<typeof openDoors>>();

function openDoors({ database }: Services) {
  return {
    open: new Batch(opening<OpenedPush>(database, "push_open")),
    settle: new Batch(settling<Settled>(database, "push_settle")),
  };
}

function doorsOf(services: Services) {
  const known = doors.get(services) ?? openDoors(services);
  doors.set(services, known);
  return known;
}

/**
 * Pushes one notice to every device of a person that was not told yet. Each device that was told is
 * noted, whatever becomes of the others, so that a job that comes again passes over it.
 */
const push: Handler = async (job, services, signal) => {
  const { open, settle } = doorsOf(services);
  const notice = await open.ask(job);
  if (!notice) return;
  const message = await composed(job, services, notice);
  const outcomes = await Promise.allSettled(
    notice.targets.map((target) => sendPush(services, target, message, signal)),
  );
  const idsOf = (wanted: Outcome) =>
    notice.targets.flatMap(({ id }, index) => {
      const outcome = outcomes[index]!;
      return outcome.status === "fulfilled" && outcome.value === wanted ? [id] : [];
    });
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  await settle.ask({
    tenant_id: job.tenant_id,
    event_id: job.payload.event_id,
    sent: idsOf("sent"),
    gone: idsOf("gone"),
    done: failed === undefined,
    reason: reasonOf(outcomes),
  });
  if (failed) throw failed.reason;
};

/** Why nobody was told, if nobody was. */
function reasonOf(outcomes: PromiseSettledResult<Outcome>[]): string | null {
  const values = outcomes.flatMap((outcome) =>
    outcome.status === "fulfilled" ? [outcome.value] : []
  );
  if (values.includes("sent")) return null;
  return values.find((value) => value !== "gone") ?? "no_device";
}

async function composed(job: Job, services: Services, notice: OpenedPush): Promise<PushMessage> {
  try {
    return composePush(notice, services.config);
  } catch (error) {
    if (!(error instanceof UnsendableMail)) throw error;
    await services.database.asService().rpc("notifications_settle", {
      results: [{
        tenant_id: job.tenant_id,
        event_id: job.payload.event_id,
        channel: "push",
        status: "refused",
        reason: error.message,
      }],
    });
    throw new PermanentFailure(error.message, { cause: error });
  }
}

export const pushHandlers: Record<string, Handler> = { "notifications.push": push };
