import { deepStrictEqual as assertEquals, ok, rejects } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { issue } from "../support/tenants.ts";
import { assertIntact, pay, type Receipt, reverse } from "../support/wallet.ts";
import { until } from "../support/wait.ts";
import { awards, booked, call, createGame, profile, settle } from "./support.ts";

Deno.test("a payment is worth points to both, once, however often the job runs", async () => {
  const { tenant, ana, ben } = await createGame();
  await issue(tenant, ana, 100);
  const { id } = await must<Receipt>(pay(tenant, ana, ben, 60));
  await booked(tenant);
  const again = { tenant_id: tenant.id, source: "wallet_transfers", key: id };
  const both = await Promise.all([1, 2].map(() => admin().rpc("gamification_award", again)));
  assertEquals(both.map(({ data }) => data), [0, 0]);
  assertEquals([(await profile(ana, tenant)).xp, (await profile(ben, tenant)).xp], [10, 5]);
  const [award, ...more] = await awards(ana);
  assertEquals(
    [award!.action, award!.source, award!.kind, award!.xp, more],
    ["send_credits", `wallet_transfers:${id}`, "award", 10, []],
  );
});

Deno.test("what is reversed takes its points back, in rows that name what they reverse", async () => {
  const { tenant, owner, ana, ben } = await createGame();
  await issue(tenant, ana, 100);
  const { id } = await must<Receipt>(pay(tenant, ana, ben, 60));
  await booked(tenant);
  await must(reverse(tenant, owner, id));
  await booked(tenant);
  const [first, second, ...more] = await awards(ana);
  assertEquals(
    [second!.kind, second!.xp, second!.reverses, more],
    ["taken_back", -10, first!.id, []],
  );
  assertEquals([(await profile(ana, tenant)).xp, (await profile(ben, tenant)).xp], [0, 0]);
  const scores = await must<{ score: number }[]>(ana.client.from("gamification_scores").select());
  assertEquals(scores.filter(({ score }) => score !== 0), []);
});

Deno.test("a job that comes after the reversal finds nothing to award", async () => {
  const { tenant, owner, ana, ben } = await createGame();
  await issue(tenant, ana, 100);
  await withDatabase((sql) => sql`update tenants set modules = '{wallet}' where id = ${tenant.id}`);
  const { id } = await must<Receipt>(pay(tenant, ana, ben, 60));
  await must(reverse(tenant, owner, id));
  await withDatabase((sql) =>
    sql`update tenants set modules = '{wallet,gamification}' where id = ${tenant.id}`
  );
  const job = { tenant_id: tenant.id, source: "wallet_transfers", key: id };
  assertEquals(await must(admin().rpc("gamification_award", job)), 0);
  assertEquals(await awards(ana), []);
});

Deno.test("what is there again gives its points back, and keeps each step", async () => {
  const { tenant, ana } = await createGame();
  const listing = [{ person: ana, action: "create_listing" }];
  await settle(tenant, "listings:1", listing);
  await settle(tenant, "listings:1", [], [ana]);
  await settle(tenant, "listings:1", [], [ana]);
  await settle(tenant, "listings:1", listing);
  assertEquals(
    (await awards(ana)).map(({ kind, xp }) => [kind, xp]),
    [["award", 15], ["taken_back", -15], ["given_back", 15]],
  );
  assertEquals((await profile(ana, tenant)).xp, 15);
});

Deno.test("beyond the cap of a day an action counts and is worth nothing", async () => {
  const { tenant, ana, ben } = await createGame();
  await issue(tenant, ana, 100);
  for (let i = 0; i < 7; i++) await must(pay(tenant, ana, ben, 1));
  await booked(tenant);
  assertEquals((await profile(ana, tenant)).xp, 50);
  assertEquals((await awards(ana)).filter(({ xp }) => xp === 0).length, 2);
  const [spent] = await must<{ score: number }[]>(
    ana.client.from("gamification_scores").select("score")
      .eq("measure", "credits_spent").eq("span", "week"),
  );
  assertEquals(spent!.score, 7);
});

Deno.test("a cap cuts hours, and a tenant says what an action is worth from then on", async () => {
  const { tenant, owner, ana } = await createGame();
  const hours = { person: ana, action: "volunteer_hour", units: 3, amount: 180 };
  await must(
    call(owner, tenant, "action_save", { action: "volunteer_hour", xp: 7, daily_cap: 4 }),
  );
  await settle(tenant, "volunteering_hours:1", [hours]);
  await settle(tenant, "volunteering_hours:2", [hours]);
  assertEquals((await awards(ana)).map(({ xp, units }) => [xp, units]), [[21, 3], [7, 1]]);
  await assertRefused(
    call(ana, tenant, "action_save", { action: "volunteer_hour", xp: 1000 }),
    403,
    "members.permission_denied",
  );
  for (const bad of [{ action: "fly", xp: 1 }, { action: "create_post", xp: 1001 }]) {
    await assertRefused(call(owner, tenant, "action_save", bad), 422, "request.invalid");
  }
});

Deno.test("with the module off nothing is awarded, and what was undone meanwhile is taken back after", async () => {
  const { tenant, owner, ana, ben } = await createGame();
  await issue(tenant, ana, 100);
  const first = await must<Receipt>(pay(tenant, ana, ben, 10));
  await booked(tenant);
  const modules = (modules: string[]) =>
    must(owner.client.from("tenants").update({ modules }).eq("id", tenant.id));
  await modules(["wallet"]);
  await must(pay(tenant, ana, ben, 10));
  await must(reverse(tenant, owner, first.id));
  await assertRefused(call(ana, tenant, "profile"), 404, "tenants.module_off");
  await modules(["wallet", "gamification"]);
  // The worker looks at what it had to leave lying when it is next called.
  await must(pay(tenant, ana, ben, 10));
  await until(
    async () => (await profile(ana, tenant)).xp === 10 && (await awards(ana)).length === 3,
    {
      timeout: 60_000,
    },
  );
});

Deno.test("awards are for good: nobody changes or deletes one", async () => {
  const { tenant, ana } = await createGame();
  await settle(tenant, "listings:1", [{ person: ana, action: "create_listing" }]);
  await withDatabase(async (sql) => {
    for (
      const act of ["update gamification_awards set xp = 1", "delete from gamification_awards"]
    ) {
      await rejects(
        () => sql.unsafe(`${act} where tenant_id = '${tenant.id}'`),
        /request\.append_only/,
      );
    }
  });
});

Deno.test("an answer makes a connection; talking to oneself does not", async () => {
  const { tenant, ana, ben } = await createGame();
  const { id: conversation_id } = await must<{ id: string }>(
    ana.client.rpc("messaging_open", { tenant_id: tenant.id, person: ben.id }),
  );
  const say = ({ client }: typeof ana) =>
    must(client.rpc("messaging_send", {
      tenant_id: tenant.id,
      conversation_id,
      client_id: crypto.randomUUID(),
      body: "Hello",
    }));
  await say(ana);
  await say(ana);
  await booked(tenant);
  assertEquals((await profile(ana, tenant)).xp, 0);
  await say(ben);
  await say(ana);
  await booked(tenant);
  assertEquals([(await profile(ana, tenant)).xp, (await profile(ben, tenant)).xp], [10, 10]);
});

Deno.test("points never become credit: nothing of gamification reaches the ledger, nor the reverse", async () => {
  const { tenant, owner, ana, ben } = await createGame();
  await issue(tenant, ana, 100);
  const ledger = () =>
    withDatabase((sql) =>
      sql`select id, amount from wallet_entries where tenant_id = ${tenant.id} order by id`
    );
  const before = [...await ledger()];
  for (let i = 0; i < 5; i++) {
    await settle(tenant, `exchanges:${i}`, [{ person: ben, action: "complete_transaction" }]);
  }
  await must(
    admin().rpc("gamification_run", {
      tenant_id: tenant.id,
      kind: "gamification.leaderboards",
    }),
  );
  assertEquals([...await ledger()], before);
  await assertIntact(tenant, owner);
  await withDatabase(async (sql) => {
    const functions = await sql<{ name: string; source: string }[]>`
      select proname as name, prosrc as source from pg_proc
      where pronamespace in ('public'::regnamespace, 'private'::regnamespace)`;
    const game = functions.filter(({ name }) => name.includes("gamification"));
    ok(game.length > 30, `${game.length}`);
    const acts =
      /private\.wallet_|public\.wallet_\w+\s*\(|(insert into|update|delete from) +public\.wallet/;
    assertEquals(game.filter(({ source }) => acts.test(source)), []);
    const wallet = functions.filter(({ name }) => name.startsWith("wallet_"));
    assertEquals(wallet.filter(({ source }) => source.includes("gamification")), []);
  });
});
