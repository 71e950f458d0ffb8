import assert from "node:assert/strict";
import { must } from "../support/answers.ts";
import { admin, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import { createMember, createTenant, issue, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import {
  accountOf,
  call,
  capture,
  type Hold,
  hold,
  noticesOf,
  organisation,
  pay,
  type Receipt,
  type Request,
  request,
  reverse,
} from "../support/wallet.ts";

interface Notice {
  kind: string;
  payload: Record<string, string>;
}

async function createBank(options: Record<string, unknown> = {}) {
  const tenant = await createTenant(options);
  const [owner, ana, ben] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant),
    createMember(tenant),
  ]);
  for (const [person, display_name] of [[ana, "Ana"], [ben, "Ben"], [owner, "Olga"]] as const) {
    await must(person.client.rpc("people_update_me", { changes: { display_name } }));
  }
  await issue(tenant, ana, 600);
  await noticesOf(tenant, "wallet.received");
  await withDatabase((sql) => sql`delete from notifications where tenant_id = ${tenant.id}`);
  return { tenant, owner, ana, ben };
}

/** What somebody finds in their inbox, once the worker has told all it has to: kind, amount, name. */
async function toldTo(tenant: Tenant, { client }: Person): Promise<(string | undefined)[][]> {
  await noticesOf(tenant, "any");
  const notices = await must<Notice[]>(
    client.from("notifications").select("kind, payload").eq("tenant_id", tenant.id).order("id"),
  );
  return notices.map(({ kind, payload }) => [kind, payload.amount, payload.name]);
}

/** The worker takes jobs side by side, so notices of one moment come in any order. */
const sorted = (rows: unknown[][]) => rows.map((row) => row.join()).sort();

Deno.test("who is paid is told, once, how much by whom; who paid is not", async () => {
  const { tenant, ana, ben } = await createBank();
  const { id } = await must<Receipt>(pay(tenant, ana, ben, 90));
  assert.deepEqual(await toldTo(tenant, ben), [["wallet.received", "1:30 h", "Ana"]]);
  assert.deepEqual(await toldTo(tenant, ana), []);
  // The job comes again: by a lost lease, or replayed from the dead letter.
  const args = { tenant_id: tenant.id, kind: "wallet.transferred", subject: id };
  for (let time = 0; time < 2; time++) {
    await must(admin().rpc("wallet_notify", { ...args, job: crypto.randomUUID() }));
  }
  assert.equal((await toldTo(tenant, ben)).length, 1);
  const { error } = await ana.client.rpc("wallet_notify", { ...args, job: id });
  assert.equal(error?.code, "42501");
});

Deno.test("what others do with somebody's account they are told, as its organisation's agents are", async () => {
  const { tenant, owner, ana, ben } = await createBank();
  const club = await organisation(tenant, owner, [ben]);
  const paid = await must<Receipt>(
    pay(tenant, ana, ben, 60, { to_person: null, to_account: club.account }),
  );
  const [, , name] = (await toldTo(tenant, ben))[0]!;
  assert.equal(name, "Ana");
  await must(reverse(tenant, owner, paid.id));
  const clubName = await withDatabase(async (sql) =>
    (await sql`select name from wallet_organisations where id = ${club.id}`)[0]!.name
  );
  assert.deepEqual(sorted(await toldTo(tenant, ben)), [
    "wallet.charged,1:00 h,Ana",
    "wallet.received,1:00 h,Ana",
  ]);
  assert.deepEqual(await toldTo(tenant, ana), [["wallet.received", "1:00 h", clubName]]);
});

Deno.test("the payee hears of a hold, the payer when it is theirs again, both when it runs out", async () => {
  const { tenant, ana, ben } = await createBank();
  const [taken, voided, expired] = await Promise.all(
    [10, 20, 30].map((amount) => must<Hold>(hold(tenant, ana, ben, amount))),
  ) as [Hold, Hold, Hold];
  await noticesOf(tenant, "wallet.held");
  await must(capture(tenant, ben, taken.id));
  await must(call(tenant, ben, "wallet_void", { hold_id: voided.id }));
  await withDatabase(async (sql) => {
    await sql`update wallet_holds set expires_at = now() where id = ${expired.id}`;
    await sql`select private.wallet_expire_holds()`;
  });
  assert.deepEqual(sorted(await toldTo(tenant, ben)), [
    "wallet.held,0:10 h,Ana",
    "wallet.held,0:20 h,Ana",
    "wallet.held,0:30 h,Ana",
    "wallet.hold_expired,0:30 h,Ana",
  ]);
  assert.deepEqual(sorted(await toldTo(tenant, ana)), [
    "wallet.charged,0:10 h,Ben",
    "wallet.hold_expired,0:30 h,Ben",
    "wallet.hold_voided,0:20 h,Ben",
  ]);
});

Deno.test("a request reaches its payer, is recalled halfway, and its end is told to the other side", async () => {
  const { tenant, ana, ben } = await createBank();
  const ask = (amount: number) => must<Request>(request(tenant, ben, ana, amount));
  const [declined, cancelled, expired] = [await ask(10), await ask(20), await ask(30)];
  await noticesOf(tenant, "wallet.requested");
  const answer = (by: Person, name: string, { id }: Request) =>
    must(call(tenant, by, `wallet_request_${name}`, { request_id: id }));
  await withDatabase((sql) =>
    sql`
      update private.jobs set run_at = now()
      where tenant_id = ${tenant.id} and kind = 'wallet.request_reminder'
        and aggregate = ${`wallet_requests:${expired.id}`}`
  );
  await until(async () => (await noticesOf(tenant, "wallet.request_reminder")) === 1, {
    timeout: 30_000,
  });
  await answer(ana, "decline", declined);
  await answer(ben, "cancel", cancelled);
  await withDatabase(async (sql) => {
    await sql`update wallet_requests set expires_at = now() where id = ${expired.id}`;
    await sql`select private.wallet_expire_requests()`;
    // Nobody is reminded of what is over.
    await sql`
      update private.jobs set run_at = now()
      where tenant_id = ${tenant.id} and kind = 'wallet.request_reminder'`;
  });
  assert.deepEqual(sorted(await toldTo(tenant, ana)), [
    "wallet.request_cancelled,0:20 h,Ben",
    "wallet.request_reminder,0:30 h,Ben",
    "wallet.requested,0:10 h,Ben",
    "wallet.requested,0:20 h,Ben",
    "wallet.requested,0:30 h,Ben",
  ]);
  assert.deepEqual(sorted(await toldTo(tenant, ben)), [
    "wallet.request_declined,0:10 h,Ana",
    "wallet.request_expired,0:30 h,Ana",
  ]);
  await mailTo(ana.email, "wallet.requested");
});

Deno.test("what is frozen is told to who holds it; what is no member's any more to nobody", async () => {
  const { tenant, owner, ana, ben } = await createBank();
  const { id: account_id } = await accountOf(ana);
  for (const frozen of [true, false]) {
    await must(call(tenant, owner, "wallet_freeze", { account_id, frozen }));
  }
  const kinds = (await toldTo(tenant, ana)).map(([kind]) => kind);
  assert.deepEqual(kinds.sort(), ["wallet.account_frozen", "wallet.account_unfrozen"]);
  await must(hold(tenant, ana, ben, 10));
  await noticesOf(tenant, "wallet.held");
  await must(ben.client.rpc("members_leave", { tenant_id: tenant.id }));
  await withDatabase(async (sql) => {
    await sql`update wallet_holds set expires_at = now() where tenant_id = ${tenant.id}`;
    await sql`select private.wallet_expire_holds()`;
    await noticesOf(tenant, "wallet.hold_expired");
    const told = await sql`
      select person_id from notifications
      where tenant_id = ${tenant.id} and kind = 'wallet.hold_expired'`;
    assert.deepEqual([...told], [{ person_id: ana.id }]);
  });
});

Deno.test("amounts are written as the person writes them", async () => {
  const { tenant, ana } = await createBank({
    currencies: [
      { code: "hours", kind: "time", lowest_balance: 0 },
      { code: "eur", kind: "money", decimals: 2, name: "Euro" },
      { code: "stars", kind: "points", name: "Stars" },
    ],
  });
  const text = (currency: string, amount: number) =>
    withDatabase(async (sql) => {
      const [row] = await sql`
        select private.wallet_amount_text(${tenant.id}, ${currency}, ${amount}, ${ana.id}) as text`;
      return row!.text;
    });
  assert.deepEqual(
    await Promise.all([
      text("hours", 5),
      text("hours", -605),
      text("eur", 1234),
      text("eur", -5),
      text("stars", 7),
    ]),
    ["0:05 h", "−10:05 h", "12.34 Euro", "−0.05 Euro", "7 Stars"],
  );
  await must(ana.client.rpc("people_update_me", { changes: { locale: "de" } }));
  assert.equal(await text("eur", 1234), "12,34 Euro");
});
