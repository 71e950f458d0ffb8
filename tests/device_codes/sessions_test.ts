import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { assertProblem, callApi } from "../support/api.ts";
import { assertAuthRefuses } from "../support/auth_doors.ts";
import { admin, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import { createMember, createTenant, setStatus } from "../support/tenants.ts";
import { clientWith } from "../sessions/support.ts";
import { enrol } from "../two_factor/support.ts";
import { ask, begin, decide, letIn, poll, renew } from "./support.ts";

interface Tokens {
  access_token: string;
  refresh_token: string;
}

const fault = async ({ access_token }: Tokens) =>
  (await clientWith(access_token).rpc("people_session")).error?.message ?? null;

async function createDevice() {
  const tenant = await createTenant();
  const person = await createMember(tenant);
  return { tenant, person, tokens: await letIn(person, tenant) as Tokens };
}

const age = (person: { id: string }, by: string) =>
  withDatabase((sql) =>
    sql`update private.trust_devices set renewed_at = renewed_at - ${by}::interval
      where person_id = ${person.id}`
  );

Deno.test("at Supabase Auth a device's token opens nothing, and neither does its refresh token", async (t) => {
  const { person, tokens } = await createDevice();
  await assertAuthRefuses(t, tokens.access_token);
  const { error } = await admin().auth.refreshSession(tokens);
  assert.ok(error);
  await assertProblem(
    await callApi("/v1/auth/refresh", { body: { refresh_token: tokens.refresh_token } }),
    401,
    "accounts.refresh_refused",
  );
  await signIn(person.email);
  await must(person.client.rpc("people_me"));
  assert.equal(await fault(tokens), null);
});

Deno.test("a device renews its session for a token that is good once; the session before ends with that", async () => {
  const { tenant, person, tokens } = await createDevice();
  const next: Tokens = await renew(tokens);
  assert.notEqual(next.refresh_token, tokens.refresh_token);
  const client = clientWith(next.access_token);
  assert.deepEqual(await must(client.from("tenants").select("id")), [{ id: tenant.id }]);
  assert.equal(await fault(tokens), "auth.session_ended");
  await assertRefused(client.rpc("sessions_list"), 403, "auth.session_bounded");
  // One device, whatever the number of its sessions.
  const listed = await must<{ device: string }[]>(person.client.rpc("sessions_list"));
  assert.equal(listed.filter(({ device }) => device === "Station 7").length, 1);
  const kept = await withDatabase((sql) =>
    sql`select d::text as row from private.trust_devices d where d.person_id = ${person.id}`
  );
  assert.equal(kept[0]!.row.includes(next.refresh_token), false);
});

Deno.test("a lost answer is asked for again within a minute; later the token is in two hands, and the device is out", async () => {
  const { person, tokens } = await createDevice();
  await renew(tokens);
  const again: Tokens = await renew(tokens);
  assert.equal(await fault(again), null);
  await age(person, "61 seconds");
  assert.equal((await renew(tokens)).error, "invalid_grant");
  assert.equal(await fault(again), "auth.session_ended");
  assert.equal((await renew(again)).error, "invalid_grant");
  assert.match((await mailTo(person.email, "sessions.replayed")).text, /Station 7/);
});

Deno.test("a refresh token is good for its own device, for as long as that is used", async () => {
  const { person, tokens } = await createDevice();
  assert.equal((await renew(tokens, "Station 8")).error, "invalid_grant");
  assert.equal((await renew({ refresh_token: "unknown" })).error, "invalid_grant");
  const missing = await callApi("/v1/auth/device/token", {
    body: { grant_type: "refresh_token", client_id: "Station 7" },
  });
  assert.deepEqual([missing.status, (await missing.json()).error], [400, "invalid_request"]);
  await withDatabase((sql) =>
    sql`update private.trust_devices set expires_at = now() where person_id = ${person.id}`
  );
  assert.equal((await renew(tokens)).error, "invalid_grant");
});

Deno.test("of renewals at the same moment one session is left", async () => {
  const { person, tokens } = await createDevice();
  const answers: Tokens[] = await Promise.all([1, 2, 3].map(() => renew(tokens)));
  const faults = await Promise.all(answers.map(fault));
  assert.equal(faults.filter((found) => found === null).length, 1, String(faults));
  const apart = await withDatabase((sql) =>
    sql`select from private.trust_apart where person_id = ${person.id}`
  );
  assert.equal(apart.length, 1);
});

Deno.test("signing out everywhere, another password, a ban and its own logout end a device", async (t) => {
  const ends: [string, (device: Awaited<ReturnType<typeof createDevice>>) => Promise<unknown>][] = [
    ["everywhere", ({ person }) => must(person.client.rpc("accounts_logout", { scope: "global" }))],
    ["others", ({ person }) => must(person.client.rpc("accounts_logout", { scope: "others" }))],
    [
      "password",
      ({ person }) => admin().auth.admin.updateUserById(person.id, { password: "Another-horse-9" }),
    ],
    ["its own", ({ tokens }) => must(clientWith(tokens.access_token).rpc("accounts_logout"))],
  ];
  for (const [name, end] of ends) {
    await t.step(name, async () => {
      const device = await createDevice();
      await end(device);
      assert.equal(await fault(device.tokens), "auth.session_ended");
      assert.equal((await renew(device.tokens)).error, "invalid_grant");
    });
  }
  await t.step("a ban, for as long as it lasts", async () => {
    const { person, tokens } = await createDevice();
    await admin().auth.admin.updateUserById(person.id, { ban_duration: "1h" });
    assert.equal(await fault(tokens), "auth.session_ended");
    const body = { grant_type: "refresh_token", client_id: "Station 7", ...tokens };
    await assertProblem(await callApi("/v1/auth/device/token", { body }), 403, "auth.banned");
  });
});

Deno.test("while its person is suspended a device gets nothing, and keeps what it has", async () => {
  const { tenant, person, tokens } = await createDevice();
  const owner = await createMember(tenant, "owner");
  const codes = await begin(tenant.slug);
  await decide(person, codes.user_code);
  await setStatus(owner.client, tenant, person, "suspended");
  const body = { grant_type: "refresh_token", client_id: "Station 7", ...tokens };
  const refused = await callApi("/v1/auth/device/token", { body });
  await assertProblem(refused, 403, "members.suspended");
  await assertProblem(await ask(codes.device_code), 403, "members.suspended");
  await setStatus(owner.client, tenant, person, "active");
  assert.equal(await fault(await renew(tokens)), null);
  assert.equal(await fault(await poll(codes)), null);
});

Deno.test("A12: a device let in without a factor opens nothing once its person has one", async () => {
  const { person, tokens } = await createDevice();
  await enrol(person);
  assert.equal(await fault(tokens), "two_factor.required");
  assert.equal(await fault(await renew(tokens)), "two_factor.required");
});
