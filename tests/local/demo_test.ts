import assert from "node:assert/strict";
import { join } from "../../local/paths.ts";
import { root } from "../../local/settings.ts";
import { signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { getStack } from "../support/stack.ts";
import { until } from "../support/wait.ts";

const isLocal = new URL(getStack().url).hostname === "127.0.0.1";

async function run(script: "seed.ts" | "demo.ts", env: Record<string, string> = {}, play = "") {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", join(root, "local", script), ...play ? [play] : []],
    env,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

const balances = (output: string) =>
  [...output.matchAll(/^(?:Ana|Ben) has (\d+) h (\d+) min\.$/gm)]
    .map(([, hours, minutes]) => Number(hours) * 60 + Number(minutes));

Deno.test("demo people are made on this machine only, unless somebody insists", async () => {
  const { code, stderr } = await run("seed.ts", { SUPABASE_URL: "https://project.example" });
  assert.equal(code, 1);
  assert.match(stderr, /^https:\/\/project\.example is not on this machine\..*--yes/);
});

Deno.test({
  name: "the demo: a payment, its replay, two refusals, and both see it live",
  ignore: !isLocal,
  async fn(t) {
    assert.equal((await run("seed.ts")).code, 0);
    let before: number[] = [];

    await t.step("Ana pays Ben", async () => {
      const { code, stdout, stderr } = await run("demo.ts");
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^Ana pays Ben 1 h 30 min and has 8 h 30 min left\.$/m);
      assert.match(stdout, /^The same key again: the stored answer/m);
      assert.match(stdout, /more than is available: refused \(wallet\.insufficient_funds\)/);
      assert.match(stdout, /in the café.*: refused \(tenants\.not_found\)/);
      assert.match(stdout, /^Ana saw it live: -90 min, balance 8 h 30 min/m);
      assert.match(stdout, /^Ben saw it live: \+90 min, balance 11 h 30 min/m);
      before = balances(stdout);
      assert.deepEqual(before, [510, 690]);
    });

    await t.step("seeding again gives nobody anything twice", async () => {
      assert.equal((await run("seed.ts")).code, 0);
      const ana = await signIn("ana@timebank.test");
      const { data } = await ana.from("wallet_accounts").select("balance");
      assert.deepEqual(data, [{ balance: before[0] }]);
    });

    await t.step("Ben pays when Ana has not enough", async () => {
      await pay("ana", "ben", (available) => available - 89);
      const { code, stdout } = await run("demo.ts");
      assert.equal(code, 0);
      assert.match(stdout, /^Ben pays Ana 1 h 30 min/m);
      assert.match(stdout, /^Ana has -2 h 1 min\.$/m);
    });
  },
});

/** One demo person of the time bank pays another: `amount` may depend on the payer's account. */
async function pay(from: string, to: string, amount: (available: number) => number) {
  const [payer, payee] = [
    await signIn(`${from}@timebank.test`),
    await signIn(`${to}@timebank.test`),
  ];
  const { data: [account] } = await payer.from("wallet_accounts").select().throwOnError();
  const { data: { user } } = await payee.auth.getUser();
  await payer.rpc("wallet_transfer", {
    tenant_id: account!.tenant_id,
    to_person: user!.id,
    amount: amount(account!.available),
    currency: "hours",
    idempotency_key: crypto.randomUUID(),
  }).throwOnError();
}

/** Makes the digest come that somebody is waiting for at another hour than the usual one. */
async function bringEvening(): Promise<void> {
  await withDatabase(async (sql) => {
    await until(
      async () => {
        const due = await sql`
          update private.notifications_deliveries d set due_at = now()
          from private.notifications_hours h
          where h.person_id = d.person_id and d.status = 'digest'
            and d.kind = 'exchanges.completed' and h.digest_at <> '08:00'`;
        return due.count;
      },
      { timeout: 60_000, every: 100 },
    );
    await sql`select private.notifications_compose_due()`;
  });
}

Deno.test({
  name: "the demo of the time bank: a day from the listing to the digest, and another one",
  ignore: !isLocal,
  async fn() {
    assert.equal((await run("seed.ts")).code, 0);
    await pay("ben", "ana", () => 300);
    for (const offered of [/^Ben offers "Bicycle repairs"\.$/m, /^Ben offers .*as before\.$/m]) {
      const [{ code, stdout, stderr }] = await Promise.all([
        run("demo.ts", {}, "timebank"),
        bringEvening(),
      ]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, offered);
      assert.match(stdout, /finds "Bicycle repairs"\.$/m);
      assert.match(stdout, /the average is paid, 1 h 35 min\.$/m);
      assert.match(stdout, /saw it live: \+95 min/);
      assert.match(stdout, /wins the badge ".+", live\.$/m);
      assert.match(stdout, /the average is 5 now\.$/m);
      assert.match(stdout, /Your exchange is done: 1:35 h$/m);
    }
    const unknown = await run("demo.ts", {}, "theatre");
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /^No such demo: theatre\. There are wallet, timebank\.$/m);
  },
});
