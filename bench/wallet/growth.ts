import type { Sql } from "postgres";
import { join } from "../../local/paths.ts";
import { say } from "../../local/terminal.ts";
import { median, type Row } from "../report.ts";
import { here, type Options, pgbench } from "./pgbench.ts";

const reads = [
  { title: "balance", script: "balance.sql" },
  { title: "transfer", script: "transfer.sql" },
  { title: "first page of a statement", script: "statement.sql" },
];

/** Within 1.3 times the time of the smallest ledger. */
const target = 1 / 1.3;

/** Entries at which the questions are asked; BENCH_ENTRIES names others. */
const sizes = (Deno.env.get("BENCH_ENTRIES") ?? "10000,100000,1000000").split(",").map(Number);

/** How rates hold while the ledger grows: one row a question, its rate at every size. */
export async function growth(
  sql: Sql,
  url: string,
  { rounds, seconds }: Options,
): Promise<Row[]> {
  const rows = reads.map(({ title }) => ({
    title: `${title}, 1 client, by entries`,
    results: [] as Row["results"],
  }));
  for (const size of sizes) {
    await fill(sql, size);
    for (const [index, { title, script }] of reads.entries()) {
      const rates = [];
      for (let round = 0; round < rounds; round++) {
        rates.push(await pgbench({ url, script: join(here, script), clients: 1, seconds }));
      }
      rows[index]!.results.push({ name: `${size}`, rates });
      say(`${title} at ${size} entries: ${Math.round(median(rates))}/s`);
    }
  }
  return rows.map(({ title, results }) => {
    const [first, last] = [results[0]!, results.at(-1)!];
    return { title, results, ratio: median(last.rates) / median(first.rates), target };
  });
}

/** Adds transfers between random members, as rows, until there are that many entries. */
async function fill(sql: Sql, size: number): Promise<void> {
  const [row] = await sql`select count(*)::int as count from wallet_entries`;
  const missing = Math.max(0, Math.ceil((size - row!.count) / 2));
  const step = 100_000;
  for (let made = 0; made < missing; made += step) {
    await sql.begin(async (tx) => {
      await tx`set local session_replication_role = replica`;
      await tx`select bench.grow(${Math.min(step, missing - made)})`;
    });
  }
  await sql`vacuum analyze`;
  await sql`checkpoint`;
}
