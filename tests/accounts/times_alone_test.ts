import assert from "node:assert/strict";
import { createApp } from "../../functions/api/app.ts";
import { callApi } from "../support/api.ts";
import { admin, randomAddress } from "../support/clients.ts";
import { createTestServices } from "../support/services.ts";
import { getStack } from "../support/stack.ts";
import { newEmail, password, post } from "./support.ts";

/** People who can sign in, made without signing them in. */
async function createUsers(count: number): Promise<string[]> {
  const emails = Array.from({ length: count }, newEmail);
  await atOnce(
    4,
    emails.map((email) => async () => {
      const { error } = await admin().auth.admin.createUser({
        email,
        password,
        email_confirm: true,
      });
      assert.equal(error, null);
    }),
  );
  return emails;
}

async function time(call: () => Promise<Response>, status: number): Promise<number> {
  const started = performance.now();
  const response = await call();
  await response.body?.cancel();
  assert.equal(response.status, status);
  return performance.now() - started;
}

/** Runs the calls so many at a time, and gives what each returned. */
async function atOnce<T>(width: number, calls: (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  const waiting = calls.entries();
  await Promise.all(Array.from({ length: width }, async () => {
    for (const [index, call] of waiting) results[index] = await call();
  }));
  return results;
}

const quantile = (times: number[], share: number): number =>
  times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))]!;

/**
 * Asks about known addresses, unknown ones, and unknown ones once more, in turns, and holds the
 * medians of the first two together: within so many milliseconds. Where the machine is busy with
 * something else, within what two that are the same differ by, twice, or what even the quicker one
 * took beyond the time by which all answers are held back.
 */
async function assertAlike(
  { width, count, bound, held }: { width: number; count: number; bound: number; held: number },
  ask: (email: string) => Promise<number>,
): Promise<void> {
  const turns = Array.from({ length: count }, (_, index) => users[index % users.length]!)
    .flatMap((known) => [known, newEmail(), newEmail()]);
  const times = await atOnce(width, turns.map((email) => () => ask(email)));
  const median = (kind: number) => quantile(times.filter((_, turn) => turn % 3 === kind), 0.5);
  const [known, unknown, again] = [median(0), median(1), median(2)];
  const late = Math.min(known, unknown) - held;
  const allowed = Math.max(bound, late, 2 * Math.abs(unknown - again));
  assert.ok(Math.abs(known - unknown) < allowed, `${known}, ${unknown} and ${again} ms`);
}

// Five failures are what an account may have: a hundred tries at known ones.
const users = await createUsers(20);
const others = await createUsers(10);

Deno.test("A9: an unknown address takes as long as a wrong password, over two hundred tries", () =>
  assertAlike(
    { width: 6, count: 100, bound: 10, held: 400 },
    (email) => time(() => post("/login", { email, password: "Wrong-horse-7" }), 401),
  ));

Deno.test("A9: so do registering, resending and asking for a reset", async (t) => {
  const asked: [string, number, Record<string, unknown>][] = [
    ["/register", 750, { password, display_name: "Ana" }],
    ["/resend-verification", 150, {}],
    ["/password/forgot", 150, {}],
  ];
  for (const [path, held, rest] of asked) {
    // A handful of tries: what one of them waits for still shows in the median.
    await t.step(path, () =>
      assertAlike(
        { width: 3, count: 16, bound: 25, held },
        (email) => time(() => post(path, { email, ...rest }), 202),
      ));
  }
});

interface Clocked {
  /** A login, without what Auth took of it. */
  login(): Promise<number>;
  /** A call of the database that does next to nothing. */
  call(): Promise<number>;
}

/** The function api in front of the stack, with a clock at Auth's door. */
async function withClock(work: (clocked: Clocked) => Promise<void>): Promise<void> {
  const { url, publishableKey, secretKey } = getStack();
  let atAuth = 0;
  await using proxy = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      const started = performance.now();
      const response = await fetch(`${url}${pathname}${search}`, request);
      const { status, headers } = response;
      const body = await response.arrayBuffer();
      if (pathname === "/auth/v1/token") atAuth = performance.now() - started;
      return new Response(status === 204 ? null : body, { status, headers });
    },
  );
  const { services } = createTestServices({
    SUPABASE_URL: `http://127.0.0.1:${proxy.addr.port}`,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: secretKey }),
  });
  const app = createApp(services);
  let turn = 0;
  await work({
    async login() {
      const email = others[turn++ % others.length]!;
      const took = await time(() =>
        Promise.resolve(app.request("/api/v1/auth/login", {
          method: "POST",
          headers: { "content-type": "application/json", "x-forwarded-for": randomAddress() },
          body: JSON.stringify({ email, password }),
        })), 200);
      return took - atAuth;
    },
    async call() {
      const started = performance.now();
      await services.database.asService().rpc("limits_forget", { key: "nobody" });
      return performance.now() - started;
    },
  });
}

/**
 * Measures until a round is within the bound: what else runs on the machine only ever adds. Where it
 * is so much that every round is above, the same things done without us have to have taken as long.
 */
async function within(
  bound: number,
  ratio: number,
  measure: () => Promise<{ ours: number; bare: number }>,
): Promise<void> {
  const rounds: { ours: number; bare: number }[] = [];
  for (let round = 0; round < 3; round++) {
    const { ours, bare } = await measure();
    if (ours < bound) return;
    rounds.push({ ours, bare });
  }
  assert.ok(rounds.some(({ ours, bare }) => ours < ratio * bare), JSON.stringify(rounds));
}

Deno.test("a login adds less than 15 ms to Auth's own answer, at p95", () =>
  withClock(async ({ login, call }) => {
    for (let warm = 0; warm < 10; warm++) await login();
    // Two calls of the database, and what is around them.
    await within(15, 4, async () => {
      const [ours, bare]: [number[], number[]] = [[], []];
      for (let count = 0; count < 40; count++) {
        ours.push(await login());
        bare.push(await call());
      }
      return { ours: quantile(ours, 0.95), bare: quantile(bare, 0.95) };
    });
  }));

Deno.test("N2: four logins at a time take less than 300 ms each, at p95", async () => {
  const { url, publishableKey } = getStack();
  const p95 = async (login: (email: string) => Promise<Response>) => {
    const calls = Array.from(
      { length: 40 },
      (_, index) => () => time(() => login(others[index % others.length]!), 200),
    );
    return quantile(await atOnce(4, calls), 0.95);
  };
  await within(300, 1.5, async () => ({
    ours: await p95((email) => callApi("/v1/auth/login", { body: { email, password } })),
    bare: await p95((email) =>
      fetch(`${url}/auth/v1/token?grant_type=password`, {
        method: "POST",
        headers: {
          apikey: publishableKey,
          "content-type": "application/json",
          "x-forwarded-for": randomAddress(),
        },
        body: JSON.stringify({ email, password }),
      })
    ),
  }));
});
