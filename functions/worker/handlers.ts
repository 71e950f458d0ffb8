import type { Services } from "shared/services.ts";
import { auditHandlers } from "./handlers/audit.ts";
import { documentsHandlers } from "./handlers/documents.ts";
import { eventsHandlers } from "./handlers/events.ts";
import { filesHandlers } from "./handlers/files.ts";
import { groupsHandlers } from "./handlers/groups.ts";
import { gamificationHandlers } from "./handlers/gamification.ts";
import { jobsHandlers } from "./handlers/jobs.ts";
import { listingsHandlers } from "./handlers/listings.ts";
import { messagingHandlers } from "./handlers/messaging.ts";
import { newslettersHandlers } from "./handlers/newsletters.ts";
import { notificationsHandlers } from "./handlers/notifications.ts";
import { pushHandlers } from "./handlers/push.ts";
import { twoFactorHandlers } from "./handlers/two_factor.ts";
import { walletHandlers } from "./handlers/wallet.ts";

/** A job as its handler gets it. `attempts` counts this one. */
export interface Job {
  id: string;
  tenant_id: string;
  kind: string;
  aggregate: string | null;
  payload: Record<string, unknown>;
  attempts: number;
}

/**
 * Does what a kind of job asks for. It may be called again with the same job, so it has to be
 * idempotent by `job.id`. Whatever it throws is tried again after 1, 2 and 4 seconds, but a
 * `PermanentFailure`. `signal` ends the work that takes too long or is not this worker's any more.
 */
export type Handler = (job: Job, services: Services, signal: AbortSignal) => Promise<void>;

/** By kind. A job whose kind is not here stays in the queue until a worker knows it. */
export const handlers: Record<string, Handler> = {
  ...auditHandlers,
  ...documentsHandlers,
  ...eventsHandlers,
  ...filesHandlers,
  ...groupsHandlers,
  ...gamificationHandlers,
  ...jobsHandlers,
  ...listingsHandlers,
  ...messagingHandlers,
  ...newslettersHandlers,
  ...notificationsHandlers,
  ...pushHandlers,
  ...twoFactorHandlers,
  ...walletHandlers,
};
