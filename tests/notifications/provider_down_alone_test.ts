import assert from "node:assert/strict";
import { createPerson } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { until } from "../support/wait.ts";
import { deliveriesOf, jobOf, notify } from "./support.ts";

// Alone: the failing provider opens the worker's circuit, and mails of other tests would wait.
Deno.test("a mail that the provider keeps failing is tried four times, then dead, and kept for a replay", () =>
  withDatabase(async (sql) => {
    const { id } = await createPerson({ email: `fail-500@${crypto.randomUUID()}.test` });
    const event = await notify(sql, { id });
    const dead = await until(async () => {
      const [job] = await sql`
        select attempts, reason, last_error, died_at - created_at >= interval '7 s' as patient
        from private.jobs_dead where aggregate = ${jobOf(event)}`;
      return job;
    }, { timeout: 90_000, every: 200 });
    assert.deepEqual([dead.attempts, dead.reason, dead.patient], [4, "failed", true]);
    assert.match(dead.last_error, /unavailable/);
    assert.equal((await deliveriesOf(sql, event)).email!.status, "waiting");
  }));
