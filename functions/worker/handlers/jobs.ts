import type { Handler } from "../handlers.ts";

/** `jobs.probe` does nothing: that it is done proves the whole way from the database to here. */
export const jobsHandlers: Record<string, Handler> = {
  "jobs.probe": () => Promise.resolve(),
};
