import type { Handler } from "../handlers.ts";

/** Something was done or undone: what it deserves now is the database's to say. */
const award: Handler = async ({ tenant_id, payload }, { database }) => {
  const { source, key } = payload;
  await database.asService().rpc("gamification_award", { tenant_id, source, key });
};

/** Midnight where the tenant lives, or new badges: part by part, until there is nothing left to do. */
const partByPart: Handler = async ({ tenant_id, kind }, { database }, signal) => {
  const asService = database.asService();
  while (
    !signal.aborted && await asService.rpc<boolean>("gamification_run", { tenant_id, kind })
  );
};

export const gamificationHandlers: Record<string, Handler> = {
  "gamification.award": award,
  "gamification.badges": partByPart,
  "gamification.daily_xp": partByPart,
  "gamification.leaderboards": partByPart,
};
