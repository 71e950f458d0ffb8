import type { Handler } from "../handlers.ts";

/** On the morning of a working day: what has waited for too long is told to those who check. */
const remindReviewers: Handler = async ({ id, tenant_id }, { database }) => {
  await database.asService().rpc("documents_remind_reviewers", { tenant_id, job: id });
};

export const documentsHandlers: Record<string, Handler> = {
  "documents.remind_reviewers": remindReviewers,
};
