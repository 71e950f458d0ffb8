import { deepStrictEqual as assertEquals, ok } from "node:assert/strict";
import type { Sql } from "postgres";
import { must } from "../support/answers.ts";
import { tokenOf } from "../support/api.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { act, type Exchange } from "../support/exchanges.ts";
import type { Tenant } from "../support/tenants.ts";
import { createTimeBank, exchangeIn, propose } from "./support.ts";

const boxes = ["all", "open", "closed", "waiting"];

/** So many more that Ana called off, every tenth of them of a group, as rows. */
async function history(sql: Sql, { id }: Tenant, ana: Person, ben: Person, count: number) {
  await sql`
    with added as (
      insert into exchanges (tenant_id, kind, requester_id, provider_id, currency, minutes, status, reason)
      select e.tenant_id, case when n % 10 = 0 then 'group' else 'direct' end, ${ana.id},
        case when n % 10 > 0 then ${ben.id}::uuid end, e.currency, 60, 'cancelled', 'party'
      from generate_series(1, ${count}) n,
        (select tenant_id, currency from exchanges where tenant_id = ${id} limit 1) e
      returning tenant_id, id
    )
    insert into exchanges_parts (tenant_id, exchange_id, person_id, side, minutes, agreed_at, ended_at)
    select a.tenant_id, a.id, p.id, p.side, 60, now(), now()
    from added a, (values (${ana.id}::uuid, 'receives'), (${ben.id}::uuid, 'gives')) p (id, side)`;
  await sql`analyze exchanges, exchanges_parts`;
}

/** How many blocks each box of Ana's costs to read. */
async function touched(sql: Sql, { id }: Tenant, ana: Person, cursor: string | null) {
  const claims = atob(
    (await tokenOf(ana)).split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/"),
  );
  return await sql.begin(async (tx) => {
    await tx`select set_config('request.jwt.claims', ${claims}, true)`;
    await tx`set local role authenticated`;
    const blocks = async (box: string) => {
      const [row] = await tx`
        explain (analyze, buffers, format json)
        select id from exchanges_list(${id}, ${box}, ${cursor}, 20)`;
      const plan = row!["QUERY PLAN"][0].Plan;
      return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"];
    };
    const all: Record<string, number> = {};
    for (const box of boxes) {
      // The first call of a session reads the catalogue, too.
      await blocks(box);
      all[box] = await blocks(box);
    }
    return all;
  });
}

Deno.test("a page of any box costs the same after many exchanges, where the open ones are the oldest", async () => {
  const world = await createTimeBank();
  const { tenant, ana, ben } = world;
  const oldest = await exchangeIn(world, "accepted");
  const asked = await must<Exchange>(
    act(tenant, ben, "request", { person: ana.id, minutes: 60, offer: true }),
  );
  await withDatabase(async (sql) => {
    await history(sql, tenant, ana, ben, 1000);
    const few = await touched(sql, tenant, ana, null);
    await history(sql, tenant, ana, ben, 9000);
    const many = await touched(sql, tenant, ana, null);
    const deep = await touched(sql, tenant, ana, (await propose(world)).id);
    // A page of twenty may lie on as many blocks; reading all there is would cost hundreds more.
    for (const box of boxes) {
      ok(many[box]! < few[box]! + 250, `${box}: ${few[box]} blocks, then ${many[box]}`);
      ok(deep[box]! < few[box]! + 250, `${box}: ${few[box]} blocks, then ${deep[box]}`);
    }
  });
  const list = async (box: string, cursor?: string) =>
    (await must<Exchange[]>(act(tenant, ana, "list", { box, cursor, page_size: 2 })))
      .map(({ id }) => id);
  assertEquals(await list("waiting"), [asked.id]);
  assertEquals((await list("open")).at(-1), asked.id);
  assertEquals(await list("open", asked.id), [oldest.id]);
  assertEquals(await list("closed", asked.id), []);
});
