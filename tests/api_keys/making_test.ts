import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { assertRefused, must } from "../support/answers.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import { openSession } from "../sessions/support.ts";
import { ageFactors, enrol } from "../two_factor/support.ts";
import { createKeeper, createKey, inDays, wanted } from "./support.ts";

Deno.test("A3: a key is shown once, and kept as a digest of 244 random bits", async () => {
  const { tenant, owner } = await createKeeper();
  const key = await createKey(owner, tenant);
  assert.match(key.key, /^nxk_[0-9a-f]{64}$/);
  assert.equal(key.hint, key.key.slice(-4));
  const [row] = await must<Record<string, unknown>[]>(
    owner.client.from("api_keys").select("*").eq("tenant_id", tenant.id),
  );
  assert.equal(JSON.stringify(row).includes(key.key), false);
  assert.deepEqual([row!.name, row!.last_used_at, row!.revoked_at], ["Bookkeeping", null, null]);
  const [kept] = await withDatabase((sql) =>
    sql`select to_jsonb(s) as secret, (
        select jsonb_agg(to_jsonb(d)) from private.audit_details d where d.tenant_id = s.tenant_id
      ) as trail
      from private.api_keys_secrets s where s.id = ${key.id}`
  );
  assert.equal(JSON.stringify(kept).includes(key.key), false);
  assert.equal(kept!.secret.digest, createHash("sha256").update(key.key).digest("hex"));
  assert.match((await mailTo(owner.email, "api_keys.created")).text, /Bookkeeping/);
});

Deno.test("A13: a key is made within five minutes of a second factor, and not without one", async () => {
  const { tenant, owner } = await createKeeper();
  await ageFactors(owner, "6 minutes");
  await assertRefused(
    owner.client.rpc("api_keys_create", wanted(tenant)),
    403,
    "two_factor.recent_required",
  );
  const without = await createMember(tenant, "owner");
  await assertRefused(
    without.client.rpc("api_keys_create", wanted(tenant)),
    403,
    "two_factor.recent_required",
  );
});

Deno.test("nobody gives a program a permission they lack", async () => {
  const { tenant } = await createKeeper();
  const [staff, member] = await Promise.all([
    createMember(tenant, "staff").then((person) => enrol(person)),
    createMember(tenant).then((person) => enrol(person)),
  ]);
  await assertRefused(
    member.client.rpc("api_keys_create", wanted(tenant)),
    403,
    "members.permission_denied",
  );
  await createKey(staff, tenant);
  const more = wanted(tenant, { permissions: ["tenants.read", "members.manage"] });
  await assertRefused(staff.client.rpc("api_keys_create", more), 403, "members.permission_denied");
  const unknown = wanted(tenant, { permissions: ["tenants.fly"] });
  await assertRefused(
    staff.client.rpc("api_keys_create", unknown),
    422,
    "members.permission_unknown",
  );
});

Deno.test("a key has a name, permissions and an end within a year", async () => {
  const { tenant, owner } = await createKeeper();
  for (
    const bad of [
      { name: " " },
      { name: "x".repeat(81) },
      { permissions: [] },
      { permissions: null },
      { expires_at: inDays(-1) },
      { expires_at: inDays(367) },
      { expires_at: null },
    ]
  ) {
    await assertRefused(
      owner.client.rpc("api_keys_create", wanted(tenant, bad)),
      422,
      "request.invalid",
    );
  }
});

Deno.test("a person has twenty keys of a tenant at most, however many are made at once", async () => {
  const { tenant, owner } = await createKeeper();
  await withDatabase((sql) =>
    sql`insert into api_keys
      (tenant_id, person_id, name, hint, permissions, read_only, expires_at, revoked_at)
      select ${tenant.id}, ${owner.id}, 'Old', 'abcd', '{tenants.read}', true,
        now() + interval '1 day', case when n > 18 then now() end
      from generate_series(1, 25) n`
  );
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => owner.client.rpc("api_keys_create", wanted(tenant))),
  );
  assert.deepEqual(
    answers.map(({ error }) => error?.message ?? "made").toSorted(),
    ["api_keys.too_many", "api_keys.too_many", "api_keys.too_many", "made", "made"],
  );
});

Deno.test("a session with bounds makes no key: no key makes another", async () => {
  const { tenant, owner } = await createKeeper();
  for (
    const bounds of [{ permissions: ["tenants.read", "api_keys.create"] }, { tenant_id: tenant.id }]
  ) {
    const { client } = await openSession(owner, { bounds, factor: "delegated" });
    await assertRefused(
      client.rpc("api_keys_create", wanted(tenant, { permissions: ["tenants.read"] })),
      403,
      "auth.session_bounded",
    );
  }
  const other = await createTenant();
  await assertRefused(owner.client.rpc("api_keys_create", wanted(other)), 404, "tenants.not_found");
});
