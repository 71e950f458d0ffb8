import postgres, { type Sql } from "postgres";
import { fromFileUrl, join } from "../../local/paths.ts";
import { say } from "../../local/terminal.ts";
import { median, type Report, type Row } from "../report.ts";
import { type Options, pgbench } from "../pgbench.ts";

const here = fromFileUrl(new URL(".", import.meta.url));

const questions = [
  { title: "send", script: "send.sql" },
  { title: "first page, of 2 messages", script: "page.sql" },
  { title: "unread count", script: "unread.sql" },
  { title: "catch-up on 10 changes", script: "catch_up.sql" },
  { title: "list of 1,000 conversations", script: "list.sql" },
];

/** Within 1.3 times the time of the fewest messages. */
const target = 1 / 1.3;

/** A list of a thousand conversations within 30 ms. */
const listsPerSecond = 1000 / 30;

/** Messages at which the questions are asked; BENCH_MESSAGES names others. */
const sizes = (Deno.env.get("BENCH_MESSAGES") ?? "10000,100000,1000000").split(",").map(Number);

/** Calls before a question is timed: the hundred people it is put to were then asked before. */
const warming = 500;

/** One more message in each conversation of the setup. */
const block = 6_000;

interface World {
  name: string;
  url: string;
}

/**
 * How sending and reading hold while messages grow: one row a question, its rate at every size. Each
 * size is a database of its own, so that the sizes are asked in turn.
 */
export async function run(url: string, options: Options): Promise<Report> {
  const sql = postgres(asSuperuser(url), { max: 1, onnotice() {} });
  try {
    await sql.unsafe(await Deno.readTextFile(join(here, "setup.sql")));
    const worlds: World[] = [];
    let blocks = 0;
    for (const [index, size] of sizes.entries()) {
      blocks = await fill(sql, blocks, Math.ceil(size / block));
      // The last one is asked where it was made: a copy of the largest would take as long again.
      const last = index === sizes.length - 1;
      worlds.push({ name: `${size}`, url: last ? url : await copy(sql, url, size) });
      say(`${size} messages`);
    }
    const rows: Row[] = [];
    for (const question of questions) rows.push(await ask(question, worlds, options));
    return { name: "messaging", unit: "statements/s", rows: [...rows, listed(rows)] };
  } finally {
    await sql.end();
  }
}

async function ask(
  { title, script }: typeof questions[number],
  worlds: World[],
  { rounds, seconds }: Options,
): Promise<Row> {
  const results = worlds.map(({ name }) => ({ name, rates: [] as number[] }));
  const question = { script: join(here, script), clients: 1 };
  // What is asked for the first time is read from the disk. Calls, not seconds: a slower world would
  // be left colder.
  for (const { url } of worlds) await pgbench({ ...question, url, seconds, calls: warming });
  for (let round = 0; round < rounds; round++) {
    for (const [index, { url }] of worlds.entries()) {
      results[index]!.rates.push(await pgbench({ ...question, url, seconds }));
    }
  }
  const [first, last] = [results[0]!, results.at(-1)!];
  const ratio = median(last.rates.map((rate, round) => rate / first.rates[round]!));
  for (const { name, rates } of results) {
    say(`${title} at ${name} messages: ${Math.round(median(rates))}/s`);
  }
  return { title: `${title}, 1 client, by messages`, results, ratio, target };
}

function listed(rows: Row[]): Row {
  const last = rows.at(-1)!.results.at(-1)!;
  const ratio = median(last.rates) / listsPerSecond;
  return { title: "the list, beside 30 ms", results: [last], ratio, target: 1 };
}

/** Adds messages, as rows, until there are so many blocks of them. */
async function fill(sql: Sql, there: number, blocks: number): Promise<number> {
  const [index] = await sql`
    select indexdef from pg_indexes where indexname = 'messaging_messages_words'`;
  await sql`drop index messaging_messages_words`;
  const step = 50;
  for (let made = there; made < blocks; made += step) {
    const upTo = Math.min(made + step, blocks);
    await sql.begin(async (tx) => {
      await tx`set local session_replication_role = replica`;
      await tx`set local synchronous_commit = off`;
      await tx`select bench.grow(${made + 1}, ${upTo})`;
    });
  }
  await sql`set maintenance_work_mem = '1GB'`;
  await sql.unsafe(index!.indexdef);
  await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    await tx`select bench.settle(${blocks})`;
  });
  await sql`vacuum analyze`;
  await sql`checkpoint`;
  return blocks;
}

/** A copy of the database as it is now: possible while nobody else is connected to it. */
async function copy(sql: Sql, url: string, size: number): Promise<string> {
  const name = `messages_${size}`;
  await sql`create database ${sql(name)} template postgres strategy file_copy`;
  const made = new URL(url);
  made.pathname = `/${name}`;
  return made.href;
}

function asSuperuser(url: string): string {
  const as = new URL(url);
  as.username = "supabase_admin";
  return as.href;
}
