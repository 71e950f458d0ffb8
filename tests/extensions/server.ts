import { join } from "../../local/paths.ts";
import type { Log } from "../../local/part.ts";
import { Supervised } from "../../local/process.ts";
import type { Chroot } from "./chroot.ts";

const password = "postgres";
const bin = "/usr/lib/postgresql/17/bin";

const settings: Record<string, string> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  timezone: "UTC",
  max_connections: "120",
  // The data lives as long as the test does.
  fsync: "off",
  wal_level: "logical",
  shared_preload_libraries: "pg_stat_statements,pg_cron",
  "cron.database_name": "postgres",
  "cron.timezone": "UTC",
  // Jobs would log in by TCP otherwise, and have no password.
  "cron.use_background_workers": "on",
  max_worker_processes: "32",
};

/** A running PostgreSQL of the chroot. */
export interface RealPostgres extends AsyncDisposable {
  port: number;
  /** `supabase_admin` is the superuser, as on hosted. */
  superuserUrl: string;
}

/** Makes an empty cluster and starts it on `port`; disposing of it removes its data. */
export async function startRealPostgres(
  chroot: Chroot,
  port: number,
  log: Log,
  changes: Record<string, string> = {},
): Promise<RealPostgres> {
  await using started = new AsyncDisposableStack();
  const folder = await chroot.makeFolder();
  started.defer(() => chroot.removeFolder(folder));
  const data = join(folder, "data");
  await initialise(chroot, folder, data);
  const args = Object.entries({ ...settings, ...changes, port: String(port) })
    .flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = new Supervised({
    name: "postgres",
    command: () => chroot.command(`${bin}/postgres`, ["-D", data, ...args]),
    ready: () => isReady(join(chroot.folder, data)),
    readyWithin: 60_000,
    stopSignal: "SIGINT",
    stopWithin: 20_000,
    log,
  });
  await server.started();
  started.defer(() => server.stop());
  const running = started.move();
  return {
    port,
    superuserUrl: `postgresql://supabase_admin:${password}@127.0.0.1:${port}/postgres`,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function initialise(chroot: Chroot, folder: string, data: string): Promise<void> {
  const file = join(folder, "password");
  await Deno.writeTextFile(join(chroot.folder, file), password, { mode: 0o644 });
  await chroot.run(`${bin}/initdb`, [
    ...[`--pgdata=${data}`, "--username=supabase_admin", `--pwfile=${file}`, "--no-sync"],
    ...["--auth=scram-sha-256", "--encoding=UTF8"],
    // As the embedded cluster is made, after hosted's order of text.
    ...["--locale-provider=icu", "--icu-locale=en-US", "--locale=C"],
  ]);
}

/** The postmaster tells its state in the eighth line of its pid file. */
async function isReady(data: string): Promise<boolean> {
  const text = await Deno.readTextFile(join(data, "postmaster.pid")).catch(() => "");
  return text.split("\n")[7]?.trim() === "ready";
}
