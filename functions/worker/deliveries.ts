import type { Doors } from "shared/database/client.ts";
import type { Job } from "./handlers.ts";

/** Opens the events of jobs by one call; null for a job whose event is not to be sent, or not now. */
export const opening =
  <Opened extends { id: string }>(database: Doors, rpc: string) =>
  async (jobs: Job[]): Promise<(Opened | null)[]> => {
    const opened = await database.asService().rpc<Opened[]>(rpc, {
      tenants: jobs.map(({ tenant_id }) => tenant_id),
      ids: jobs.map(({ payload }) => payload.event_id),
    });
    const byId = new Map(opened.map((each) => [each.id, each]));
    return jobs.map(({ payload }) => byId.get(String(payload.event_id)) ?? null);
  };

/** Tells the database how deliveries ended, by one call. */
export const settling =
  <Settled>(database: Doors, rpc: string) => async (results: Settled[]): Promise<void[]> => {
    await database.asService().rpc(rpc, { results });
    return results.map(() => undefined);
  };
