import assert from "node:assert/strict";
import { join } from "../../local/paths.ts";
import { root } from "../../local/settings.ts";
import { signIn } from "../support/clients.ts";
import { getStack } from "../support/stack.ts";

const isLocal = new URL(getStack().url).hostname === "127.0.0.1";

async function run(script: "seed.ts" | "demo.ts", env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", join(root, "local", script)],
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
      const [ana, ben] = [await signIn("ana@timebank.test"), await signIn("ben@timebank.test")];
      const { data: [account] } = await ana.from("wallet_accounts").select().throwOnError();
      const { data: { user } } = await ben.auth.getUser();
      await ana.rpc("wallet_transfer", {
        tenant_id: account!.tenant_id,
        to_person: user!.id,
        amount: account!.available - 89,
        currency: "hours",
        idempotency_key: crypto.randomUUID(),
      }).throwOnError();
      const { code, stdout } = await run("demo.ts");
      assert.equal(code, 0);
      assert.match(stdout, /^Ben pays Ana 1 h 30 min/m);
      assert.match(stdout, /^Ana has -2 h 1 min\.$/m);
    });
  },
});
