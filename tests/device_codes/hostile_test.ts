import assert from "node:assert/strict";
import { assertRefused } from "../support/answers.ts";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { admin, anonymous, createPerson, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, setStatus } from "../support/tenants.ts";
import { clientWith, openSession } from "../sessions/support.ts";
import { enrol } from "../two_factor/support.ts";
import { begin, decide, poll, wait } from "./support.ts";

Deno.test("nobody approves for a tenant they are not an active member of", async () => {
  const tenant = await createTenant();
  const owner = await createMember(tenant, "owner");
  const [outsider, suspended] = await Promise.all([createPerson(), createMember(tenant)]);
  await setStatus(owner.client, tenant, suspended, "suspended");
  const codes = await begin(tenant.slug);
  for (const person of [outsider, suspended]) {
    for (const what of ["show", "approve", "deny"]) {
      const answer = await decide(person, codes.user_code, what);
      await assertProblem(answer, 404, "device_codes.not_found");
    }
  }
  await assertProblem(
    await callApi("/v1/auth/device/code", { body: { client_id: "tv", tenant: "platform" } }),
    404,
    "tenants.not_found",
  );
});

Deno.test("a device, a key or an impersonation lets no other device in", async () => {
  const tenant = await createTenant();
  const person = await createMember(tenant, "owner");
  const codes = await begin(tenant.slug);
  for (const bounds of [{ tenant_id: tenant.id }, { permissions: ["tenants.read"] }]) {
    const { token } = await openSession(person, { bounds });
    for (const what of ["show", "approve", "deny"]) {
      const body = { user_code: codes.user_code };
      const answer = await callApi(`/v1/auth/device/${what}`, { token, body });
      await assertProblem(answer, 403, "auth.session_bounded");
    }
  }
});

Deno.test("A12: a session before its second factor lets no device in; what it lets in later is verified", async () => {
  const tenant = await createTenant();
  const person = await enrol(await createMember(tenant));
  const codes = await begin(tenant.slug);
  const unverified = { client: await signIn(person.email) };
  await assertProblem(await decide(unverified, codes.user_code), 403, "two_factor.required");
  assert.equal((await decide(person, codes.user_code)).status, 200);
  const { access_token } = await poll(codes);
  assert.equal((await clientWith(access_token).rpc("people_session")).error, null);
});

Deno.test("where the role needs a factor, who has none lets no device in", async () => {
  const tenant = await createTenant();
  const [owner, member] = await Promise.all([
    createMember(tenant, "owner").then((person) => enrol(person)),
    createMember(tenant),
  ]);
  const rule = { tenant_id: tenant.id, role: "member", required_from: new Date(0).toISOString() };
  assert.equal((await owner.client.rpc("two_factor_set_rule", rule)).error, null);
  const codes = await begin(tenant.slug);
  await assertProblem(await decide(member, codes.user_code), 403, "two_factor.required");
});

Deno.test("user codes are not to be guessed: ten tries in five minutes, counted before they are looked at", async () => {
  const tenant = await createTenant();
  const person = await createMember(tenant);
  const codes = await begin(tenant.slug);
  for (let n = 0; n < 10; n++) {
    await assertProblem(await decide(person, "BBBB-BBBB", "show"), 404, "device_codes.not_found");
  }
  const answer = await decide(person, codes.user_code);
  assert.ok(Number(answer.headers.get("retry-after")) > 0);
  await assertProblem(answer, 429, "limits.exceeded");
});

Deno.test("an address begins so many devices and no more", async () => {
  const tenant = await createTenant();
  const headers = { "x-forwarded-for": "203.0.113.77" };
  const body = { client_id: "tv", tenant: tenant.slug };
  const answers = [];
  for (let n = 0; n < 31; n++) {
    answers.push((await callApi("/v1/auth/device/code", { body, headers })).status);
  }
  assert.deepEqual([answers.filter((status) => status === 200).length, answers.at(-1)], [30, 429]);
});

Deno.test("a person banned after they approved lets nothing in", async () => {
  const tenant = await createTenant();
  const person = await createMember(tenant);
  const codes = await begin(tenant.slug);
  await decide(person, codes.user_code);
  await admin().auth.admin.updateUserById(person.id, { ban_duration: "1h" });
  const answer = await callApi("/v1/auth/device/token", {
    body: {
      grant_type: "urn:ietf:params:oauth:grant-type:device_code",
      device_code: codes.device_code,
      client_id: "Station 7",
    },
  });
  await assertProblem(answer, 403, "auth.banned");
});

Deno.test("a membership that ends takes the device's view with it", async () => {
  const tenant = await createTenant();
  const person = await createMember(tenant);
  const codes = await begin(tenant.slug);
  await decide(person, codes.user_code);
  const device = clientWith((await poll(codes)).access_token);
  assert.equal((await device.from("tenants").select("id")).data?.length, 1);
  await person.client.rpc("members_leave", { tenant_id: tenant.id });
  assert.deepEqual((await device.from("tenants").select("id")).data, []);
});

Deno.test("nobody reads codes, nor asks the functions' own doors", async () => {
  const tenant = await createTenant();
  const { client } = await createMember(tenant, "owner");
  const codes = await begin(tenant.slug);
  const doors = {
    device_codes_begin: { tenant: tenant.slug, client: "x", digest: "x", user_code: "x" },
    device_codes_poll: { digest: "x", client: "x" },
    device_codes_renew: { digest: "x", client: "x" },
    device_codes_opened: {
      device: crypto.randomUUID(),
      session: crypto.randomUUID(),
      secret: "x",
      used: null,
    },
    device_codes_show: { person: crypto.randomUUID(), user_code: "x" },
    device_codes_decide: {
      person: crypto.randomUUID(),
      session: crypto.randomUUID(),
      user_code: "x",
      approve: true,
    },
  };
  for (const [name, args] of Object.entries(doors)) {
    for (const caller of [client, anonymous()]) {
      const { error } = await caller.rpc(name, args);
      assert.ok(["42501", "PGRST202"].includes(error?.code ?? ""), `${name}: ${error?.code}`);
    }
  }
  const kept = await withDatabase((sql) =>
    sql`select c::text as row from private.device_codes c where c.tenant_id = ${tenant.id}`
  );
  assert.equal(kept.some(({ row }) => row.includes(codes.device_code)), false);
  await wait(codes);
  await assertRefused(
    admin().rpc("device_codes_show", { person: crypto.randomUUID(), user_code: "BCDFGHJK" }),
    404,
    "device_codes.not_found",
  );
});

Deno.test("a request that is none is refused by its schema", async () => {
  const token = await tokenOf(await createPerson());
  await assertProblem(
    await callApi("/v1/auth/device/approve", { token, body: { user_code: "x" } }),
    422,
    "request.invalid",
  );
  await assertProblem(
    await callApi("/v1/auth/device/code", { body: { client_id: "tv" } }),
    422,
    "request.invalid",
  );
  await assertProblem(
    await callApi("/v1/auth/device/token", {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: "grant_type=x",
    }),
    415,
    "request.unsupported_media_type",
  );
});
