import { Client } from "pg";
import { pause } from "../process.ts";
import type { Stop } from "./mend.ts";

const firstPause = 50;
const longestPause = 1000;

/**
 * Calls `heard` for every notification on a channel, and after every reconnection, since what was
 * sent meanwhile is lost. Resolves once it listens.
 */
export async function listen(url: string, channel: string, heard: () => void): Promise<Stop> {
  const stopping = new AbortController();
  let listener: Client | undefined;
  const first = Promise.withResolvers<void>();

  const keepListening = async () => {
    let wait = firstPause;
    while (!stopping.signal.aborted) {
      const ended = Promise.withResolvers<void>();
      listener = new Client({ connectionString: url, application_name: "nexus data api listener" });
      listener.on("notification", heard);
      listener.on("error", () => ended.resolve());
      listener.on("end", () => ended.resolve());
      try {
        await listener.connect();
        await listener.query(`listen "${channel}"`);
        heard();
        wait = firstPause;
        first.resolve();
        await ended.promise;
      } catch {
        await pause(wait, stopping.signal);
        wait = Math.min(wait * 2, longestPause);
      }
    }
  };
  const running = keepListening();
  await first.promise;
  return async () => {
    stopping.abort();
    await listener?.end();
    await running;
  };
}
