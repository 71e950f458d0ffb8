import type { Sql } from "postgres";
import type { Options } from "../pgbench.ts";

interface Question {
  title: string;
  /** Milliseconds that the slowest twentieth may take. */
  within: number;
  /** Looked up before the clock starts. */
  given?(sql: Sql, n: number): Promise<unknown>;
  ask(sql: Sql, n: number, given: unknown): Promise<unknown>;
}

const common = ["garden", "bicycle piano", "lesson", "repair dog"];
const rare = ["compass", "rope knot", "theatre costume", "gardn", "bicicle", "sailing"];

const pick = <T>(from: T[], n: number): T => from[n % from.length]!;

/** What members ask all day. Each asks as one of a hundred who are signed in. */
export const questions: Question[] = [
  {
    title: "search of common words",
    within: 100,
    ask: (sql, n) =>
      sql`select * from listings_search(bench.tenant_id(), query => ${pick(common, n)})`,
  },
  {
    title: "search of rare and mistyped words",
    within: 100,
    ask: (sql, n) =>
      sql`select * from listings_search(bench.tenant_id(), query => ${
        pick(rare, n)
      }, sort => 'best')`,
  },
  {
    title: "search around a place",
    within: 100,
    ask: (sql, n) =>
      sql`select * from listings_search(bench.tenant_id(), query => ${
        pick([...common, ...rare], n)
      },
        latitude => ${51 + (n % 20) / 10}, longitude => ${
        (n % 30) / 10 - 1
      }, radius_km => 10, sort => 'nearest')`,
  },
  {
    title: "first page of the feed",
    within: 30,
    ask: (sql) => sql`select * from feed_page(bench.tenant_id())`,
  },
  {
    title: "page of the feed at any depth",
    within: 30,
    given: async (sql, n) => {
      const [post] = await sql<{ id: string }[]>`
        select id from feed_posts tablesample system (1) repeatable (${n}) order by md5(id::text) limit 1`;
      return post?.id ?? null;
    },
    ask: (sql, _, post) =>
      sql`select * from feed_page(bench.tenant_id(), before => ${post as string})`,
  },
  {
    title: "leaderboard",
    within: 30,
    ask: (sql) => sql`select * from gamification_leaderboard(bench.tenant_id())`,
  },
  {
    title: "ranks near oneself",
    within: 30,
    ask: (sql) => sql`select * from gamification_near(bench.tenant_id())`,
  },
];

const calls = 100;

/** Milliseconds under which nineteen of twenty calls stay, round by round. */
export async function slowestTwentieth(
  sql: Sql,
  question: Question,
  { rounds }: Options,
): Promise<number[]> {
  const took: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const times: number[] = [];
    for (let n = 0; n < calls; n++) times.push(await timed(sql, question, round * calls + n));
    took.push(times.toSorted((a, b) => a - b)[Math.floor(calls * 0.95)]!);
  }
  return took;
}

async function timed(sql: Sql, question: Question, n: number): Promise<number> {
  const given = await question.given?.(sql, n);
  return await sql.begin(async (tx) => {
    await tx`
      select set_config('role', 'authenticated', true), set_config('request.jwt.claims', json_build_object(
        'sub', bench.person(${1 + n % 100}), 'session_id', bench.person(${
      1 + n % 100
    }), 'role', 'authenticated'
      )::text, true)`;
    const started = performance.now();
    await question.ask(tx as unknown as Sql, n, given);
    return performance.now() - started;
  });
}
