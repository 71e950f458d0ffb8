import postgres from "postgres";
import { fromFileUrl, join } from "../../local/paths.ts";
import { say } from "../../local/terminal.ts";
import type { Options } from "../pgbench.ts";
import type { Report, Row } from "../report.ts";
import { fill } from "./fill.ts";
import { questions, slowestTwentieth } from "./questions.ts";
import { scheduleRows } from "./schedules.ts";

const here = fromFileUrl(new URL(".", import.meta.url));

/** Listings, posts and entries at which the questions are asked; members are a tenth. BENCH_THINGS names others. */
const sizes = (Deno.env.get("BENCH_THINGS") ?? "10000,1000000").split(",").map(Number);

/**
 * A time bank that grows: the time of the slowest twentieth of searches, feed pages and leaderboards
 * at each size beside what they may take, and each schedule's run at the largest beside a tenth of
 * its interval.
 */
export async function run(url: string, options: Options): Promise<Report> {
  const sql = postgres(asSuperuser(url), { max: 1, onnotice() {} });
  try {
    await sql.unsafe(await Deno.readTextFile(join(here, "setup.sql")));
    const rows = questions.map(({ title, within }) => ({
      title: `${title}, within ${within} ms`,
      results: [] as Row["results"],
      ratio: 0,
      target: 1,
    }));
    for (const size of sizes) {
      await fill(sql, size);
      for (const [index, question] of questions.entries()) {
        const row = rows[index]!;
        const took = await slowestTwentieth(sql, question, options);
        row.results.push({ name: `${size}`, rates: took.map((ms) => 1_000 / ms) });
        row.ratio = question.within / Math.max(...took);
        say(`${question.title} at ${size}: ${took.map((ms) => ms.toFixed(1)).join(", ")} ms`);
      }
    }
    return {
      name: "timebank",
      unit: "a second, at the pace of the slowest twentieth",
      rows: [...rows, ...await scheduleRows(sql)],
    };
  } finally {
    await sql.end();
  }
}

function asSuperuser(url: string): string {
  const as = new URL(url);
  as.username = "supabase_admin"; // Logins and sessions are Auth's tables.
  return as.href;
}
