import { median, type Row } from "../report.ts";
import { connect, type Contender } from "./contender.ts";

const clients = 4;
const batch = 10;

/**
 * Steady work, ten in and ten out: alone, and while another transaction holds its snapshot, so that
 * nothing deleted can be removed. Only the last third counts, when the dead have piled up.
 */
export async function churn(
  url: string,
  contender: Contender,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<Row> {
  const results = ["free", "snapshot held"].map((name) => ({ name, rates: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    results[0]!.rates.push(await window(url, contender, seconds));
    const holder = await connect(url);
    try {
      // Any read takes the snapshot; one of the queue itself would lock it as well.
      await holder.query("begin isolation level repeatable read; select from pg_class limit 1");
      results[1]!.rates.push(await window(url, contender, seconds));
    } finally {
      await holder.end();
    }
  }
  const [free, held] = results;
  const ratios = held!.rates.map((rate, round) => rate / free!.rates[round]!);
  return {
    title: `churn by ${clients} clients, snapshot held / free`,
    results,
    ratio: median(ratios),
    target: 0.8,
  };
}

async function window(url: string, contender: Contender, seconds: number): Promise<number> {
  await contender.fill(1_000);
  const lines = await Promise.all(
    Array.from({ length: clients }, async () => ({
      producer: await connect(url),
      worker: await contender.connect(),
    })),
  );
  const start = performance.now();
  const counted = start + seconds * 1_000 * 2 / 3;
  const end = start + seconds * 1_000;
  const counts = await Promise.all(lines.map(async ({ producer, worker }) => {
    let count = 0;
    while (performance.now() < end) {
      await producer.query({
        name: "enqueue",
        text: "select private.enqueue('bench.job', '{\"id\": 1}') from generate_series(1, $1)",
        values: [batch],
      });
      const done = await worker.drain(batch);
      if (performance.now() > counted) count += done;
    }
    return count;
  }));
  const rate = counts.reduce((sum, count) => sum + count, 0) /
    ((performance.now() - counted) / 1_000);
  await Promise.all(lines.flatMap(({ producer, worker }) => [producer.end(), worker.close()]));
  return rate;
}
