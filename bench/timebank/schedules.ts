import type { Sql } from "postgres";
import { say } from "../../local/terminal.ts";
import type { Row } from "../report.ts";

/** The seed's thirteen, and how often they come, in minutes. */
const intervals: Record<string, number> = {
  "newsletters-queue": 5,
  "newsletters-recurring": 15,
  "groups-digests": 7 * 24 * 60,
  "gamification-daily-xp": 24 * 60,
  "gamification-badges": 60,
  "gamification-challenges": 24 * 60,
  "gamification-leaderboards": 24 * 60,
  "abuse-detect": 60,
  "wallet-balance-alerts": 24 * 60,
  "accounts-forget-tokens": 24 * 60,
  "notifications-digests": 24 * 60,
  "feed-trending": 60,
  "federation-sync": 30,
};

/** What the worker does for a tenant when these fall due. */
const work: Record<string, (sql: Sql) => Promise<void>> = {
  "gamification-badges": (sql) => partByPart(sql, "gamification.badges"),
  "gamification-daily-xp": (sql) => partByPart(sql, "gamification.daily_xp"),
  "gamification-leaderboards": (sql) => partByPart(sql, "gamification.leaderboards"),
  "groups-digests": async (sql) => {
    let after: string | null = null;
    do {
      const rows: { after: string | null }[] = await sql`
        select groups_send_digests(bench.tenant_id(), now(), ${after}) as after`;
      after = rows[0]?.after ?? null;
    } while (after !== null);
  },
};

async function partByPart(sql: Sql, kind: string): Promise<void> {
  let more: boolean;
  do {
    const [row] = await sql<{ more: boolean }[]>`
      select gamification_run(bench.tenant_id(), ${kind}) as more`;
    more = row?.more ?? false;
  } while (more);
}

/** Each schedule run once, with what the worker does for it, beside a tenth of its interval. */
export async function scheduleRows(sql: Sql): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, minutes] of Object.entries(intervals)) {
    const started = performance.now();
    const [run] = await sql<{ outcome: string; error: string | null }[]>`
      select outcome, error from jobs_run(${name})`;
    await work[name]?.(sql);
    const seconds = (performance.now() - started) / 1_000;
    say(`${name}: ${run?.outcome} ${run?.error ?? ""} in ${seconds.toFixed(2)} s`);
    const within = run?.outcome === "done" ? (minutes * 60) / 10 : 0;
    rows.push({
      title: `${name}, within ${minutes * 6} s`,
      results: [{ name: "runs", rates: [1 / seconds] }],
      ratio: within / seconds,
      target: 1,
    });
  }
  return rows;
}
