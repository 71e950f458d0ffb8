import type { Handler } from "../handlers.ts";

/** Has the database do what follows from the lines of the trail that were committed since. */
export const auditHandlers: Record<string, Handler> = {
  "audit.follow": async (_job, { database }) => {
    await database.asService().rpc("audit_followed");
  },
};
