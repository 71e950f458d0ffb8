import postgres from "postgres";
import { fromFileUrl, join } from "../../local/paths.ts";
import { say } from "../../local/terminal.ts";
import { type Options, pgbench } from "../pgbench.ts";
import { median, type Report } from "../report.ts";

const here = fromFileUrl(new URL(".", import.meta.url));

/** Milliseconds that the question may take at most. */
const wanted = 0.3;

/**
 * The question that policies ask, `private.tenants_with`, among 10^5 members of 10^3 tenants: calls a
 * second beside the same statement without it, so that the difference is its own time.
 */
export async function run(url: string, { rounds, seconds }: Options): Promise<Report> {
  const admin = new URL(url);
  admin.username = "supabase_admin"; // Logins and sessions are Auth's tables.
  const sql = postgres(admin.href, { max: 1, onnotice() {} });
  try {
    await sql.unsafe(await Deno.readTextFile(join(here, "setup.sql")));
    await sql`vacuum analyze`;
  } finally {
    await sql.end();
  }
  const ask = (script: string) => pgbench({ url, script: join(here, script), clients: 1, seconds });
  const [asked, bare]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    asked.push(await ask("tenants_with.sql"));
    bare.push(await ask("caller.sql"));
    say(`${milliseconds(asked[round]!, bare[round]!).toFixed(3)} ms`);
  }
  const took = median(asked.map((rate, round) => milliseconds(rate, bare[round]!)));
  return {
    name: "rights",
    unit: "calls/s",
    rows: [{
      title: `tenants_with, ${took.toFixed(3)} ms of ${wanted} ms`,
      results: [{ name: "asked", rates: asked }, { name: "the same without", rates: bare }],
      ratio: wanted / took,
      target: 1,
    }],
  };
}

const milliseconds = (asked: number, bare: number): number => 1_000 / asked - 1_000 / bare;
