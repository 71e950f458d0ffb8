import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, issue } from "../support/tenants.ts";
import { accountOf, assertIntact, call, noticesOf, pay, type Receipt } from "../support/wallet.ts";

async function world() {
  const tenant = await createTenant();
  const [owner, ana, ben, cleo] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant),
    createMember(tenant),
    createMember(tenant),
  ]);
  await issue(tenant, ana, 600);
  const garden = { category: "garden", memo: "=HYPERLINK(1)" };
  await must<Receipt>(pay(tenant, ana, ben, 10, garden));
  await must<Receipt>(pay(tenant, ana, cleo, 20, { category: "repairs" }));
  await must<Receipt>(pay(tenant, ben, ana, 5));
  return { tenant, owner, ana, ben, cleo };
}

interface Found {
  id: string;
  amount: number;
  created_at: string;
  cursor: string;
}

const amounts = (found: Found[]) => found.map(({ amount }) => amount);

Deno.test("a statement is filtered by period, category and counterpart", async () => {
  const { tenant, ana, ben } = await world();
  const read = (args: Record<string, unknown>) =>
    must<Found[]>(call(tenant, ana, "wallet_statement", { currency: "hours", ...args }));
  const all = await read({});
  assertEquals(amounts(all), [5, -20, -10, 600]);
  assertEquals(amounts(await read({ category: "garden" })), [-10]);
  assertEquals(amounts(await read({ counterpart: ben.id })), [5, -10]);
  const from = new Date(Date.parse(all[0]!.created_at) - 1_000).toISOString();
  const to = new Date(Date.now() + 60_000).toISOString();
  assertEquals((await read({ from, to })).length > 0, true);
  assertEquals(await read({ from: to }), []);
  assertEquals(await read({ to: new Date(0).toISOString() }), []);
});

Deno.test("admins see every transfer and statement with the same filters, members do not", async () => {
  const { tenant, owner, ana, ben } = await world();
  const search = (by: Person, args: Record<string, unknown> = {}) =>
    call(tenant, by, "wallet_search", args);
  assertEquals(amounts(await must<Found[]>(search(owner))), [5, 20, 10, 600]);
  assertEquals(amounts(await must<Found[]>(search(owner, { person: ben.id }))), [5, 10]);
  assertEquals(amounts(await must<Found[]>(search(owner, { category: "repairs" }))), [20]);
  assertEquals(await must(search(owner, { currency: "gold" })), []);
  const first = await must<Found[]>(search(owner, { page_size: 2 }));
  const next = await must<Found[]>(search(owner, { page_size: 2, cursor: first.at(-1)!.cursor }));
  assertEquals([...amounts(first), ...amounts(next)], [5, 20, 10, 600]);
  await assertRefused(search(owner, { cursor: "x" }), 422, "request.invalid");
  await assertRefused(search(ana), 403, "members.permission_denied");
  const statement = { currency: "hours", account: (await accountOf(ben)).id };
  assertEquals(amounts(await must<Found[]>(call(tenant, owner, "wallet_statement", statement))), [
    -5,
    10,
  ]);
  await assertRefused(call(tenant, ana, "wallet_statement", statement), 404, "wallet.not_found");
});

Deno.test("statements and transfers are files, too, with cells that are safe for spreadsheets", async () => {
  const { tenant, owner, ben } = await world();
  const headers = { "nexus-tenant": tenant.slug };
  const get = async (path: string, by: Person) =>
    await callApi(`/v1/wallet/${path}`, { token: await tokenOf(by), headers });
  const list = await (await get("statement?currency=hours&limit=1", ben)).json();
  assertEquals([list.data.length, amounts(list.data)], [1, [-5]]);
  const file = await get(`statement?currency=hours&format=csv&cursor=${list.next_cursor}`, ben);
  const [header, line] = (await file.text()).split("\r\n");
  assertEquals(header!.includes("amount,balance_after,counterpart"), true);
  assertEquals([line!.includes("'=HYPERLINK(1)"), line!.includes(",10,10,")], [true, true]);
  const transfers = await get("transfers?format=csv&limit=2", owner);
  assertEquals((await transfers.text()).trim().split("\r\n").length, 3);
  assertEquals((transfers.headers.get("next-cursor") ?? "").length, 36);
  await assertProblem(await get("transfers", ben), 403, "members.permission_denied");
  await assertProblem(await get("statement?currency=gold", ben), 422, "wallet.currency_unknown");
  await assertProblem(await get("statement?currency=hours&cursor=x", ben), 422, "request.invalid");
});

Deno.test("a file of payments is checked by a dry run, then done once", async () => {
  const { tenant, owner, ana, ben, cleo } = await world();
  const token = await tokenOf(owner);
  const send = (body: string, key: string, query = "", type = "text/csv") =>
    callApi(`/v1/wallet/batches${query}`, {
      method: "POST",
      token,
      headers: { "nexus-tenant": tenant.slug, "idempotency-key": key, "content-type": type },
      body,
    });
  const good =
    `\ufefffrom,to,amount,currency,memo,category\r\n${ana.email},${ben.id},7,hours,"Hello, Ben",\r\n`;
  const bad = `${good}${ana.id},${cleo.email},x,hours,,\r\n`;
  const dry = await (await send(bad, "dry", "?dry_run=true")).json();
  assertEquals([dry.id, dry.faults], [null, [{
    line: 2,
    code: "wallet.invalid_amount",
    detail: null,
  }]]);
  await assertProblem(await send(bad, "bad"), 422, "wallet.batch_refused");
  assertEquals((await accountOf(ben)).balance, 5);
  const [first, again] = [
    await (await send(good, "once")).json(),
    await (await send(good, "once")).json(),
  ];
  assertEquals(again, { ...first, replayed: true });
  assertEquals((await accountOf(ben)).balance, 12);
  await assertProblem(await send("from,to\n1", "x"), 422, "request.invalid");
  await assertProblem(await send("a,b\n1,2", "x"), 422, "request.invalid");
  await assertProblem(
    await send(good, "x", "", "text/plain"),
    415,
    "request.unsupported_media_type",
  );
});

Deno.test("an admin proves the ledger, and the nightly check raises the alarm where it is wrong", async () => {
  const { tenant, owner, ana } = await world();
  const proofs = await must<Record<string, unknown>[]>(call(tenant, owner, "wallet_reconcile", {}));
  const { currency, intact, transfers, entries, sum, issued, fault } = proofs[0]!;
  assertEquals(
    [currency, intact, transfers, entries, sum, issued, fault],
    ["hours", true, 4, 8, 0, 600, null],
  );
  await assertRefused(call(tenant, ana, "wallet_reconcile", {}), 403, "members.permission_denied");
  const { id } = await accountOf(ana);
  await withDatabase(async (sql) => {
    const tamper = (by: number) =>
      sql`update wallet_ledger_accounts set balance = balance + ${by} where tenant_id = ${tenant.id} and id = ${id}`;
    await tamper(1);
    try {
      const [proof] = await must<Record<string, unknown>[]>(
        call(tenant, owner, "wallet_reconcile", {}),
      );
      assertEquals([proof!.intact, proof!.fault, proof!.account_id], [
        false,
        "balance_differs",
        id,
      ]);
      await sql`select private.wallet_reconcile_all()`;
      assertEquals(await noticesOf(tenant, "wallet.broken"), 1);
    } finally {
      await tamper(-1);
    }
  });
  await assertIntact(tenant, owner);
});
