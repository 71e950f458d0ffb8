import postgres from "postgres";
import { drain, standardLimits } from "../../functions/worker/drain.ts";
import { handlers } from "../../functions/worker/handlers.ts";
import { Circuits } from "shared/http/circuit.ts";
import { createProviderClient } from "shared/http/provider.ts";
import type { Services } from "shared/services.ts";
import { callingBySql } from "../jobs/queue_stack.ts";
import { createTestServices } from "../support/services.ts";

// A worker in a process of its own, so that it can be killed at any moment.
const { STORM_DATABASE_URL, STORM_PROVIDERS, ...env } = Deno.env.toObject();
const sql = postgres(STORM_DATABASE_URL!, { max: 4, onnotice() {} });
const door = callingBySql(sql);
const { services } = createTestServices(env);
const { pathname, origin } = new URL(STORM_PROVIDERS!);
const call = createProviderClient({
  localProviders: [origin],
  log: services.log,
  // A provider that failed five times in a row is left alone for half a minute, and asked again after
  // half a second; here all pauses are shorter, for what is proved does not depend on their length.
  circuits: new Circuits(5, 100),
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds / 20)),
});
const { "notifications.email": email, "notifications.push": push } = handlers;
const worker = {
  ...services,
  database: { asService: () => door, asCaller: () => door },
  // Endpoints of browsers are https; the test's providers stand on this machine.
  callProvider: ((url, init, options) => {
    const { host, pathname: path, search } = new URL(url);
    return call(`${origin}${pathname}${host}${path}${search}`, init, options);
  }) satisfies Services["callProvider"],
};
const limits = { ...standardLimits, jobs: Infinity, batch: 400, linger: 60_000, lookEvery: 50 };
// One whose lease ran out ends; the clock would call another one within a minute. Without a database
// the test is over, and nobody is left to kill this.
for (let failures = 0; failures < 20;) {
  try {
    await drain(
      worker,
      { "notifications.email": email!, "notifications.push": push! },
      new AbortController().signal,
      limits,
    );
    failures = 0;
  } catch {
    failures++;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
Deno.exit(1);
