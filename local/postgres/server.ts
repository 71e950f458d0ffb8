import { join } from "../paths.ts";
import type { Log } from "../part.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { DatabaseError } from "./errors.ts";
import { stopOrphan } from "./orphan.ts";

/** What one postmaster needs to be started, again and again. */
export interface ServerOptions {
  binaries: Binaries;
  account: Account;
  data: string;
  port: number;
  log: Log;
}

/** A supervised postmaster. */
export interface Server {
  /** Fast shutdown: clients are cut off, data is safe; resolves when the process is gone. */
  stop(): Promise<void>;
}

const host = "127.0.0.1";

/** Settings that the product depends on, and small memory; the rest is PostgreSQL's own default. */
const settings: Record<string, string> = {
  listen_addresses: host,
  unix_socket_directories: "",
  timezone: "UTC",
  log_timezone: "UTC",
  max_connections: "120",
  shared_buffers: "64MB",
  wal_level: "logical",
  max_wal_size: "512MB",
  // A reader that never comes back must not fill the disk.
  max_slot_wal_keep_size: "1GB",
  shared_preload_libraries: "pg_stat_statements",
  logging_collector: "on",
  log_directory: "log",
  log_filename: "postgres-%a.log",
  log_truncate_on_rotation: "on",
  log_rotation_size: "0",
  // One line for people at start and stop is ours; a restart point every few minutes is noise.
  log_checkpoints: "off",
};

/**
 * Starts a postmaster on `data` and keeps it running: when it dies by itself it is started again
 * (PostgreSQL recovers from its log), with a line about it.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  await stopOrphan(options.data, options.log);
  requireFreePort(options.port);
  let stopping = false;
  let child = await launch(options);

  const supervise = async () => {
    for (let wait = 100; !stopping; wait = Math.min(wait * 2, 5000)) {
      const startedAt = Date.now();
      const { code, signal } = await child.status;
      if (stopping) return;
      options.log(`Postgres ended by itself (${signal ?? `exit code ${code}`}) and is restarted.`);
      if (Date.now() - startedAt > 60_000) wait = 100;
      await relaunch(wait);
    }
  };
  const relaunch = async (wait: number) => {
    await new Promise((done) => setTimeout(done, wait));
    if (stopping) return;
    await launch(options)
      .then((next) => child = next, (error) => options.log(String(error.message ?? error)));
  };
  const supervision = supervise();

  return {
    async stop() {
      stopping = true;
      signal(child, "SIGINT");
      await child.status;
      await supervision;
    },
  };
}
