import postgres from "postgres";
import { type Keys, loadKeys } from "../../../local/keys.ts";
import type { Limits } from "../../../local/realtime/limits.ts";
import { createRealtime, type Realtime } from "../../../local/realtime/mod.ts";
import { signToken } from "../../../local/tokens.ts";
import { getStack } from "../../support/stack.ts";

/** The database of the stack under test, as one of its login roles. */
export function databaseUrl(role = "postgres"): string {
  const url = new URL(getStack().databaseUrl);
  url.username = role;
  return url.href;
}

export function connect(role = "postgres"): postgres.Sql & AsyncDisposable {
  const sql = postgres(databaseUrl(role), { max: 2, onnotice: () => {} });
  return Object.assign(sql, { [Symbol.asyncDispose]: () => sql.end() });
}

/** A Realtime of one test, with keys of its own: so the test can sign any token and lower any limit. */
export interface TestRealtime extends AsyncDisposable {
  readonly part: Realtime;
  keys: Keys;
  url: string;
  lines: string[];
  /** What its database connections call themselves, so that a test can end these only. */
  applicationName: string;
  token(claims?: Record<string, unknown>): Promise<string>;
  /** Stops the part and starts another in its place. */
  restart(): Promise<void>;
}

export async function startRealtime(limits: Partial<Limits> = {}): Promise<TestRealtime> {
  const home = await Deno.makeTempDir();
  const keys = await loadKeys(home, "http://127.0.0.1/auth/v1");
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const applicationName = `realtime-${crypto.randomUUID()}`;
  const url = (role: string) => `${databaseUrl(role)}?application_name=${applicationName}`;
  const start = () => createRealtime({ keys, database: { url }, log, limits });
  const running = { part: await start() };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => running.part.fetch(request, { address: "127.0.0.1" }),
  );
  return {
    get part() {
      return running.part;
    },
    keys,
    url: `http://127.0.0.1:${server.addr.port}`,
    lines,
    applicationName,
    token: (claims = {}) =>
      signToken(keys, { role: "authenticated", exp: inSeconds(3600), ...claims }),
    async restart() {
      await running.part.stop();
      running.part = await start();
    },
    async [Symbol.asyncDispose]() {
      await running.part.stop();
      await server.shutdown();
      await Deno.remove(home, { recursive: true });
    },
  };
}

export const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

/** A topic nobody else uses. */
export const newTopic = () => `rt-${crypto.randomUUID()}`;

/** What a claim opens: `{ reads: topic }` the topic's broadcasts, and so on. */
const policies = {
  reads: "for select to authenticated using (extension = 'broadcast' and $)",
  writes: "for insert to authenticated with check (extension = 'broadcast' and $)",
  sees: "for select to authenticated using (extension = 'presence' and $)",
  shows: "for insert to authenticated with check (extension = 'presence' and $)",
  // A case, so that nobody else's check gets to the right hand side.
  raises:
    "for select to authenticated using (case when $ then 1 / (length(topic) - length(topic)) = 1 end)",
  sleeps: "for select to authenticated using (case when $ then pg_sleep(30) is null end)",
};

/** Policies on `realtime.messages` that open the topics a token's claims name, until disposed of. */
export async function claimPolicies(
  ...claims: (keyof typeof policies)[]
): Promise<AsyncDisposable> {
  const sql = connect();
  const prefix = `rt_test_${crypto.randomUUID().slice(0, 8)}`;
  for (const claim of claims) {
    const policy = policies[claim].replace("$", `realtime.topic() = auth.jwt() ->> '${claim}'`);
    await sql.unsafe(`create policy ${prefix}_${claim} on realtime.messages ${policy}`);
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const claim of claims) {
        await sql.unsafe(`drop policy ${prefix}_${claim} on realtime.messages`);
      }
      await sql.end();
    },
  };
}

/** The database processes in which a policy of this Realtime sleeps. */
export async function busyBackends(sql: postgres.Sql, realtime: TestRealtime): Promise<number[]> {
  const rows = await sql<{ pid: number }[]>`
    select pid from pg_stat_activity
    where application_name = ${realtime.applicationName} and wait_event = 'PgSleep'`;
  return rows.map((row) => row.pid);
}
