import { join } from "../paths.ts";
import { type Log, StackError } from "../part.ts";
import { requireFreePort } from "../ports.ts";
import { Supervised } from "../process.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { endBackends, stopOrphans } from "./orphans.ts";

/** What one postmaster needs to be started, again and again. */
export interface ServerOptions {
  binaries: Binaries;
  account: Account;
  data: string;
  port: number;
  log: Log;
}

export const host = "127.0.0.1";

/** What the product depends on, and small memory; the rest is PostgreSQL's own default. */
const settings: Record<string, string> = {
  listen_addresses: host,
  // A socket file would be in the way of a second stack, and every client comes by TCP.
  unix_socket_directories: "",
  timezone: "UTC",
  log_timezone: "UTC",
  max_connections: "120",
  shared_buffers: "64MB",
  shared_preload_libraries: "pg_stat_statements",
  wal_level: "logical",
  max_wal_size: "512MB",
  // A reader that never comes back must not fill the disk.
  max_slot_wal_keep_size: "1GB",
  logging_collector: "on",
  log_directory: "log",
  log_filename: "postgres-%a.log",
  log_truncate_on_rotation: "on",
  log_rotation_size: "0",
  log_checkpoints: "off",
};

/**
 * Makes sure that a postmaster can be started: ends the one that a killed stack left behind on
 * `data`, and refuses a port that somebody else listens on.
 */
export async function makeWay(data: string, port: number, log: Log): Promise<void> {
  await stopOrphans(data, log);
  await requireFreePort(port, "the database");
}

/** Starts a postmaster and keeps it running; resolves when it accepts connections. */
export async function startServer(options: ServerOptions): Promise<Supervised> {
  const { binaries, account, data, port, log } = options;
  const args = Object.entries({ ...settings, port: String(port) })
    .flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server: Supervised = new Supervised({
    name: "postgres",
    command() {
      endBackends(data);
      return {
        program: join(binaries.folder, "bin", "postgres"),
        args: ["-D", data, ...args],
        cwd: data,
        ...account.ids,
        // In a group of its own, because Ctrl-C reaches a whole group: the database goes last.
        detached: true,
      };
    },
    ready: () => isReady(data, server.pid),
    // Recovery after a crash may have much to read.
    readyWithin: 60_000,
    // Fast shutdown: cuts clients off, loses nothing.
    stopSignal: "SIGINT",
    // Immediate shutdown: the postmaster takes its backends along, which SIGKILL would leave.
    killSignal: "SIGQUIT",
    log,
  });
  await server.started().catch((error) => {
    if (!(error instanceof StackError)) throw error;
    throw new StackError(`${error.message}\nIts log is in ${join(data, "log")}.`);
  });
  return server;
}

/** The postmaster keeps its state in the eighth line of its pid file; pg_ctl waits by it too. */
async function isReady(data: string, pid: number | undefined): Promise<boolean> {
  const lines = await Deno.readTextFile(join(data, "postmaster.pid"))
    .then((text) => text.split("\n"), () => []);
  return Number(lines[0]) === pid && lines[7]?.trim() === "ready";
}
