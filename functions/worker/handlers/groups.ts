import type { Handler } from "../handlers.ts";

/** Tells a group's members of an announcement, a few at a time; who was told is not told again. */
const announce: Handler = async ({ tenant_id, payload }, { database }, signal) => {
  const asService = database.asService();
  let after: string | null = null;
  do {
    after = await asService.rpc<string | null>("groups_tell_announcement", {
      tenant_id,
      post: payload.post,
      after,
    });
  } while (after && !signal.aborted);
  signal.throwIfAborted();
};

/** The weekly digests of a tenant: begun again, it goes on with those who have not had theirs. */
const digest: Handler = async ({ tenant_id, payload }, { database }, signal) => {
  const asService = database.asService();
  let after: string | null = null;
  do {
    after = await asService.rpc<string | null>("groups_send_digests", {
      tenant_id,
      due_at: payload.due_at,
      after,
    });
  } while (after && !signal.aborted);
  signal.throwIfAborted();
};

export const groupsHandlers: Record<string, Handler> = {
  "groups.announce": announce,
  "groups.digest": digest,
};
