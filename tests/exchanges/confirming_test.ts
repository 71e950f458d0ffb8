import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import fc from "fast-check";
import { assertRefused, must } from "../support/answers.ts";
import { withDatabase } from "../support/database.ts";
import { act, type Exchange } from "../support/exchanges.ts";
import { issue } from "../support/tenants.ts";
import { assertIntact, call, pay } from "../support/wallet.ts";
import { balance, createTimeBank, exchangeIn, parts, read, type World } from "./support.ts";

const minutes = fc.integer({ min: 15, max: 1440 });

Deno.test("a quarter of an hour apart is averaged, within a quarter of what was agreed", async () => {
  await withDatabase(async (sql) => {
    const final = async (agreed: number, given: number, received: number) =>
      (await sql`select private.exchanges_final(${agreed}, ${given}, ${received}) as final`)[0]!
        .final as number | null;
    assertEquals(await final(60, 60, 75), 67, "half a minute is left to who pays");
    assertEquals(await final(60, 60, 76), null);
    assertEquals(await final(60, 120, 120), 75);
    assertEquals(await final(60, 15, 15), 45);
    assertEquals(await final(61, 15, 15), 46, "bounds are whole minutes within");
    await fc.assert(
      fc.asyncProperty(
        minutes,
        minutes,
        fc.integer({ min: -20, max: 20 }),
        async (agreed, one, by) => {
          const other = Math.min(Math.max(one + by, 15), 1440);
          const found = await final(agreed, one, other);
          assertEquals(await final(agreed, other, one), found, "whoever says which");
          if (Math.abs(one - other) > 15) return assertEquals(found, null);
          const average = Math.floor((one + other) / 2);
          const bounds = [Math.ceil(agreed * 0.75), Math.floor(agreed * 1.25)] as const;
          assertEquals(found, Math.min(Math.max(average, bounds[0]), bounds[1]));
          ok(found! >= 15 && found! <= 1440);
        },
      ),
      { numRuns: 50 },
    );
  });
});

Deno.test("shares are whole minutes in proportion, and sum to what is shared", async () => {
  await withDatabase((sql) =>
    fc.assert(
      fc.asyncProperty(
        fc.array(minutes, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 0, max: 30_000 }),
        async (weights, total) => {
          const [row] = await sql<{ shares: number[] }[]>`
            select private.exchanges_apportion(${total}, ${weights}) as shares`;
          const sum = weights.reduce((all, one) => all + one, 0);
          assertEquals(row!.shares.reduce((all, one) => all + one, 0), total);
          row!.shares.forEach((share, at) => ok(Math.abs(share - total * weights[at]! / sum) < 1));
        },
      ),
      { numRuns: 50 },
    )
  );
});

Deno.test("through the doors: what two say becomes what is paid, or a dispute", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben, owner } = world;
  await issue(tenant, ana, 10_000);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 15, max: 300 }),
      fc.integer({ min: 15, max: 300 }),
      fc.integer({ min: -17, max: 17 }),
      async (agreed, given, by) => {
        const received = Math.max(given + by, 15);
        const before = await balance(ana);
        const { id: exchange_id } = await exchangeIn(world, "in_progress", { minutes: agreed });
        await must(act(tenant, ben, "confirm", { exchange_id, minutes: given }));
        const after = await must<Exchange>(
          act(tenant, ana, "confirm", { exchange_id, minutes: received }),
        );
        const apart = Math.abs(given - received) > 15;
        assertEquals(after.status, apart ? "disputed" : "completed");
        assertEquals(before - await balance(ana), after.final_minutes ?? 0);
        ok(apart || after.final_minutes! >= agreed * 0.75 && after.final_minutes! <= agreed * 1.25);
      },
    ),
    { numRuns: 10 },
  );
  await assertIntact(tenant, owner);
});

Deno.test("both confirm at once, several times over: it is paid once", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben, owner } = world;
  for (let round = 0; round < 4; round++) {
    const { id: exchange_id } = await exchangeIn(world, "in_progress");
    const all = await Promise.all(
      [ana, ben, ana, ben, ben, ana].map((me) =>
        must<Exchange>(act(tenant, me, "confirm", { exchange_id, minutes: 60 }))
      ),
    );
    const paid = all.filter(({ status }) => status === "completed");
    ok(paid.length >= 1);
    assertEquals(new Set(paid.map(({ transfer_id }) => transfer_id)).size, 1);
  }
  assertEquals([await balance(ana), await balance(ben)], [600 - 240, 240]);
  await assertIntact(tenant, owner);
});

Deno.test("who cannot pay keeps it from being said: the code is clear and nothing has changed", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben, owner } = world;
  const { id: exchange_id } = await exchangeIn(world, "pending_confirmation");
  await must(pay(tenant, ana, ben, 600));
  const confirm = (more = {}) => act(tenant, ana, "confirm", { exchange_id, minutes: 60, ...more });
  await assertRefused(confirm(), 409, "wallet.insufficient_funds");
  const unchanged = async () => {
    assertEquals((await read(ana, exchange_id)).status, "pending_confirmation");
    const [, receives] = await parts(ana, exchange_id);
    assertEquals([receives!.confirmed_minutes, receives!.final_minutes], [null, null]);
  };
  await unchanged();
  await issue(tenant, ana, 100);
  const frozen = async (on: boolean) => {
    const [account] = await must<{ id: string }[]>(ana.client.from("wallet_accounts").select("id"));
    await must(call(tenant, owner, "wallet_freeze", { account_id: account!.id, frozen: on }));
  };
  await frozen(true);
  await assertRefused(confirm(), 409, "wallet.account_frozen");
  await unchanged();
  await frozen(false);
  assertEquals((await must<Exchange>(confirm())).status, "completed");
});

Deno.test("minutes are 15 to 1440, whoever says them", async () => {
  const world: World = await createTimeBank();
  const { tenant, ana, ben } = world;
  const { id: exchange_id } = await exchangeIn(world, "in_progress");
  for (const wrong of [14, 1441, 0, -60, null]) {
    const refused = [422, "exchanges.invalid_minutes"] as const;
    await assertRefused(act(tenant, ana, "confirm", { exchange_id, minutes: wrong }), ...refused);
    await assertRefused(
      act(tenant, ana, "request", { person: ben.id, minutes: wrong }),
      ...refused,
    );
  }
});
