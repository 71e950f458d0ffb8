import type { Keys } from "../keys.ts";
import type { Log, Part } from "../part.ts";
import type { Settings } from "../settings.ts";

export interface GatewayOptions {
  settings: Settings;
  keys: Keys;
  internalSecret: string;
  parts: Partial<Record<"rest" | "auth" | "realtime" | "functions", Part | undefined>>;
  log: Log;
}

/** Listens on the API port. */
export function startGateway(options: GatewayOptions): Promise<{ stop(): Promise<void> }> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: options.settings.ports.api, onListen() {} },
    (request) => {
      const path = new URL(request.url).pathname.split("/")[1] ?? "";
      const part = options.parts[path as "rest"];
      return part?.fetch(request, { address: "127.0.0.1" }) ??
        Response.json({ message: "not found" }, { status: 404 });
    },
  );
  return Promise.resolve({ stop: () => server.shutdown() });
}
