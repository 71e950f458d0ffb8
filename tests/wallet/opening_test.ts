import { deepStrictEqual as assertEquals } from "node:assert/strict";
import type { Sql, TransactionSql } from "postgres";
import { assertRefused } from "../support/answers.ts";
import { admin, createPerson } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createTenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";

type Connection = Sql | TransactionSql;

Deno.test("a currency whose starting grant no account could take is refused", async () => {
  const slug = `t-${crypto.randomUUID().slice(0, 18)}`;
  const currencies = [{ code: "hours", kind: "time", starting_grant: 11, highest_balance: 10 }];
  await assertRefused(
    admin().rpc("tenants_create", { slug, name: slug, modules: ["wallet"], currencies }),
    422,
    "request.invalid",
  );
});

Deno.test("a currency and a member made at once find each other, whichever is first", async (t) => {
  for (const first of ["member", "currency"] as const) {
    await t.step(`the ${first} first`, async () => {
      const tenant = await createTenant();
      const { id } = await createPerson();
      await withDatabase(async (sql) => {
        const other = await sql.reserve();
        const [{ pid }] = await other<[{ pid: number }]>`select pg_backend_pid() as pid`;
        const makes = {
          member: (on: Connection) =>
            on`insert into members (tenant_id, person_id, status, display_name)
              values (${tenant.id}, ${id}, 'active', 'Newcomer')`,
          currency: (on: Connection) =>
            on`insert into wallet_currencies (tenant_id, code, name, kind)
              values (${tenant.id}, 'points', 'Points', 'points')`,
        };
        const made = { second: false };
        const making = await sql.begin(async (tx) => {
          await makes[first](tx);
          const second = makes[first === "member" ? "currency" : "member"](other)
            .then(() => made.second = true);
          // Either it waits, or it has gone past: only then is the first committed.
          await until(async () => {
            const [row] = await tx`select cardinality(pg_blocking_pids(${pid})) > 0 as waits`;
            return made.second || row!.waits;
          });
          return { second };
        });
        await making.second;
        other.release();
        const accounts = await sql`
          select currency from wallet_ledger_accounts
          where tenant_id = ${tenant.id} and person_id = ${id} order by currency`;
        assertEquals(accounts.map(({ currency }) => currency), ["hours", "points"]);
      });
    });
  }
});
