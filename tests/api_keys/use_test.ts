import assert from "node:assert/strict";
import { createApp } from "../../functions/api/app.ts";
import { assertRefused, must } from "../support/answers.ts";
import { assertProblem, callApi } from "../support/api.ts";
import { assertAuthRefuses } from "../support/auth_doors.ts";
import { admin, anonymous, createPerson, randomAddress, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { addMember, createMember, createTenant, issue, setStatus } from "../support/tenants.ts";
import { clientWith, functionServices, joins, sessionIdOf } from "../sessions/support.ts";
import { createKeeper, createKey, exchange } from "./support.ts";

const tokenFor = async (key: string): Promise<string> => {
  const answer = await exchange(key);
  const body = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(body));
  assert.deepEqual(Object.keys(body).toSorted(), [
    "access_token",
    "expires_at",
    "expires_in",
    "token_type",
  ]);
  return body.access_token;
};

const bearer = (key: string) => ({
  authorization: `Bearer ${key}`,
  "x-forwarded-for": randomAddress(),
});

Deno.test("a key is taken by the functions, and exchanged for a token that the Data API takes", async () => {
  const { tenant, owner } = await createKeeper();
  const other = await createTenant();
  await addMember(other, owner, "owner");
  await issue(tenant, owner, 10);
  const { key } = await createKey(owner, tenant);

  const mine = await callApi(`/v1/tenants/${tenant.slug}`, { token: key });
  assert.equal(mine.status, 200);
  const me = await (await callApi("/v1/users/me", { token: key })).json();
  assert.deepEqual([me.id, me.email, me.tenants.length], [owner.id, null, 1]);
  assert.deepEqual(me.tenants[0].permissions, ["tenants.read", "wallet.read"]);
  await assertProblem(
    await callApi(`/v1/tenants/${other.slug}`, { token: key }),
    404,
    "tenants.not_found",
  );

  const token = await tokenFor(key);
  const client = clientWith(token);
  assert.deepEqual(await must(client.from("tenants").select("id")), [{ id: tenant.id }]);
  assert.equal((await must<unknown[]>(client.from("wallet_accounts").select("*"))).length, 1);
  await assertRefused(
    client.rpc("wallet_transfer", {
      tenant_id: tenant.id,
      to_person: owner.id,
      amount: 1,
      currency: "hours",
      idempotency_key: "x",
    }),
    403,
    "members.permission_denied",
  );
  const opened = { client, token, id: sessionIdOf(token), tokens: null! };
  assert.equal(await joins(opened, `private-user-${owner.id}`), false);
});

Deno.test("what a key does is limited to reading where it was made so", async () => {
  const { tenant, owner } = await createKeeper();
  const permissions = ["tenants.read", "tenants.update"];
  const [reading, writing] = [
    await createKey(owner, tenant, { permissions, read_only: true }),
    await createKey(owner, tenant, { permissions }),
  ];
  const change = { method: "PATCH", body: { name: "By a key" } };
  const path = `/v1/tenants/${tenant.slug}`;
  assert.equal((await callApi(path, { token: reading.key })).status, 200);
  await assertProblem(
    await callApi(path, { ...change, token: reading.key }),
    403,
    "members.permission_denied",
  );
  assert.equal((await callApi(path, { ...change, token: writing.key })).status, 200);
});

Deno.test("a key's token opens nothing at Supabase Auth: no key of a part becomes the whole", async (t) => {
  const { tenant, owner } = await createKeeper();
  const { key } = await createKey(owner, tenant);
  await assertAuthRefuses(t, await tokenFor(key));
  await signIn(owner.email);
  await must(owner.client.rpc("people_me"));
});

Deno.test("A6: a revoked key is over with the next statement, its sessions too", async () => {
  const { tenant, owner } = await createKeeper();
  const { key, id } = await createKey(owner, tenant);
  const client = clientWith(await tokenFor(key));
  const revoke = { tenant_id: tenant.id, api_key: id };
  const revoked = await must<{ revoked_at: string }>(owner.client.rpc("api_keys_revoke", revoke));
  assert.ok(revoked.revoked_at);
  await assertRefused(client.rpc("people_session"), 401, "auth.session_ended");
  const answer = await callApi(`/v1/tenants/${tenant.slug}`, { token: key });
  assert.equal(answer.status, 401);
  await answer.body?.cancel();
  const elsewhere = createApp(functionServices());
  const other = await elsewhere.request("/api/v1/users/me", { headers: bearer(key) });
  assert.deepEqual([other.status, (await other.json()).code], [401, "auth.required"]);
  const again = await must<{ revoked_at: string }>(owner.client.rpc("api_keys_revoke", revoke));
  assert.equal(again.revoked_at, revoked.revoked_at);
});

Deno.test("keys are seen and revoked by their owner and by who manages them", async () => {
  const { tenant, owner } = await createKeeper();
  const { id } = await createKey(owner, tenant);
  const [staff, admins, outsider] = await Promise.all([
    createMember(tenant, "staff"),
    createMember(tenant, "admin"),
    createPerson(),
  ]);
  const rows = async ({ client }: typeof staff) =>
    (await must<unknown[]>(client.from("api_keys").select("id").eq("id", id))).length;
  assert.deepEqual(await Promise.all([owner, admins, staff, outsider].map(rows)), [1, 1, 0, 0]);
  const revoke = { tenant_id: tenant.id, api_key: id };
  await assertRefused(staff.client.rpc("api_keys_revoke", revoke), 404, "api_keys.not_found");
  await assertRefused(outsider.client.rpc("api_keys_revoke", revoke), 404, "tenants.not_found");
  await must(admins.client.rpc("api_keys_revoke", revoke));
  const unknown = { tenant_id: tenant.id, api_key: crypto.randomUUID() };
  await assertRefused(owner.client.rpc("api_keys_revoke", unknown), 404, "api_keys.not_found");
});

Deno.test("a key ends with its time, with the membership and with the person", async (t) => {
  const { tenant, owner } = await createKeeper();
  const second = await createMember(tenant, "owner");
  await t.step("its time", async () => {
    const { key, id } = await createKey(owner, tenant);
    await withDatabase((sql) =>
      sql`update api_keys set expires_at = now() - interval '1 s' where id = ${id}`
    );
    await assertProblem(await exchange(key), 401, "api_keys.refused");
  });
  await t.step("a suspension, for as long as it lasts", async () => {
    const { key } = await createKey(owner, tenant);
    const client = clientWith(await tokenFor(key));
    await setStatus(second.client, tenant, owner, "suspended");
    assert.deepEqual(await must(client.from("tenants").select("id")), []);
    await setStatus(second.client, tenant, owner, "active");
    assert.equal((await must<unknown[]>(client.from("tenants").select("id"))).length, 1);
  });
  await t.step("the membership, for good", async () => {
    const { key } = await createKey(owner, tenant);
    const client = clientWith(await tokenFor(key));
    await must(owner.client.rpc("members_leave", { tenant_id: tenant.id }));
    await assertRefused(client.rpc("people_session"), 401, "auth.session_ended");
    await assertProblem(await exchange(key), 401, "api_keys.refused");
  });
  await t.step("the person", async () => {
    const { tenant, owner } = await createKeeper();
    const { key } = await createKey(owner, tenant);
    await admin().auth.admin.updateUserById(owner.id, { ban_duration: "1h" });
    await assertProblem(await exchange(key), 403, "auth.banned");
    await admin().auth.admin.deleteUser(owner.id);
    await assertProblem(await exchange(key), 401, "api_keys.refused");
    const left = await withDatabase((sql) =>
      sql`select from api_keys where person_id = ${owner.id}`
    );
    assert.equal(left.length, 0);
  });
});

Deno.test("all instances of a function share one session of a key, and many requests at once open one", async () => {
  const { tenant, owner } = await createKeeper();
  const { key, id } = await createKey(owner, tenant);
  const sessions = () =>
    withDatabase((sql) => sql`select session_id from private.api_keys_sessions where id = ${id}`);
  const me = async (app: ReturnType<typeof createApp>) =>
    (await app.request("/api/v1/users/me", { headers: bearer(key) })).status;
  const [one, two] = [createApp(functionServices()), createApp(functionServices())];
  const answers = await Promise.all(Array.from({ length: 10 }, () => me(one)));
  assert.deepEqual(new Set(answers), new Set([200]));
  assert.equal((await sessions()).length, 1);
  assert.equal(await me(two), 200);
  assert.equal((await sessions()).length, 1);
  // What is kept for that opens nothing by itself.
  const [kept] = await withDatabase((sql) =>
    sql`select sealed from private.api_keys_secrets where id = ${id}`
  );
  assert.equal(kept!.sealed.includes("."), false);
  // Signing out everywhere is about logins; the key goes on.
  await owner.client.auth.signOut({ scope: "global" });
  assert.equal(await me(createApp(functionServices())), 200);
  const [{ last_used_at }] = await withDatabase((sql) =>
    sql<[{ last_used_at: Date }]>`select last_used_at from api_keys where id = ${id}`
  );
  assert.ok(Date.now() - last_used_at.getTime() < 60_000);
});

Deno.test("a key revoked while its session is opened leaves none behind", async () => {
  const { tenant, owner } = await createKeeper();
  const { key, id } = await createKey(owner, tenant);
  const token = await tokenFor(key);
  await must(owner.client.rpc("api_keys_revoke", { tenant_id: tenant.id, api_key: id }));
  const { client } = await createMember(tenant);
  const { data } = await client.auth.getSession();
  const late = {
    tenant_id: tenant.id,
    api_key: id,
    session: sessionIdOf(data.session!.access_token),
    sealed: "x",
    good_until: new Date().toISOString(),
  };
  assert.equal(await must(admin().rpc("api_keys_opened", late)), false);
  await assertRefused(client.rpc("people_session"), 401, "auth.session_ended");
  await assertRefused(clientWith(token).rpc("people_session"), 401, "auth.session_ended");
});

Deno.test("what is no key of ours opens nothing", async () => {
  const unknown = `nxk_${"0".repeat(64)}`;
  for (const key of [unknown, "nxk_short", `nxk_${"G".repeat(64)}`, "x"]) {
    await assertProblem(await exchange(key), 401, "api_keys.refused");
    await assertProblem(await callApi("/v1/users/me", { token: key }), 401, "auth.required");
  }
  for (const caller of [anonymous(), (await createPerson()).client]) {
    for (const name of ["api_keys_open", "api_keys_opened"]) {
      const args = name === "api_keys_open" ? { digest: "x" } : {
        tenant_id: crypto.randomUUID(),
        api_key: crypto.randomUUID(),
        session: crypto.randomUUID(),
        sealed: "x",
        good_until: new Date().toISOString(),
      };
      const { error } = await caller.rpc(name, args);
      assert.ok(["42501", "PGRST202"].includes(error?.code ?? ""), `${name}: ${error?.code}`);
    }
  }
});

Deno.test("keys are tried thirty times in five minutes from one address", async () => {
  const headers = { "x-forwarded-for": "203.0.113.78" };
  const body = { api_key: "nxk_x" };
  const statuses = [];
  for (let n = 0; n < 31; n++) {
    statuses.push((await callApi("/v1/api-keys/token", { body, headers })).status);
  }
  assert.deepEqual([statuses[0], statuses.at(-1)], [401, 429]);
});
