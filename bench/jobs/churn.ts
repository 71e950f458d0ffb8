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
    results[0]!.rates.push(await window(contender, seconds));
    const holder = await connect(url);
    try {
      await holder.query(
        "begin isolation level repeatable read; select count(*) from private.jobs",
      );
      results[1]!.rates.push(await window(contender, seconds));
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

async function window(contender: Contender, seconds: number): Promise<number> {
  await contender.fill(1_000);
  const lines = await Promise.all(Array.from({ length: clients }, () => contender.connect()));
  const start = performance.now();
  const counted = start + seconds * 1_000 * 2 / 3;
  const end = start + seconds * 1_000;
  const counts = await Promise.all(lines.map(async (line) => {
    let count = 0;
    while (performance.now() < end) {
      for (let n = 0; n < batch; n++) await line.enqueue();
      const done = await line.drain(batch);
      if (performance.now() > counted) count += done;
    }
    return count;
  }));
  const rate = counts.reduce((sum, count) => sum + count, 0) /
    ((performance.now() - counted) / 1_000);
  await Promise.all(lines.map((line) => line.close()));
  return rate;
}
