import { type Log, StackError } from "../part.ts";
import type { Settings } from "../settings.ts";
import { warn } from "../terminal.ts";
import { chooseAccount } from "./account.ts";
import { findBinaries } from "./binaries.ts";
import { bootstrap } from "./bootstrap.ts";
import {
  dataFolder,
  ensureCluster,
  placeFor,
  removeCluster,
  sharedFolder,
  superuser,
} from "./cluster.ts";
import { type DatabaseRole, urlsOf } from "./roles.ts";
import { host, makeWay, startServer } from "./server.ts";

export { migrate } from "./migrate.ts";
export type { DatabaseRole } from "./roles.ts";

/** The running database of one stack. */
export interface Database {
  host: string;
  port: number;
  /** The URL for a login role, password included. */
  url(role: DatabaseRole): string;
  /** False for a server of the user's own (`--db-url`), which is never stopped. */
  embedded: boolean;
  stop(): Promise<void>;
}

/** Every login role has it, as in `supabase start`: the server listens on the loopback address only. */
const password = "postgres";

/**
 * Starts the embedded server, or takes the one of `--db-url`, and gives it what hosted has. What it
 * cannot have is for the person who starts it, and not for the log alone.
 */
export async function startDatabase(
  settings: Settings,
  log: Log,
  tell: Log = warn,
): Promise<Database> {
  const database = settings.dbUrl === undefined
    ? await startEmbedded(settings, log)
    : outside(settings.dbUrl);
  try {
    const { password } = database;
    const autoExpose = settings.config.api.autoExposeNewTables;
    await bootstrap(database.superuserUrl, { password, autoExpose }, tell);
    return database;
  } catch (error) {
    await database.stop();
    throw error;
  }
}

interface Bootable extends Database {
  superuserUrl: string;
  password: string;
}

async function startEmbedded(settings: Settings, log: Log): Promise<Bootable> {
  const port = settings.ports.db;
  const account = await chooseAccount();
  const shared = account.name === undefined ? settings.home : sharedFolder;
  const binaries = await findBinaries(account, shared);
  const place = await placeFor(settings.home, account, log);
  await makeWay(dataFolder(place), port, log);
  if (settings.reset) await removeCluster(place);
  const data = await ensureCluster(binaries, account, place, password);
  const server = await startServer({ binaries, account, data, port, log });
  const url = urlsOf({ host, port, database: "postgres", password });
  return {
    host,
    port,
    url,
    superuserUrl: url(superuser),
    password,
    embedded: true,
    stop: () => server.stop(),
  };
}

function outside(dbUrl: string): Bootable {
  const given = URL.canParse(dbUrl) ? new URL(dbUrl) : undefined;
  if (!given || !/^postgres(ql)?:$/.test(given.protocol) || !given.hostname) {
    throw new StackError("--db-url needs postgresql://superuser:password@host:port/database.");
  }
  const secret = decodeURIComponent(given.password) || password;
  const server = {
    host: given.hostname,
    port: Number(given.port || 5432),
    database: decodeURIComponent(given.pathname.slice(1)) || "postgres",
    password: secret,
    search: given.search,
  };
  return {
    host: server.host,
    port: server.port,
    url: urlsOf(server),
    superuserUrl: dbUrl,
    password: secret,
    embedded: false,
    stop: () => Promise.resolve(),
  };
}
