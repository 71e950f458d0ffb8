import assert from "node:assert/strict";
import type postgres from "postgres";
import { assertProblem } from "../support/api.ts";
import { admin, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import { gif } from "./pictures.ts";
import { upload, uploaded } from "./support.ts";

Deno.test("Z4: room is limited by person and by tenant, and many at once cannot go past it", async () => {
  const tenant = await createTenant();
  const owner = await createMember(tenant, "owner");
  const ana = await createMember(tenant);
  const bytes = gif();
  const setRoom = async (person_bytes: number) => {
    const settings = { files: { person_bytes } };
    const { error } = await owner.client.from("tenants").update({ settings }).eq("id", tenant.id);
    assert.equal(error, null);
  };
  await setRoom(3 * bytes.byteLength);
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => upload(ana, tenant, { bytes })),
  );
  const statuses = answers.map(({ status }) => status).sort();
  assert.deepEqual(statuses, [201, 201, 201, 409, 409, 409, 409, 409]);
  const refused = answers.find(({ status }) => status === 409)!;
  assert.equal((await assertProblem(refused, 409, "files.quota_exceeded")).detail, "person");
  const room = async () => (await ana.client.rpc("files_usage", { tenant_id: tenant.id })).data;
  assert.deepEqual(await room(), {
    person_used: 3 * bytes.byteLength,
    person_room: 3 * bytes.byteLength,
    tenant_used: 3 * bytes.byteLength,
    tenant_room: 10 * 1024 ** 3,
  });

  const { data: [first] } = await ana.client.from("files").select("id") as {
    data: { id: string }[];
  };
  await ana.client.rpc("files_delete", { tenant_id: tenant.id, file: first!.id });
  assert.equal((await room()).person_used, 2 * bytes.byteLength);
  await uploaded(ana, tenant, { bytes });

  const quota = { tenant_id: tenant.id, bytes: 3 * bytes.byteLength };
  assert.equal(
    (await owner.client.rpc("files_set_quota", quota)).error?.message,
    "tenants.not_found",
  );
  assert.equal((await admin().rpc("files_set_quota", quota)).data, quota.bytes);
  await setRoom(1e6);
  const full = await assertProblem(
    await upload(owner, tenant, { bytes }),
    409,
    "files.quota_exceeded",
  );
  assert.equal(full.detail, "tenant");
});

/** Takes room for a file of so many bytes, as the database does when an upload begins. */
const reserve = (tx: postgres.TransactionSql, { id }: Tenant, person: Person, size: number) =>
  tx`
    select private.files_reserve(
      ${id}, ${person.id}, 'images', 'a.gif', 'image/gif', ${size}, 1, 1, false)`;

const countWaiting = () =>
  withDatabase(async (sql) =>
    (await sql`
      select from pg_stat_activity
      where wait_event_type = 'Lock' and query like '%private.files_reserve(%'`).length
  );

Deno.test("of two uploads into the last room, the second waits and sees the first", async () => {
  const tenant = await createTenant();
  const ana = await createMember(tenant);
  await withDatabase(async (sql) => {
    await sql`
      update tenants set settings = '{"files": {"person_bytes": 101}}' where id = ${tenant.id}`;
    await sql.begin((tx) => reserve(tx, tenant, ana, 1));
    let second: Promise<unknown> = Promise.resolve();
    await sql.begin(async (first) => {
      await reserve(first, tenant, ana, 60);
      second = sql.begin((tx) => reserve(tx, tenant, ana, 60)).catch((error) => error.message);
      await until(async () => await countWaiting() > 0);
    });
    assert.equal(await second, "files.quota_exceeded");
  });
});
