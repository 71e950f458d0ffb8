/**
 * The Data API's own process: reads what to serve from its environment, and listens until it is
 * told to stop. Whatever fails beyond a request ends it; the supervisor starts it again.
 */
import { createDataApi } from "./api.ts";
import type { DataApiOptions } from "./mend.ts";

// Lite reports every failed request there, with its stack; clients cause those at will.
const silent = () => {};
Object.assign(console, { debug: silent, error: silent, info: silent, log: silent, warn: silent });

const say = (line: string) => {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
};

const given: DataApiOptions & { port: number } = JSON.parse(Deno.env.get("NEXUS_DATA_API") ?? "");
const { port, ...options } = given;
const api = await createDataApi({ ...options, log: say });
const server = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => say("ready") }, api.fetch);

Deno.addSignalListener("SIGTERM", async () => {
  await server.shutdown();
  await api.close();
  Deno.exit(0);
});
