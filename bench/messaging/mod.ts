import postgres, { type Sql } from "postgres";
import { fromFileUrl, join } from "../../local/paths.ts";
import { say } from "../../local/terminal.ts";
import { median, type Report, type Row } from "../report.ts";
import { type Options, pgbench } from "../pgbench.ts";

const here = fromFileUrl(new URL(".", import.meta.url));

const questions = [
  { title: "send", script: "send.sql" },
  { title: "first page", script: "page.sql" },
  { title: "unread count", script: "unread.sql" },
  { title: "catch-up on 20 changes", script: "catch_up.sql" },
  { title: "list of 1,000 conversations", script: "list.sql" },
];

/** Within 1.3 times the time of the fewest messages. */
const target = 1 / 1.3;

/** A list of a thousand conversations within 30 ms. */
const listsPerSecond = 1000 / 30;

/** Messages at which the questions are asked; BENCH_MESSAGES names others. */
const sizes = (Deno.env.get("BENCH_MESSAGES") ?? "10000,100000,1000000").split(",").map(Number);

/** How sending and reading hold while messages grow: one row a question, its rate at every size. */
export async function run(url: string, options: Options): Promise<Report> {
  const sql = postgres(asSuperuser(url), { max: 1, onnotice() {} });
  try {
    await sql.unsafe(await Deno.readTextFile(join(here, "setup.sql")));
    const rows = questions.map(({ title }) => ({
      title: `${title}, 1 client, by messages`,
      results: [] as Row["results"],
    }));
    for (const size of sizes) {
      await fill(sql, size);
      for (const [index, question] of questions.entries()) {
        const rates = await ask(url, question.script, options);
        rows[index]!.results.push({ name: `${size}`, rates });
        say(`${question.title} at ${size} messages: ${Math.round(median(rates))}/s`);
      }
    }
    return { name: "messaging", unit: "statements/s", rows: [...rows.map(grown), listed(rows)] };
  } finally {
    await sql.end();
  }
}

async function ask(url: string, script: string, { rounds, seconds }: Options): Promise<number[]> {
  const rates = [];
  for (let round = 0; round < rounds; round++) {
    rates.push(await pgbench({ url, script: join(here, script), clients: 1, seconds }));
  }
  return rates;
}

function grown({ title, results }: Pick<Row, "title" | "results">): Row {
  const [first, last] = [results[0]!, results.at(-1)!];
  return { title, results, ratio: median(last.rates) / median(first.rates), target };
}

function listed(rows: Pick<Row, "results">[]): Row {
  const last = rows.at(-1)!.results.at(-1)!;
  const ratio = median(last.rates) / listsPerSecond;
  return { title: "the list, beside 30 ms", results: [last], ratio, target: 1 };
}

/** Adds messages, as rows, until there are that many. */
async function fill(sql: Sql, size: number): Promise<void> {
  const [row] = await sql`select count(*)::int as count from messaging_messages`;
  const missing = Math.max(0, size - row!.count);
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

function asSuperuser(url: string): string {
  const as = new URL(url);
  as.username = "supabase_admin";
  return as.href;
}
