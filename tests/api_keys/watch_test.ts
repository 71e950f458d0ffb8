import assert from "node:assert/strict";
import { createApp } from "../../functions/api/app.ts";
import { assertRefused, must } from "../support/answers.ts";
import { assertProblem, callApi } from "../support/api.ts";
import { admin } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import { functionServices } from "../sessions/support.ts";
import { createKeeper, createKey, wanted } from "./support.ts";

/** A request with the key from this address, to an instance that has not met it. */
async function use(key: string, address: string): Promise<number> {
  const headers = { authorization: `Bearer ${key}`, "x-forwarded-for": address };
  const answer = await createApp(functionServices()).request("/api/v1/users/me", { headers });
  await answer.body?.cancel();
  return answer.status;
}

const told = async ({ id }: { id: string }): Promise<string[]> =>
  await withDatabase(async (sql) =>
    (await sql<{ kind: string }[]>`
      select kind from private.notifications_events
      where person_id = ${id} and kind like 'api\_keys.%' order by id`).map(({ kind }) => kind)
  );

Deno.test("a key has a budget of its own, within its person's", async () => {
  const { tenant, owner } = await createKeeper();
  const small = await createKey(owner, tenant, { requests_per_minute: 3 });
  const statuses: number[] = [];
  for (let n = 0; n < 3; n++) {
    const answer = await callApi("/v1/users/me", { token: small.key });
    statuses.push(answer.status);
    await answer.body?.cancel();
  }
  assert.deepEqual(statuses, [200, 200, 200]);
  const refused = await callApi("/v1/users/me", { token: small.key });
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  await assertProblem(refused, 429, "limits.exceeded");
  const other = await createKey(owner, tenant);
  const [row] = await must<{ requests_per_minute: number }[]>(
    owner.client.from("api_keys").select("requests_per_minute").eq("id", other.id),
  );
  assert.equal(row!.requests_per_minute, 120);
  assert.equal((await callApi("/v1/users/me", { token: other.key })).status, 200);
  for (const requests_per_minute of [0, 301]) {
    await assertRefused(
      owner.client.rpc("api_keys_create", wanted(tenant, { requests_per_minute })),
      422,
      "request.invalid",
    );
  }
});

Deno.test("the owner is told of a use from another network, once a day", async () => {
  const { tenant, owner } = await createKeeper();
  const { key, id } = await createKey(owner, tenant);
  assert.equal(await use(key, "198.51.100.7"), 200);
  assert.equal(await use(key, "198.51.100.200"), 200);
  assert.deepEqual(await told(owner), ["api_keys.created"]);
  assert.equal(await use(key, "203.0.113.9"), 200);
  assert.equal(await use(key, "192.0.2.1"), 200);
  assert.equal(await use(key, "198.51.100.7"), 200);
  assert.deepEqual(await told(owner), ["api_keys.created", "api_keys.new_network"]);
  const { text } = await mailTo(owner.email, "api_keys.new_network");
  assert.match(text, /Bookkeeping/);
  assert.match(text, /203\.0\.113\.9/);
  const networks = await withDatabase((sql) =>
    sql`select network::text from private.api_keys_networks where id = ${id} order by 1`
  );
  assert.deepEqual(networks.map(({ network }) => network), [
    "192.0.2.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
  ]);
});

Deno.test("the owner is told of a key that comes back after 30 days", async () => {
  const { tenant, owner } = await createKeeper();
  const { key, id } = await createKey(owner, tenant);
  assert.equal(await use(key, "2001:db8:1::1"), 200);
  const rest = (days: number) =>
    withDatabase((sql) =>
      sql`update api_keys set last_used_at = now() - make_interval(days => ${days})
        where id = ${id}`
    );
  await rest(29);
  assert.equal(await use(key, "2001:db8:1:2::1"), 200);
  assert.deepEqual(await told(owner), ["api_keys.created"]);
  await rest(31);
  assert.equal(await use(key, "2001:db8:1::1"), 200);
  assert.deepEqual(await told(owner), ["api_keys.created", "api_keys.returned"]);
  await mailTo(owner.email, "api_keys.returned");
});

Deno.test("a use of a key that was revoked is none, and only the functions tell of uses", async () => {
  const { tenant, owner } = await createKeeper();
  const { id } = await createKey(owner, tenant);
  const used = { tenant_id: tenant.id, api_key: id };
  const { error } = await owner.client.rpc("api_keys_used", used);
  assert.equal(error?.code, "42501");
  assert.equal(await must(admin().rpc("api_keys_used", used)), true);
  await must(owner.client.rpc("api_keys_revoke", used));
  assert.equal(await must(admin().rpc("api_keys_used", used)), false);
});
