import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { createMember, createTenant, issue } from "../support/tenants.ts";
import { accountOf, assertIntact, call, settle } from "../support/wallet.ts";

interface Settlement {
  id: string;
  transfers: string[];
  replayed: boolean;
}

async function world() {
  const tenant = await createTenant({
    currencies: [
      { code: "hours", kind: "time", lowest_balance: 0 },
      { code: "points", kind: "points" },
    ],
  });
  const [owner, ana, ben, cleo] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant),
    createMember(tenant),
    createMember(tenant),
  ]);
  await Promise.all([issue(tenant, ana, 600), issue(tenant, ben, 100, "points")]);
  return { tenant, owner, ana, ben, cleo };
}

const leg = ({ id }: Person, amount: number, currency = "hours") => ({
  person: id,
  currency,
  amount,
});

const balances = (people: Person[], currency = "hours") =>
  Promise.all(people.map(async (person) => (await accountOf(person, currency)).balance));

Deno.test("one pays many, in one transfer, once a key", async () => {
  const { tenant, owner, ana, ben, cleo } = await world();
  const legs = [leg(ana, -90), leg(ben, 60), leg(cleo, 30)];
  const key = { idempotency_key: "once", memo: "Harvest", category: "garden" };
  const first = await must<Settlement>(settle(tenant, ana, legs, key));
  assertEquals([first.transfers, first.replayed], [[first.id], false]);
  assertEquals(await must<Settlement>(settle(tenant, ana, legs, key)), {
    ...first,
    replayed: true,
  });
  await assertRefused(
    settle(tenant, ana, [...legs].reverse(), key),
    422,
    "wallet.idempotency_mismatch",
  );
  assertEquals(await balances([ana, ben, cleo]), [510, 60, 30]);
  await assertIntact(tenant, owner);
});

Deno.test("many pay many in several currencies, for who may settle, all or nothing", async () => {
  const { tenant, owner, ana, ben, cleo } = await world();
  const legs = [
    leg(ana, -60),
    leg(ben, 40),
    leg(cleo, 20),
    leg(ben, -50, "points"),
    leg(ana, 30, "points"),
    leg(cleo, 20, "points"),
  ];
  await assertRefused(settle(tenant, ana, legs), 403, "members.permission_denied");
  const made = await must<Settlement>(settle(tenant, owner, legs));
  assertEquals([made.transfers.length, made.transfers.includes(made.id)], [2, true]);
  assertEquals(await balances([ana, ben, cleo]), [540, 40, 20]);
  assertEquals(await balances([ana, ben, cleo], "points"), [30, 50, 20]);
  const tooMuch = [...legs.slice(0, 3), leg(ben, -51, "points"), leg(ana, 51, "points")];
  await assertRefused(settle(tenant, owner, tooMuch), 409, "wallet.insufficient_funds");
  assertEquals(await balances([ana, ben, cleo]), [540, 40, 20]);
  await assertIntact(tenant, owner);
});

Deno.test("settlements in every direction at once do not deadlock", async () => {
  const { tenant, owner, ana, ben, cleo } = await world();
  await Promise.all([issue(tenant, ben, 600), issue(tenant, cleo, 600)]);
  const people = [ana, ben, cleo];
  const answers = await Promise.all(Array.from({ length: 60 }, (_, turn) => {
    const [one, two, three] = [0, 1, 2].map((step) => people[(turn + step) % 3]!);
    return settle(tenant, owner, [leg(one!, -2), leg(two!, 1), leg(three!, 1)]);
  }));
  assertEquals(answers.flatMap(({ error }) => error ? [error.message] : []), []);
  assertEquals(await balances(people), [600, 600, 600]);
  await assertIntact(tenant, owner);
});

Deno.test("settlements that cannot be are refused with their code", async (t) => {
  const { tenant, ana, ben } = await world();
  const outsider = await createMember(await createTenant());
  const cases: [string, unknown, number, string][] = [
    ["legs that do not sum to zero", [leg(ana, -60), leg(ben, 59)], 422, "wallet.unbalanced"],
    [
      "a sum across currencies",
      [leg(ana, -60), leg(ben, 60, "points")],
      422,
      "wallet.unbalanced",
    ],
    ["legs that undo each other", [leg(ana, -60), leg(ana, 60)], 422, "wallet.unbalanced"],
    ["a leg of nothing", [leg(ana, 0), leg(ben, 0)], 422, "wallet.invalid_amount"],
    ["a leg too large", [leg(ana, -(2 ** 53)), leg(ben, 2 ** 53)], 422, "wallet.invalid_amount"],
    ["one leg", [leg(ana, -60)], 422, "request.invalid"],
    ["no legs", { x: 1 }, 422, "request.invalid"],
    ["a leg that is none", [{ person: "x" }, leg(ben, 1)], 422, "request.invalid"],
    [
      "an unknown currency",
      [leg(ana, -1, "gold"), leg(ben, 1, "gold")],
      422,
      "wallet.currency_unknown",
    ],
    [
      "no currency",
      [{ person: ana.id, amount: -1 }, { person: ben.id, amount: 1 }],
      422,
      "wallet.currency_unknown",
    ],
    [
      "a person and an account",
      [leg(ana, -1), { ...leg(ben, 1), account: crypto.randomUUID() }],
      422,
      "request.invalid",
    ],
    ["another tenant's", [leg(ana, -1), leg(outsider, 1)], 404, "wallet.recipient_not_found"],
    ["another's account", [leg(ben, -1), leg(ana, 1)], 403, "members.permission_denied"],
  ];
  for (const [name, legs, status, code] of cases) {
    await t.step(name, () => assertRefused(settle(tenant, ana, legs), status, code));
  }
});

Deno.test("a batch moves all lines or none, and a dry run tells every faulty one", async () => {
  const { tenant, owner, ana, ben } = await world();
  const line = (from: string, to: string, amount: unknown, currency = "hours") => ({
    from,
    to,
    amount,
    currency,
  });
  const good = [line(ana.email, ben.email.toUpperCase(), 100), line(ben.id, ana.id, 40)];
  const bad = [
    ...good,
    line(ana.id, ben.id, "12.5"),
    line("nobody@nexus.test", ben.id, 1),
    line(ana.id, "nobody", 1),
    line(ana.id, ben.id, 541),
    line(ana.id, ben.id, 1, "gold"),
    line(ana.id, ana.id, 1),
    { from: ana.id, to: ben.id, amount: 1 },
  ];
  const batch = (lines: unknown, args: Record<string, unknown> = {}) =>
    call(tenant, owner, "wallet_batch", { lines, idempotency_key: crypto.randomUUID(), ...args });
  const report = await must<{ id: null; faults: { line: number; code: string }[] }>(
    batch(bad, { dry_run: true }),
  );
  const faults = [
    [3, "wallet.invalid_amount"],
    [4, "wallet.not_found"],
    [5, "wallet.recipient_not_found"],
    [6, "wallet.insufficient_funds"],
    [7, "wallet.currency_unknown"],
    [8, "wallet.self_transfer"],
    [9, "wallet.currency_unknown"],
  ];
  assertEquals([report.id, report.faults.map(({ line, code }) => [line, code])], [null, faults]);
  assertEquals(await balances([ana, ben]), [600, 0]);
  const refused = await batch(bad);
  assertEquals([refused.status, refused.error?.message], [422, "wallet.batch_refused"]);
  assertEquals(JSON.parse(refused.error!.details).length, 7);
  assertEquals(await balances([ana, ben]), [600, 0]);
  const key = { idempotency_key: "once" };
  const done = await must<{ id: string; replayed: boolean }>(batch(good, key));
  assertEquals(await must(batch(good, key)), { ...done, replayed: true });
  await assertRefused(batch(bad, key), 422, "wallet.idempotency_mismatch");
  assertEquals(await balances([ana, ben]), [540, 60]);
  await assertRefused(batch([]), 422, "request.invalid");
  await assertRefused(batch(Array(1_001).fill(good[0])), 422, "request.invalid");
  await assertRefused(
    call(tenant, ana, "wallet_batch", { lines: good, idempotency_key: "x" }),
    403,
    "members.permission_denied",
  );
  await assertIntact(tenant, owner);
});

Deno.test("a batch of a thousand lines is done in one call", async () => {
  const { tenant, owner } = await world();
  const people = await Promise.all(Array.from({ length: 20 }, () => createMember(tenant)));
  await Promise.all(people.map((person) => issue(tenant, person, 50)));
  const lines = Array.from({ length: 1_000 }, (_, turn) => ({
    from: people[turn % 20]!.id,
    to: people[(turn + 1) % 20]!.id,
    amount: 1,
    currency: "hours",
  }));
  await must(call(tenant, owner, "wallet_batch", { lines, idempotency_key: "thousand" }));
  assertEquals(await balances(people), Array(20).fill(50));
  await assertIntact(tenant, owner);
});
