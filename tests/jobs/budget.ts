import process from "node:process";
import { readConfig } from "shared/config.ts";
import { createServices } from "shared/services.ts";
import { drain, standardLimits } from "../../functions/worker/drain.ts";

/**
 * Run in a process of its own: drains batches of `jobs.probe` through the Data API, and prints how
 * many jobs that were, the CPU seconds of all of it, start included, and the memory it took.
 */
const services = createServices("budget", readConfig(Deno.env.toObject()));
const stop = new AbortController();
const ran = await drain(
  { ...services, log: () => {} },
  { "jobs.probe": () => Promise.resolve() },
  stop.signal,
  { ...standardLimits, batch: 100, jobs: 100, linger: 5_000 },
);
const { user, system } = process.cpuUsage();
const { rss } = Deno.memoryUsage();
const report = { ran, cpu: (user + system) / 1e6, rss };
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(report)));
Deno.exit(0);
