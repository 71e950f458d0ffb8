import type { Handler } from "../handlers.ts";

/** Goes on with a newsletter, a hundred mails at a time, until nothing more of it is due now. */
const send: Handler = async ({ tenant_id, payload }, { database }, signal) => {
  const asService = database.asService();
  const newsletter = { tenant_id, newsletter_id: payload.newsletter };
  while (!signal.aborted && await asService.rpc<number>("newsletters_work", newsletter) > 0);
};

/** Pauses the newsletter whose mails come back. */
const halt: Handler = async ({ tenant_id, payload }, { database }) => {
  await database.asService().rpc("newsletters_halt", { tenant_id, variant_id: payload.variant });
};

export const newslettersHandlers: Record<string, Handler> = {
  "newsletters.send": send,
  "newsletters.halt": halt,
};
