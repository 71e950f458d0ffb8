// @ts-types="@types/pg"
import { Client } from "pg";
import type { Log } from "../part.ts";

/** Partitions made ahead, so that a machine asleep over midnight still finds one, and days kept. */
const daysAhead = 3;
const daysKept = 3;

const hour = 3600_000;
const day = 24 * hour;

/** Looks after `realtime.messages` as hosted's janitor does: a partition a day, none too old. */
export class MessagesTable {
  readonly #url: string;
  readonly #timer: ReturnType<typeof setInterval>;
  #running: Promise<void> = Promise.resolve();

  private constructor(url: string, log: Log) {
    this.#url = url;
    this.#timer = setInterval(() => {
      this.#running = this.#tend().catch((error) => log(`realtime: messages: ${error.message}`));
    }, hour);
  }

  /** Resolves when today's messages have a place to go. */
  static async open(url: string, log: Log): Promise<MessagesTable> {
    const table = new MessagesTable(url, log);
    try {
      await table.#tend();
      return table;
    } catch (error) {
      clearInterval(table.#timer);
      throw error;
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  async #tend(): Promise<void> {
    // A new partition locks the whole table for a moment: rather none than a queue behind it.
    const client = new Client({
      connectionString: this.#url,
      application_name: "realtime_janitor",
      lock_timeout: 2_000,
      statement_timeout: 10_000,
    });
    client.on("error", () => {});
    await client.connect();
    try {
      // Two stacks on one database would make the same table: the lock ends with the connection.
      await client.query("select pg_advisory_lock(hashtext('realtime.messages partitions'))");
      await partition(client, Date.now());
    } finally {
      await client.end();
    }
  }
}

/** Makes the partitions of the coming days and drops those past keeping, around `now`. */
export async function partition(client: Client, now: number): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'realtime.messages'::regclass`,
  );
  const present = new Set(rows.map((row) => row.name));
  await client.query("set role supabase_realtime_admin");
  for (let ahead = 0; ahead <= daysAhead; ahead++) {
    const start = now + ahead * day;
    if (present.has(nameOf(start))) continue;
    await client.query(
      `create table if not exists realtime.${nameOf(start)} partition of realtime.messages
       for values from ('${dateOf(start)}') to ('${dateOf(start + day)}')`,
    );
  }
  await client.query("reset role");
  const oldest = nameOf(now - daysKept * day);
  for (const name of present) {
    // Names sort as their dates do; others than ours are left alone.
    if (!/^messages_\d{4}_\d{2}_\d{2}$/.test(name) || name >= oldest) continue;
    await client.query(`drop table if exists realtime.${name}`);
  }
}

const dateOf = (time: number) => new Date(time).toISOString().slice(0, 10);
const nameOf = (time: number) => `messages_${dateOf(time).replaceAll("-", "_")}`;
