import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant } from "../support/tenants.ts";

const isOn = (tenant: string, name: string) =>
  withDatabase(async (sql) => {
    const [row] = await sql`select private.feature(${tenant}, ${name}) as on`;
    return row!.on as boolean | null;
  });

Deno.test("a feature is on by its default, until the tenant says otherwise", async () => {
  const name = `limits.probe_${crypto.randomUUID().replaceAll(/[^a-z]/g, "")}`;
  await withDatabase((sql) => sql`select private.declare_feature(${name}, true, 'For this test')`);
  try {
    const tenant = await createTenant();
    const [admin, member] = [await createMember(tenant, "admin"), await createMember(tenant)];
    assert.equal(await isOn(tenant.id, name), true);
    const set = (client: typeof admin.client, features: unknown) =>
      client.from("tenants").update({ settings: { features } }).eq("id", tenant.id).select("id");

    assert.deepEqual(await must(set(member.client, { [name]: false })), []);
    assert.equal(await isOn(tenant.id, name), true);
    await must(set(admin.client, { [name]: false }));
    assert.equal(await isOn(tenant.id, name), false);
    for (const wrong of [{ [name]: "yes" }, { "limits.no_such_switch": true }]) {
      await assertRefused(set(admin.client, wrong), 422, "limits.feature_unknown");
    }
    await assertRefused(set(admin.client, [name]), 422, "request.invalid");
    assert.equal(await isOn((await createTenant()).id, name), true);
  } finally {
    await withDatabase((sql) => sql`delete from private.features where name = ${name}`);
  }
});

Deno.test("a feature that nobody declared is neither on nor off", async () => {
  assert.equal(await isOn((await createTenant()).id, "limits.no_such_switch"), null);
});
