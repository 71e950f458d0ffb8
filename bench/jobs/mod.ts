import { say } from "../../local/terminal.ts";
import { median, type Report, type Row } from "../report.ts";
import { type Contender, type Line } from "./contender.ts";
import { churn } from "./churn.ts";
import { graphileWorker } from "./graphile_worker.ts";
import { nexus } from "./nexus.ts";
import { pgBoss } from "./pg_boss.ts";

export interface Options {
  rounds: number;
  seconds: number;
}

const batch = 100;
const clientCounts = [1, 8];

/** Jobs a second, in turn: each round asks every contender the same question on the same machine. */
export async function run(url: string, { rounds, seconds }: Options): Promise<Report> {
  const contenders = [await nexus(url), await graphileWorker(url), await pgBoss(url)];
  const rows: Row[] = [];
  try {
    for (const contender of contenders) {
      await contender.prepare();
      await contender.fill(1_000);
    }
    for (const clients of clientCounts) {
      const title = `enqueue one by one, ${clients} client${clients > 1 ? "s" : ""}`;
      // One client alone mostly waits for the network and the disk, whoever keeps the queue.
      const target = clients > 1 ? 3 : undefined;
      rows.push(
        await compare(title, target, contenders, rounds, (c) => enqueue(c, clients, seconds)),
      );
    }
    for (const workers of clientCounts) {
      const title = `drain in batches of ${batch}, ${workers} worker${workers > 1 ? "s" : ""}`;
      rows.push(await compare(title, 2, contenders, rounds, (c) => drain(c, workers, seconds)));
    }
    rows.push(await churn(url, contenders[0]!, { rounds, seconds: seconds * 4 }));
  } finally {
    for (const contender of contenders) await contender.close();
  }
  return { name: "jobs", unit: "jobs/s", rows };
}

async function compare(
  title: string,
  target: number | undefined,
  contenders: Contender[],
  rounds: number,
  measure: (contender: Contender) => Promise<number>,
): Promise<Row> {
  const results = contenders.map(({ name }) => ({ name, rates: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      const rate = await measure(contender);
      results[index]!.rates.push(rate);
      say(`${title}: ${contender.name} ${Math.round(rate)}/s`);
    }
  }
  const ratios = results[0]!.rates.map((rate, round) =>
    rate / Math.max(...results.slice(1).map(({ rates }) => rates[round]!))
  );
  return { title, results, ratio: median(ratios), ...(target && { target }) };
}

async function withLines<T>(
  contender: Contender,
  count: number,
  work: (lines: Line[]) => Promise<T>,
): Promise<T> {
  const lines = await Promise.all(Array.from({ length: count }, () => contender.connect()));
  try {
    return await work(lines);
  } finally {
    await Promise.all(lines.map((line) => line.close()));
  }
}

async function enqueue(contender: Contender, clients: number, seconds: number): Promise<number> {
  await contender.fill(1_000);
  return await withLines(contender, clients, async (lines) => {
    await Promise.all(lines.map((line) => line.enqueue()));
    const start = performance.now();
    const end = start + seconds * 1_000;
    const counts = await Promise.all(lines.map(async (line) => {
      let count = 0;
      for (; performance.now() < end; count++) await line.enqueue();
      return count;
    }));
    return rate(counts, start);
  });
}

async function drain(contender: Contender, workers: number, seconds: number): Promise<number> {
  await contender.fill(10_000 * seconds);
  return await withLines(contender, workers, async (lines) => {
    const start = performance.now();
    const counts = await Promise.all(lines.map(async (line) => {
      let count = 0;
      for (let done = 1; done > 0; count += done) done = await line.drain(batch);
      return count;
    }));
    return rate(counts, start);
  });
}

const rate = (counts: number[], start: number): number =>
  counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - start) / 1_000);
