import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, issue } from "../support/tenants.ts";
import {
  accountOf,
  assertIntact,
  call,
  type Hold,
  hold,
  pay,
  type Receipt,
  type Request,
  request,
} from "../support/wallet.ts";
import { createWorld, impersonate } from "./support.ts";

/** What the RPC is called with, so that in the person's own session it would move value. */
type Calls = Record<string, Record<string, unknown>>;

/** Acts of the wallet that move no value, whoever sits there: what they change can be changed back. */
const movesNothing = [
  "wallet_freeze",
  "wallet_limit_account",
  "wallet_limit_currency",
  "wallet_organisation_save",
  "wallet_reconcile",
  "wallet_request",
  "wallet_request_cancel",
  "wallet_request_decline",
];

async function createRich() {
  const world = await createWorld();
  const { tenant, manager, member } = world;
  const leaver = await createMember(tenant);
  await Promise.all([manager, member, leaver].map((person) => issue(tenant, person, 1000)));
  const [held, offered, asked, paid] = await Promise.all([
    must<Hold>(hold(tenant, manager, member, 10)),
    must<Hold>(hold(tenant, member, manager, 10)),
    must<Request>(request(tenant, member, manager, 10)),
    must<Receipt>(pay(tenant, member, manager, 10)),
  ]);
  const account = await accountOf(leaver);
  const target = { to_person: member.id, amount: 10, currency: "hours" };
  const key = () => ({ idempotency_key: crypto.randomUUID() });
  const calls: Calls = {
    wallet_transfer: { ...target, ...key() },
    wallet_issue: { ...target, ...key() },
    wallet_hold: { ...target, ...key() },
    wallet_capture: { hold_id: offered.id, ...key() },
    wallet_void: { hold_id: held.id },
    wallet_request_accept: { request_id: asked.id },
    wallet_reverse: { transfer_id: paid.id, reason: "By mistake", ...key() },
    wallet_settle: {
      legs: [
        { person: manager.id, amount: -10, currency: "hours" },
        { person: member.id, amount: 10, currency: "hours" },
      ],
      ...key(),
    },
    wallet_batch: {
      lines: [{ from: manager.id, to: member.id, amount: 10, currency: "hours" }],
      ...key(),
    },
    wallet_close: { account_id: account.id, ...key() },
    wallet_trust: { payee: member.id, currency: "hours", up_to: 100 },
  };
  return { world, calls };
}

const figures = (people: Person[]) =>
  Promise.all(people.map(async (person) => {
    const { balance, held } = await accountOf(person);
    return [balance, held];
  }));

Deno.test("an impersonation moves no value, by no RPC of the wallet, even where it may write", async (t) => {
  const { world, calls } = await createRich();
  const { tenant, owner, manager, member } = world;
  await t.step("no RPC is forgotten", async () => {
    const rpcs = await withDatabase((sql) =>
      sql<{ name: string }[]>`
        select proname as name from pg_proc p
        where p.pronamespace = 'public'::regnamespace and p.proname like 'wallet\\_%'
          and p.provolatile = 'v' and has_function_privilege('authenticated', p.oid, 'execute')
        order by 1`
    );
    assertEquals(rpcs.map(({ name }) => name), [...Object.keys(calls), ...movesNothing].sort());
  });
  const as = await impersonate(world, owner, manager, { writes: true });
  const before = await figures([manager, member]);
  for (const [name, args] of Object.entries(calls)) {
    await t.step(name, () => assertRefused(call(tenant, as, name, args), 403, "auth.impersonated"));
  }
  await t.step("nothing was moved, held or let go", async () => {
    assertEquals(await figures([manager, member]), before);
    await assertIntact(tenant, owner);
  });
  await t.step(
    "what was refused uses up no key, and moves in the person's own session",
    async () => {
      for (
        const name of ["wallet_transfer", "wallet_void", "wallet_request_accept", "wallet_batch"]
      ) {
        await must(call(tenant, manager, name, calls[name]!));
      }
    },
  );
});

Deno.test("what an impersonation may write can move value by nobody's trust either", async () => {
  const { world } = await createRich();
  const { tenant, owner, manager } = world;
  const payer = await createMember(tenant);
  await issue(tenant, payer, 100);
  await must(
    call(tenant, payer, "wallet_trust", { payee: manager.id, currency: "hours", up_to: 50 }),
  );
  const as = await impersonate(world, owner, manager, { writes: true });
  await assertRefused(request(tenant, as, payer, 20), 403, "auth.impersonated");
  assertEquals((await accountOf(payer)).balance, 100);
});
