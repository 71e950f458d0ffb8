import postgres, { type Sql } from "postgres";
import { fromFileUrl, join } from "../../local/paths.ts";
import { say } from "../../local/terminal.ts";
import { median, type Report, type Row } from "../report.ts";
import { growth } from "./growth.ts";
import { initialise, type Options, pgbench } from "../pgbench.ts";

const here = fromFileUrl(new URL(".", import.meta.url));

interface Question {
  title: string;
  script: string;
  clients: number;
  target: number;
}

const questions: Question[] = [
  { title: "transfers, 8 clients", script: "transfer.sql", clients: 8, target: 1.3 },
  { title: "transfers, 32 clients", script: "transfer.sql", clients: 32, target: 1.3 },
  { title: "32 clients into one system account", script: "till.sql", clients: 32, target: 0.8 },
];

/**
 * Transfers a second with everything on (session, rights, key, limits, trail, outbox,
 * announcements) beside pgbench's TPC-B, in turn on the same server. What follows from transfers
 * (jobs, announcements, folding) is done while they run, and counts against them. A peer joins where
 * BENCH_PEER_SCHEMA and BENCH_PEER_SCRIPT name its schema and its pgbench script.
 */
export async function run(url: string, options: Options): Promise<Report> {
  const peers = [{ name: "TPC-B", url: await database(url, "tpcb") }, ...await peer(url)];
  await initialise(peers[0]!.url, 50);
  const sql = postgres(superuser(url), { max: 1, onnotice() {} });
  try {
    await sql.unsafe(await Deno.readTextFile(join(here, "setup.sql")));
    await sql`vacuum analyze`;
    const rows: Row[] = [];
    for (const question of questions) rows.push(await ask(sql, question, url, peers, options));
    rows.push(...await growth(sql, url, options));
    return { name: "wallet", unit: "transactions/s", rows };
  } finally {
    await sql.end();
  }
}

interface Peer {
  name: string;
  url: string;
  script?: string;
}

async function ask(
  sql: Sql,
  { title, script, clients, target }: Question,
  url: string,
  peers: Peer[],
  { rounds, seconds }: Options,
): Promise<Row> {
  const contenders: Peer[] = [{ name: "Nexus", url, script: join(here, script) }, ...peers];
  const results = contenders.map(({ name }) => ({ name, rates: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      const run = () => pgbench({ ...contender, clients, seconds });
      const rate = await (index === 0 ? followed(sql, run) : run());
      results[index]!.rates.push(rate);
      say(`${title}: ${contender.name} ${Math.round(rate)}/s`);
    }
  }
  const [ours, tpcb] = results;
  const ratio = median(ours!.rates.map((rate, round) => rate / tpcb!.rates[round]!));
  return { title, results, ratio, target };
}

/** Does `work` while what follows from transfers is done as the worker and the clock do it. */
async function followed<T>(sql: Sql, work: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const following = (async () => {
    while (!over.signal.aborted) {
      await sql`select private.audit_follow(), private.wallet_fold_all()`;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  })();
  try {
    return await work();
  } finally {
    over.abort();
    await following;
  }
}

async function peer(url: string): Promise<Peer[]> {
  const [schema, script] = ["BENCH_PEER_SCHEMA", "BENCH_PEER_SCRIPT"].map((name) =>
    Deno.env.get(name)
  );
  if (!schema || !script) return [];
  const own = await database(url, "peer");
  const sql = postgres(own, { max: 1, onnotice() {} });
  try {
    await sql.unsafe(await Deno.readTextFile(schema));
  } finally {
    await sql.end();
  }
  return [{ name: "peer", url: own, script }];
}

/** An empty database beside ours. */
async function database(url: string, name: string): Promise<string> {
  const sql = postgres(url, { max: 1, onnotice() {} });
  try {
    await sql`drop database if exists ${sql(name)}`;
    await sql`create database ${sql(name)}`;
  } finally {
    await sql.end();
  }
  const made = new URL(url);
  made.pathname = `/${name}`;
  return made.href;
}

/** Logins and sessions are Auth's tables: the setup writes them as the embedded superuser does. */
function superuser(url: string): string {
  const changed = new URL(url);
  changed.username = "supabase_admin";
  return changed.href;
}
