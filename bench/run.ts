import { readSettings, root } from "../local/settings.ts";
import { migrate, startDatabase } from "../local/postgres/mod.ts";
import { say } from "../local/terminal.ts";
import { freeOffset } from "../tests/support/ports.ts";
import { run as jobs } from "./jobs/mod.ts";
import { run as messaging } from "./messaging/mod.ts";
import { type Report, toTable } from "./report.ts";
import { run as rights } from "./rights/mod.ts";
import { run as timebank } from "./timebank/mod.ts";
import { run as wallet } from "./wallet/mod.ts";

const benches: Record<string, (url: string, options: Options) => Promise<Report>> = {
  jobs,
  messaging,
  rights,
  timebank,
  wallet,
};

interface Options {
  rounds: number;
  seconds: number;
}

/**
 * `bench <name> [--rounds N] [--seconds N]`: measures on a database of its own (or
 * SUPABASE_DB_URL), prints a table and keeps the figures.
 */
async function main([name = "", ...args]: string[]): Promise<number> {
  const bench = benches[name];
  if (!bench) {
    say(`Which one? ${Object.keys(benches).join(", ")}`);
    return 1;
  }
  const option = (key: string, standard: number) =>
    Number(args[args.indexOf(`--${key}`) + 1] ?? standard) || standard;
  const options = { rounds: option("rounds", 3), seconds: option("seconds", 3) };
  const report = await withDatabase((url) => bench(url, options));
  say(toTable(report));
  const file = `bench/results/${name}.json`;
  const { arch, os } = Deno.build;
  const machine = { os, arch, cores: navigator.hardwareConcurrency, load: Deno.loadavg()[0] };
  const kept = { measured_at: new Date().toISOString(), machine, ...options, ...report };
  await Deno.writeTextFile(`${root}/${file}`, `${JSON.stringify(kept, null, 2)}\n`);
  say(`Kept in ${file}.`);
  return report.rows.every(({ ratio, target = 0 }) => ratio >= target) ? 0 : 2;
}

async function withDatabase<T>(work: (url: string) => Promise<T>): Promise<T> {
  const given = Deno.env.get("SUPABASE_DB_URL");
  if (given) return await work(given);
  const folder = await Deno.makeTempDir({ prefix: "nexus-bench-" });
  await Deno.chmod(folder, 0o755);
  try {
    const options = ["--port-offset", String(freeOffset())];
    const settings = readSettings(options, { NEXUS_HOME: `${folder}/home` });
    const database = await startDatabase(settings, () => {});
    try {
      await migrate(database, settings, () => {});
      return await work(database.url("postgres"));
    } finally {
      await database.stop();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.exit(await main(Deno.args));
