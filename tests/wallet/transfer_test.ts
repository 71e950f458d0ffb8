import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { admin } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, issue, setStatus, type Tenant } from "../support/tenants.ts";
import { noticesOf } from "../support/wallet.ts";

interface Receipt {
  id: string;
  amount: number;
  currency: string;
  from_account: string;
  to_account: string;
  created_at: string;
  balance_after: number;
  replayed: boolean;
}

interface Line {
  id: string;
  transfer_id: string;
  amount: number;
  balance_after: number;
  counterpart: string | null;
  category: string | null;
  memo: string | null;
  cursor: string;
}

const pay = (tenant: Tenant, from: Person, to: string, request: Record<string, unknown> = {}) =>
  from.client.rpc("wallet_transfer", {
    tenant_id: tenant.id,
    to_person: to,
    amount: 90,
    currency: "hours",
    idempotency_key: crypto.randomUUID(),
    ...request,
  });

const statement = (tenant: Tenant, { client }: Person, args: Record<string, unknown> = {}) =>
  client.rpc("wallet_statement", { tenant_id: tenant.id, currency: "hours", ...args });

async function balance({ client }: Person, currency = "hours"): Promise<number> {
  const [account] = await must<{ balance: number }[]>(
    client.from("wallet_accounts").select("balance").eq("currency", currency),
  );
  return account!.balance;
}

async function timeBank(): Promise<{ tenant: Tenant; ana: Person; ben: Person; owner: Person }> {
  const tenant = await createTenant();
  const [owner, ana, ben] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant),
    createMember(tenant),
  ]);
  await issue(tenant, ana, 600);
  return { tenant, ana, ben, owner };
}

Deno.test("a transfer moves the amount, and both statements show their side of it", async () => {
  const { tenant, ana, ben } = await timeBank();
  const receipt = await must<Receipt>(
    pay(tenant, ana, ben.id, { memo: "Bicycle", category: "repairs" }),
  );
  assertEquals(
    [receipt.amount, receipt.currency, receipt.balance_after, receipt.replayed],
    [90, "hours", 510, false],
  );
  assertEquals([await balance(ana), await balance(ben)], [510, 90]);
  const [line] = await must<Line[]>(statement(tenant, ben));
  assertEquals(
    [line!.transfer_id, line!.amount, line!.balance_after, line!.counterpart],
    [receipt.id, 90, 90, ana.id],
  );
  assertEquals([line!.memo, line!.category], ["Bicycle", "repairs"]);
  const mine = await must<Line[]>(statement(tenant, ana));
  assertEquals(
    mine.map(({ amount, balance_after, counterpart }) => [amount, balance_after, counterpart]),
    [
      [-90, 510, ben.id],
      [600, 600, null],
    ],
  );
});

Deno.test("the same key and body is answered again and moves nothing", async () => {
  const { tenant, ana, ben } = await timeBank();
  const idempotency_key = "k".repeat(255);
  const first = await must<Receipt>(pay(tenant, ana, ben.id, { idempotency_key }));
  await must(pay(tenant, ana, ben.id, { amount: 1 }));
  const again = await must<Receipt>(pay(tenant, ana, ben.id, { idempotency_key }));
  assertEquals(again, { ...first, replayed: true });
  assertEquals(await balance(ana), 509);
});

Deno.test("a stored answer outlives the recipient's membership", async () => {
  const { tenant, ana, ben, owner } = await timeBank();
  const idempotency_key = crypto.randomUUID();
  const first = await must<Receipt>(pay(tenant, ana, ben.id, { idempotency_key }));
  await setStatus(owner.client, tenant, ben, "suspended");
  const again = await must<Receipt>(pay(tenant, ana, ben.id, { idempotency_key }));
  assertEquals(again, { ...first, replayed: true });
  await assertRefused(pay(tenant, ana, ben.id), 404, "wallet.recipient_not_found");
});

Deno.test("the same key with another body is refused, whatever differs", async () => {
  const { tenant, ana, ben, owner } = await timeBank();
  const idempotency_key = crypto.randomUUID();
  await must(pay(tenant, ana, ben.id, { idempotency_key }));
  const others = [{ amount: 91 }, { to_person: owner.id }, { memo: "x" }, { category: "x" }, {
    currency: "eur",
  }];
  for (const other of others) {
    await assertRefused(
      pay(tenant, ana, ben.id, { idempotency_key, ...other }),
      422,
      "wallet.idempotency_mismatch",
    );
  }
  assertEquals(await balance(ana), 510);
});

Deno.test("a key belongs to its person and its tenant", async () => {
  const { tenant, ana, ben } = await timeBank();
  const second = await timeBank();
  const idempotency_key = crypto.randomUUID();
  await must(pay(tenant, ana, ben.id, { idempotency_key }));
  assertEquals(
    (await must<Receipt>(pay(tenant, ben, ana.id, { idempotency_key }))).replayed,
    false,
  );
  assertEquals(
    (await must<Receipt>(pay(second.tenant, second.ana, second.ben.id, { idempotency_key })))
      .replayed,
    false,
  );
});

Deno.test("a refused transfer changes nothing and its key may be used again", async () => {
  const { tenant, ana, ben } = await timeBank();
  const idempotency_key = crypto.randomUUID();
  await assertRefused(
    pay(tenant, ana, ben.id, { amount: 601, idempotency_key }),
    409,
    "wallet.insufficient_funds",
  );
  assertEquals([await balance(ana), await balance(ben)], [600, 0]);
  assertEquals((await must<Line[]>(statement(tenant, ben))).length, 0);
  await must(pay(tenant, ana, ben.id, { amount: 600, idempotency_key }));
  assertEquals([await balance(ana), await balance(ben)], [0, 600]);
});

Deno.test("bad requests are refused with their code", async (t) => {
  const { tenant, ana, ben, owner } = await timeBank();
  const outsider = await createMember(await createTenant());
  const cases: [string, Record<string, unknown>, number, string][] = [
    ["no key", { idempotency_key: null }, 422, "wallet.key_required"],
    ["an empty key", { idempotency_key: "" }, 422, "wallet.key_required"],
    ["a key too long", { idempotency_key: "k".repeat(256) }, 422, "wallet.key_required"],
    ["nothing", { amount: 0 }, 422, "wallet.invalid_amount"],
    ["a negative amount", { amount: -1 }, 422, "wallet.invalid_amount"],
    ["no amount", { amount: null }, 422, "wallet.invalid_amount"],
    ["an amount beyond 2^53-1", { amount: "9007199254740992" }, 422, "wallet.invalid_amount"],
    ["an unknown currency", { currency: "gold" }, 422, "wallet.currency_unknown"],
    ["no currency", { currency: null }, 422, "wallet.currency_unknown"],
    ["a person and an account", { to_account: crypto.randomUUID() }, 422, "request.invalid"],
    ["oneself", { to_person: ana.id }, 422, "wallet.self_transfer"],
    ["nobody", { to_person: crypto.randomUUID() }, 404, "wallet.recipient_not_found"],
    ["somebody of another tenant", { to_person: outsider.id }, 404, "wallet.recipient_not_found"],
    ["a foreign tenant", { tenant_id: crypto.randomUUID() }, 404, "tenants.not_found"],
    ["a memo too long", { memo: "x".repeat(501) }, 422, "request.invalid"],
    ["a category too long", { category: "x".repeat(61) }, 422, "request.invalid"],
  ];
  for (const [name, request, status, code] of cases) {
    await t.step(name, () => assertRefused(pay(tenant, ana, ben.id, request), status, code));
  }
  await t.step("a fraction of the smallest unit", async () => {
    assertEquals((await pay(tenant, ana, ben.id, { amount: 1.5 })).error?.code, "22P02");
  });
  await t.step(
    "an outsider",
    () => assertRefused(pay(tenant, outsider, ben.id), 404, "tenants.not_found"),
  );
  await t.step("a guest", async () => {
    await must(owner.client.rpc("members_set_role", {
      tenant_id: tenant.id,
      person: ben.id,
      role: "guest",
    }));
    await assertRefused(pay(tenant, ben, ana.id), 403, "members.permission_denied");
  });
  assertEquals(await balance(ana), 600);
});

Deno.test("an account may go as far below zero as its currency lets it", async () => {
  const tenant = await createTenant({
    currencies: [{ code: "hours", kind: "time", lowest_balance: -120 }],
  });
  const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]);
  const [account] = await must<{ available: number }[]>(
    ana.client.from("wallet_accounts").select("available"),
  );
  assertEquals(account!.available, 120);
  await assertRefused(pay(tenant, ana, ben.id, { amount: 121 }), 409, "wallet.insufficient_funds");
  await must(pay(tenant, ana, ben.id, { amount: 120 }));
  assertEquals(await balance(ana), -120);
});

Deno.test("wallet_issue is for owners, admins and the secret key", async () => {
  const { tenant, ana, ben, owner } = await timeBank();
  const grant = (client = owner.client, request: Record<string, unknown> = {}) =>
    client.rpc("wallet_issue", {
      tenant_id: tenant.id,
      to_person: ben.id,
      amount: 30,
      currency: "hours",
      idempotency_key: "grant",
      ...request,
    });
  assertEquals((await must<Receipt>(grant())).replayed, false);
  assertEquals((await must<Receipt>(grant())).replayed, true);
  assertEquals((await must<Receipt>(grant(admin()))).replayed, false);
  assertEquals(await balance(ben), 60);
  await assertRefused(grant(ana.client), 403, "members.permission_denied");
  await assertRefused(grant(admin(), { currency: "gold" }), 422, "wallet.idempotency_mismatch");
  await assertRefused(
    grant(admin(), { currency: "gold", idempotency_key: "g" }),
    422,
    "wallet.currency_unknown",
  );
  await assertRefused(
    grant(admin(), { to_person: crypto.randomUUID(), idempotency_key: "n" }),
    404,
    "wallet.recipient_not_found",
  );
});

Deno.test("a statement is read in pages, without gaps or doubles", async (t) => {
  const { tenant, ana, ben } = await timeBank();
  for (let amount = 1; amount <= 7; amount++) await must(pay(tenant, ana, ben.id, { amount }));
  const seen: number[] = [];
  let cursor: string | null = null;
  do {
    const page: Line[] = await must<Line[]>(statement(tenant, ben, { cursor, page_size: 3 }));
    seen.push(...page.map(({ amount }) => amount));
    cursor = page.at(-1)?.cursor ?? null;
    // A new transfer in between must not shift what is still to come.
    if (seen.length === 3) await must(pay(tenant, ana, ben.id, { amount: 100 }));
  } while (cursor);
  assertEquals(seen, [7, 6, 5, 4, 3, 2, 1]);
  for (const args of [{ page_size: 0 }, { page_size: 101 }, { page_size: null }, { cursor: "x" }]) {
    await t.step(
      `refused: ${JSON.stringify(args)}`,
      () => assertRefused(statement(tenant, ben, args), 422, "request.invalid"),
    );
  }
  await t.step(
    "an unknown currency",
    () =>
      assertRefused(statement(tenant, ben, { currency: "gold" }), 422, "wallet.currency_unknown"),
  );
  await t.step("a foreign tenant", () =>
    assertRefused(
      statement(tenant, ben, { tenant_id: crypto.randomUUID() }),
      404,
      "tenants.not_found",
    ));
});

Deno.test("transfers and entries cannot be changed or removed by anybody", async () => {
  const { tenant, ana, ben } = await timeBank();
  const { id } = await must<Receipt>(pay(tenant, ana, ben.id));
  for (const table of ["wallet_transfers", "wallet_entries"]) {
    const key = table === "wallet_transfers" ? "id" : "transfer_id";
    for (const client of [ana.client, admin()]) {
      const update = await client.from(table).update({ amount: 1 }).eq(key, id);
      assertEquals(update.error?.code, "42501", `update ${table}`);
      const removal = await client.from(table).delete().eq(key, id);
      assertEquals(removal.error?.code, "42501", `delete ${table}`);
    }
  }
  await withDatabase(async (sql) => {
    const attempts = ["wallet_transfers", "wallet_entries", "wallet_keys"].flatMap((table) => [
      `update ${table} set tenant_id = tenant_id where tenant_id = '${tenant.id}'`,
      `delete from ${table} where tenant_id = '${tenant.id}'`,
      `truncate ${table} cascade`,
    ]);
    for (const attempt of attempts) {
      const refusal = await sql.unsafe(attempt).then(() => "done", (error) => error.message);
      assertEquals(refusal, "request.append_only", attempt);
    }
  });
});

Deno.test("clients cannot write balances, keys or currencies", async () => {
  const { tenant, ana, owner } = await timeBank();
  const writes: [string, Record<string, unknown>][] = [
    ["wallet_ledger_accounts", { balance: 1_000_000 }],
    ["wallet_accounts", { balance: 1_000_000 }],
    ["wallet_keys", { key: "x" }],
    ["wallet_currencies", { lowest_balance: -1_000_000 }],
    ["wallet_memos", { memo: "x" }],
  ];
  for (const [table, change] of writes) {
    for (const { client } of [ana, owner]) {
      const { error } = await client.from(table).update(change).eq("tenant_id", tenant.id);
      assertEquals(error?.code, "42501", table);
    }
  }
  assertEquals(await balance(ana), 600);
});

Deno.test("a transfer is audited and told in its own transaction, a refused one is not", async () => {
  const { tenant, ana, ben } = await timeBank();
  const { id } = await must<Receipt>(pay(tenant, ana, ben.id));
  await assertRefused(
    pay(tenant, ana, ben.id, { amount: 9_999 }),
    409,
    "wallet.insufficient_funds",
  );
  await withDatabase(async (sql) => {
    const trail = await sql`
      select resource, actor from private.audit_log
      where tenant_id = ${tenant.id} and action = 'WALLET_TRANSFER' and actor is not null`;
    assertEquals([...trail], [{ resource: `wallet_transfers:${id}`, actor: ana.id }]);
    await noticesOf(tenant, "wallet.received");
    const told = await sql`
      select payload ->> 'transfer_id' as transfer from notifications
      where tenant_id = ${tenant.id} and person_id = ${ben.id}`;
    assertEquals([...told], [{ transfer: id }]);
  });
});
