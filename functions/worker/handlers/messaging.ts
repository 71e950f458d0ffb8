import type { Handler } from "../handlers.ts";

/** Sends or reminds, where nobody took it back; done before, there is nothing left to do. */
const due: Handler = async ({ tenant_id, payload }, { database }) => {
  await database.asService().rpc("messaging_run_schedule", {
    tenant_id,
    schedule: payload.schedule,
  });
};

/** Removes what a conversation remembers no more, a batch at a time. */
const forget: Handler = async ({ tenant_id, payload }, { database }, signal) => {
  const asService = database.asService();
  const conversation = { tenant_id, conversation_id: payload.conversation };
  while (!signal.aborted && await asService.rpc<number>("messaging_forget", conversation) > 0);
};

export const messagingHandlers: Record<string, Handler> = {
  "messaging.due": due,
  "messaging.forget": forget,
};
