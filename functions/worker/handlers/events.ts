import type { Handler } from "../handlers.ts";
import { expand } from "../recurrence.ts";

interface Expansion {
  rule: string;
  /** The same with its end on the clocks of the event. */
  local_rule: string;
  starts_local: string;
  since: string;
  upto: string;
}

/** Makes the occurrences that an event's rule gives from now to the end of the window. */
const occurrences: Handler = async ({ tenant_id, payload }, { database }) => {
  const asService = database.asService();
  const event = { tenant_id, event_id: payload.event };
  const [wanted] = await asService.rpc<Expansion[]>("events_expansion", event);
  if (!wanted) return;
  const { rule, starts_local } = wanted;
  await asService.rpc("events_keep", {
    ...event,
    rule,
    starts_local,
    ...expand(wanted.local_rule, starts_local, wanted.upto, wanted.since),
  });
};

/** Tells those who answered, a few at a time; nobody twice for the same job. */
const tell: Handler = async ({ id, tenant_id, kind, payload }, { database }, signal) => {
  const asService = database.asService();
  let after: string | null = null;
  do {
    after = await asService.rpc<string | null>("events_tell", {
      tenant_id,
      kind,
      occurrence: payload.occurrence,
      job: id,
      after,
      change: payload.change ?? null,
    });
  } while (after && !signal.aborted);
  signal.throwIfAborted();
};

/** Frees the seats of those who do not see the events of a group any more, a few at a time. */
const narrow: Handler = async ({ tenant_id, payload }, { database }, signal) => {
  const asService = database.asService();
  let freed = 0;
  do {
    freed = await asService.rpc<number>("events_narrow", { tenant_id, group_id: payload.group });
  } while (freed > 0 && !signal.aborted);
  signal.throwIfAborted();
};

export const eventsHandlers: Record<string, Handler> = {
  "events.expand": occurrences,
  "events.narrow": narrow,
  "events.changed": tell,
  "events.cancelled": tell,
};
