import type { Sql } from "postgres";
import { fromFileUrl, join } from "../../local/paths.ts";
import { say } from "../../local/terminal.ts";
import { median, type Row } from "../report.ts";
import { type Options, pgbench } from "../pgbench.ts";

const here = fromFileUrl(new URL(".", import.meta.url));

const reads = [
  { title: "balance", script: "balance.sql" },
  { title: "transfer", script: "transfer.sql" },
  { title: "first page of a statement", script: "statement.sql" },
];

/** Within 1.3 times the time of the smallest ledger. */
const target = 1 / 1.3;

/** Entries at which the questions are asked; BENCH_ENTRIES names others. */
const sizes = (Deno.env.get("BENCH_ENTRIES") ?? "10000,1000000,10000000").split(",").map(Number);

/**
 * How rates hold while the ledger grows: one row a question, its rate at every size. Each size is a
 * database of its own, so that the sizes are asked in turn.
 */
export async function growth(
  sql: Sql,
  url: string,
  { rounds, seconds }: Options,
): Promise<Row[]> {
  const ledgers: { name: string; url: string }[] = [];
  for (const size of sizes) {
    await fill(sql, size);
    ledgers.push({ name: `${size}`, url: await copy(sql, url, size) });
    say(`a ledger of ${size} entries`);
  }
  const rows: Row[] = [];
  for (const { title, script } of reads) {
    const results = ledgers.map(({ name }) => ({ name, rates: [] as number[] }));
    for (let round = 0; round < rounds; round++) {
      for (const [index, ledger] of ledgers.entries()) {
        const question = { url: ledger.url, script: join(here, script), clients: 1, seconds };
        results[index]!.rates.push(await pgbench(question));
      }
    }
    const [first, last] = [results[0]!, results.at(-1)!];
    const ratio = median(last.rates.map((rate, round) => rate / first.rates[round]!));
    rows.push({ title: `${title}, 1 client, by entries`, results, ratio, target });
    for (const { name, rates } of results) {
      say(`${title} at ${name}: ${Math.round(median(rates))}/s`);
    }
  }
  return rows;
}

/** A copy of the database as it is now: possible while nobody else is connected to it. */
async function copy(sql: Sql, url: string, size: number): Promise<string> {
  const name = `entries_${size}`;
  await sql`drop database if exists ${sql(name)}`;
  await sql`create database ${sql(name)} template postgres strategy file_copy`;
  const made = new URL(url);
  made.pathname = `/${name}`;
  return made.href;
}

/** Adds rows of transfers until there are that many entries. */
async function fill(sql: Sql, size: number): Promise<void> {
  const [row] = await sql`select count(*)::int as count from wallet_entries`;
  const missing = Math.max(0, Math.ceil((size - row!.count) / 2));
  await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    await tx`set local maintenance_work_mem = '512MB'`;
    await tx`select bench.grow(${missing})`;
  });
  await sql`vacuum analyze`;
  await sql`checkpoint`;
}
