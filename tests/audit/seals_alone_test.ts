import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { must } from "../support/answers.ts";
import { connect, withDatabase } from "../support/database.ts";
import { createMember, createTenant, setStatus, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";

type Sql = ReturnType<typeof connect>;

interface Verdict {
  intact: boolean;
  lines: string;
  line: string | null;
  reason: string | null;
}

/** Seals until nothing of the tenant is left: an older transaction elsewhere may hold a line back. */
async function sealAll(sql: Sql, tenant: Tenant) {
  await until(async () => {
    await sql`select private.audit_seal()`;
    const [open] = await sql`
      select count(*)::int as count from private.audit_log l, private.audit_sealed s
      where l.tenant_id = ${tenant.id} and l.transaction_id >= s.below`;
    return open!.count === 0;
  }, { timeout: 20_000, every: 100 });
}

async function verify(sql: Sql, tenant: Tenant): Promise<Verdict> {
  const [row] = await sql<Verdict[]>`select * from private.audit_verify(${tenant.id})`;
  return row!;
}

async function sealedTenant(sql: Sql) {
  const tenant = await createTenant();
  const [owner, member] = await Promise.all([createMember(tenant, "owner"), createMember(tenant)]);
  for (const status of ["suspended", "active", "suspended"]) {
    await setStatus(owner.client, tenant, member, status);
    await sealAll(sql, tenant);
  }
  const lines = await sql<{ id: string }[]>`
    select id from private.audit_log where tenant_id = ${tenant.id} order by id`;
  return { tenant, owner, lines: lines.map(({ id }) => id) };
}

const tampering = (tenant: Tenant, line: string): Record<string, [string, string | null]> => ({
  line_changed: [
    `update private.audit_log set actor = null where tenant_id = '${tenant.id}' and id = '${line}'`,
    line,
  ],
  line_missing: [
    `delete from private.audit_log where tenant_id = '${tenant.id}' and id = '${line}'`,
    line,
  ],
  details_changed: [
    `update private.audit_details set after = '{"status":"forged"}' where tenant_id = '${tenant.id}' and id = '${line}'`,
    line,
  ],
  line_added: [
    `insert into private.audit_log (tenant_id, id, action, resource, transaction_id)
     values ('${tenant.id}', '01010101-0101-7101-8101-010101010101', 'ADMIN_ACTION', 'x:1', 5)`,
    "01010101-0101-7101-8101-010101010101",
  ],
  seal_changed: [
    `update private.audit_seals set sealed_at = now(), ids = array_append(ids, ids[1])
     where tenant_id = '${tenant.id}' and sequence = 1`,
    null,
  ],
  chain_broken: [
    `delete from private.audit_seals where tenant_id = '${tenant.id}' and sequence = 2`,
    "seal",
  ],
});

Deno.test("the tables' owner cannot tamper unseen: the verifier names the first broken line", async (t) => {
  await withDatabase(async (sql) => {
    const { tenant, lines } = await sealedTenant(sql);
    const sound = await verify(sql, tenant);
    assertEquals([sound.intact, Number(sound.lines)], [true, lines.length]);
    const undo = new Error("undone");
    for (const [reason, [forgery, line]] of Object.entries(tampering(tenant, lines[3]!))) {
      await t.step(reason, async () => {
        await sql.begin(async (tx) => {
          for (const table of ["audit_log", "audit_seals"]) {
            await tx.unsafe(`alter table private.${table} disable trigger user`);
          }
          await tx.unsafe(forgery);
          const [found] = await tx<Verdict[]>`select * from private.audit_verify(${tenant.id})`;
          assertEquals([found!.intact, found!.reason], [false, reason]);
          if (line !== "seal") assertEquals(found!.line, line);
          throw undo;
        }).catch((error) => {
          if (error !== undo) throw error;
        });
      });
    }
    assertEquals((await verify(sql, tenant)).intact, true);
  });
});

Deno.test("erased details break nothing; a proof kept elsewhere shows a tail that was cut off", async () => {
  await withDatabase(async (sql) => {
    const { tenant, owner } = await sealedTenant(sql);
    await sql`delete from private.audit_details where tenant_id = ${tenant.id}`;
    assertEquals((await verify(sql, tenant)).intact, true);
    interface Proof {
      intact: boolean;
      sequence: number;
      mac: string;
      reason: string | null;
    }
    const prove = (args: Record<string, unknown> = {}) =>
      must<Proof>(owner.client.rpc("audit_prove", { tenant_id: tenant.id, ...args }));
    const { intact, sequence, mac } = await prove();
    assertEquals([intact, /^[0-9a-f]{64}$/.test(mac)], [true, true]);
    assertEquals((await prove({ sequence, mac })).intact, true);
    const other = await prove({ sequence, mac: mac.replaceAll(/./g, "0") });
    assertEquals([other.intact, other.reason], [false, "tail_missing"]);
  });
});

Deno.test("a check goes on from where the last one ended, and starts anew when that is gone", async () => {
  await withDatabase(async (sql) => {
    const { tenant, owner, lines } = await sealedTenant(sql);
    const first = lines[0]!;
    const check = async (full_length = false) => {
      const [row] = await sql<
        Verdict[]
      >`select * from private.audit_check(${tenant.id}, ${full_length})`;
      return [row!.intact, Number(row!.lines), row!.reason];
    };
    assertEquals(await check(), [true, lines.length, null]);
    await must(owner.client.from("tenants").update({ name: "Renamed" }).eq("id", tenant.id));
    await sealAll(sql, tenant);
    assertEquals(await check(), [true, lines.length + 1, null]);
    const undo = new Error("undone");
    await sql.begin(async (tx) => {
      await tx`alter table private.audit_log disable trigger user`;
      await tx`
        update private.audit_log set resource = 'x:forged'
        where tenant_id = ${tenant.id} and id = ${first}`;
      const found = async (full_length: boolean) => {
        const [row] = await tx<
          Verdict[]
        >`select * from private.audit_check(${tenant.id}, ${full_length})`;
        return row!.line;
      };
      assertEquals(await found(false), null, "what was checked before is left to the weekly check");
      assertEquals(await found(true), first);
      throw undo;
    }).catch((error) => {
      if (error !== undo) throw error;
    });
  });
});

Deno.test("after a restore elsewhere the trail is sealed on, with another count of transactions", async () => {
  await withDatabase(async (sql) => {
    const { tenant, lines } = await sealedTenant(sql);
    const undo = new Error("undone");
    await sql.begin(async (tx) => {
      // As a dump finds it in a new cluster: the old one had counted far beyond, and had not sealed its last line.
      await tx`insert into private.audit_log (tenant_id, action, resource, transaction_id)
        values (${tenant.id}, 'ADMIN_ACTION', 'x:unsealed', 9000000000000)`;
      await tx`update private.audit_sealed set below = 9000000000000, cluster = 1 where only_row`;
      const sealed = async () => {
        await tx`select private.audit_seal()`;
        const [row] = await tx<Verdict[]>`select * from private.audit_verify(${tenant.id})`;
        return [row!.intact, Number(row!.lines), row!.reason];
      };
      assertEquals(await sealed(), [true, lines.length + 1, null]);
      await tx`insert into private.audit_log (tenant_id, action, resource, transaction_id)
        values (${tenant.id}, 'ADMIN_ACTION', 'x:new', 3)`;
      assertEquals(await sealed(), [true, lines.length + 2, null]);
      assertEquals(await sealed(), [true, lines.length + 2, null]);
      throw undo;
    }).catch((error) => {
      if (error !== undo) throw error;
    });
  });
});

Deno.test("a line of a transaction that is still open is never passed over", async () => {
  const tenant = await createTenant();
  const sql = connect({ max: 3 });
  try {
    await sql.begin(async (slow) => {
      await slow`select private.audit('ADMIN_ACTION', 'x:slow', null, null, ${tenant.id})`;
      await sql`select private.audit('ADMIN_ACTION', 'x:fast', null, null, ${tenant.id})`;
      await sql`select private.audit_seal()`;
    });
    await sealAll(sql, tenant);
    const [sealed] = await sql`
      select sum(cardinality(ids))::int as count from private.audit_seals where tenant_id = ${tenant.id}`;
    const [written] = await sql`
      select count(*)::int as count from private.audit_log where tenant_id = ${tenant.id}`;
    assertEquals(sealed!.count, written!.count);
    assertEquals((await verify(sql, tenant)).intact, true);
  } finally {
    await sql.end({ timeout: 5 });
  }
});

Deno.test("sealers at the same time seal each line once", async () => {
  const tenant = await createTenant();
  const sql = connect({ max: 8 });
  try {
    await Promise.all(
      Array.from(
        { length: 40 },
        (_, turn) =>
          turn % 5 === 0
            ? sql`select private.audit_seal()`
            : sql`select private.audit('ADMIN_ACTION', ${`x:${turn}`}, null, null, ${tenant.id})`,
      ),
    );
    await sealAll(sql, tenant);
    const [row] = await sql`
      select count(*)::int as sealed, count(distinct id)::int as lines
      from private.audit_seals s, unnest(s.ids) id where tenant_id = ${tenant.id}`;
    assertEquals(row!.sealed, row!.lines);
    assertEquals((await verify(sql, tenant)).intact, true);
  } finally {
    await sql.end({ timeout: 5 });
  }
});

Deno.test("checking a seal reads the lines it covers, not the whole trail", async () => {
  const tenant = await createTenant();
  await withDatabase(async (sql) => {
    await sql`
      select private.audit('ADMIN_ACTION', 'x:1', null, '{"a": 1}', ${tenant.id})
      from generate_series(1, 2000)`;
    await sealAll(sql, tenant);
    await sql`select private.audit('ADMIN_ACTION', 'x:2', null, '{"a": 1}', ${tenant.id})`;
    await sealAll(sql, tenant);
    const read = await sql.begin(async (reading) => {
      const rows = async () => {
        const [sum] = await reading<{ rows: number }[]>`
          select sum(coalesce(idx_tup_fetch, 0) + seq_tup_read)::int as rows
          from pg_stat_xact_all_tables where relname ~ '^audit_(log|details)_'`;
        return sum!.rows;
      };
      const before = await rows();
      await reading`
        select private.audit_verify_seal(s, private.audit_key()) from private.audit_seals s
        where s.tenant_id = ${tenant.id} order by s.sequence desc limit 1`;
      return await rows() - before;
    });
    assertEquals(read >= 2 && read < 100, true, `${read} rows`);
  });
});

Deno.test("details go after their tenant's own retention, months of lines after the longest", async () => {
  const [short, long] = await Promise.all([
    createTenant({ settings: { audit_retention_days: 1 } }),
    createTenant(),
  ]);
  await withDatabase(async (sql) => {
    const undo = new Error("undone");
    await sql.begin(async (tx) => {
      const old = "2020-03-15T00:00:00Z";
      await tx`select private.audit_make_month('2020-03-01')`;
      for (const { id } of [short, long]) {
        for (const moment of [old, new Date(Date.now() - 3 * 86_400_000).toISOString()]) {
          const [line] = await tx`select private.uuid_floor(${moment}) as id`;
          await tx`insert into private.audit_log (tenant_id, id, action, resource)
            values (${id}, ${line!.id}, 'ADMIN_ACTION', 'x:1')`;
          await tx`insert into private.audit_details (tenant_id, id, salt) values (${id}, ${
            line!.id
          }, '')`;
        }
      }
      const left = async (table: string, { id }: Tenant) =>
        (await tx`select from ${tx(`private.${table}`)}
          where tenant_id = ${id} and id < private.uuid_floor(now() - interval '2 days')`).length;
      await tx`select private.audit_retain()`;
      assertEquals([await left("audit_details", short), await left("audit_details", long)], [0, 1]);
      assertEquals([await left("audit_log", short), await left("audit_log", long)], [1, 1]);
      const [month] = await tx`select to_regclass('private.audit_log_2020_03') as name`;
      assertEquals(month!.name, null);
      throw undo;
    }).catch((error) => {
      if (error !== undo) throw error;
    });
  });
});
