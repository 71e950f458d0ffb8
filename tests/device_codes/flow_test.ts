import assert from "node:assert/strict";
import { must } from "../support/answers.ts";
import { callApi, tokenOf } from "../support/api.ts";
import { admin } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import { clientWith } from "../sessions/support.ts";
import { ask, begin, decide, grantType, poll, renew, wait } from "./support.ts";

Deno.test("a device shows a code, a person approves it, and it has a session of the one tenant", async () => {
  const [tenant, other] = await Promise.all([createTenant(), createTenant()]);
  const person = await createMember(tenant);
  await must(admin().rpc("members_add", { tenant_id: other.id, person: person.id }));
  const codes = await begin(tenant.slug);
  assert.match(codes.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  assert.match(codes.device_code, /^[\w-]{43}$/);
  assert.deepEqual([codes.expires_in, codes.interval], [600, 5]);
  assert.ok(codes.verification_uri.endsWith("/device"));
  assert.equal(
    codes.verification_uri_complete,
    `${codes.verification_uri}?user_code=${codes.user_code}`,
  );
  assert.equal((await poll(codes)).error, "authorization_pending");

  // However it is typed.
  const shown = await decide(person, ` ${codes.user_code.replace("-", " ").toLowerCase()}`, "show");
  const { client, place, tenant: at } = await shown.json();
  assert.deepEqual([client, place, at.slug], ["Station 7", null, tenant.slug]);
  const approved = await decide(person, codes.user_code);
  assert.deepEqual(await approved.json(), { client: "Station 7", approved: true });

  await wait(codes);
  const tokens = await poll(codes);
  assert.equal(tokens.token_type, "bearer");
  const device = clientWith(tokens.access_token);
  assert.deepEqual(await must(device.from("tenants").select("id")), [{ id: tenant.id }]);
  assert.equal((await device.rpc("people_session")).data.person_id, person.id);

  const listed = await (await callApi("/v1/sessions", { token: await tokenOf(person) })).json();
  const { id } = listed.data.find(({ device }: { device: string }) => device === "Station 7");
  const mail = await mailTo(person.email, "device_codes.approved");
  assert.match(mail.text, /Station 7/);
  await must(person.client.rpc("sessions_end", { session: id }));
  assert.equal((await renew(tokens)).error, "invalid_grant");
  assert.equal((await device.rpc("people_session")).error?.message, "auth.session_ended");
});

Deno.test("OAuth clients speak in forms, and are answered as RFC 8628 has it", async () => {
  const tenant = await createTenant();
  const form = (path: string, body: Record<string, string>) =>
    callApi(`/v1/auth/device${path}`, {
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(body).toString(),
    });
  const begun = await form("/code", { client_id: "tv", tenant: tenant.slug, scope: "all" });
  assert.equal(begun.status, 200);
  const { device_code } = await begun.json();
  const answer = await form("/token", { grant_type: grantType, device_code, client_id: "tv" });
  assert.equal(answer.status, 400);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  const body = await answer.json();
  assert.equal(body.error, "authorization_pending");
  assert.ok(body.error_description);
});

Deno.test("a device that asks too often is slowed down, five seconds more each time", async () => {
  const tenant = await createTenant();
  const codes = await begin(tenant.slug);
  assert.equal((await poll(codes)).error, "authorization_pending");
  assert.equal((await poll(codes)).error, "slow_down");
  assert.equal((await poll(codes)).error, "slow_down");
  const [row] = await withDatabase((sql) =>
    sql`select interval_seconds from private.device_codes where user_code = ${
      codes.user_code.replace("-", "")
    }`
  );
  assert.equal(row!.interval_seconds, 15);
  await wait(codes);
  assert.equal((await poll(codes)).error, "authorization_pending");
});

Deno.test("a code refused, run out, unknown, of another device or of another grant gives nothing", async () => {
  const tenant = await createTenant();
  const person = await createMember(tenant);
  const denied = await begin(tenant.slug);
  assert.deepEqual(await (await decide(person, denied.user_code, "deny")).json(), {
    client: "Station 7",
    approved: false,
  });
  assert.equal((await poll(denied)).error, "access_denied");
  assert.equal((await decide(person, denied.user_code)).status, 404);

  const late = await begin(tenant.slug);
  await decide(person, late.user_code);
  await withDatabase((sql) =>
    sql`update private.device_codes set expires_at = now() where user_code = ${
      late.user_code.replace("-", "")
    }`
  );
  assert.equal((await poll(late)).error, "expired_token");

  const codes = await begin(tenant.slug);
  await decide(person, codes.user_code);
  assert.equal((await poll(codes, "Station 8")).error, "invalid_grant");
  assert.equal((await poll({ device_code: "unknown" })).error, "invalid_grant");
  const other = await (await ask(codes.device_code, "Station 7", "password")).json();
  assert.equal(other.error, "unsupported_grant_type");
});

Deno.test("a device gets its session once, however often it asks at the same moment", async () => {
  const tenant = await createTenant();
  const person = await createMember(tenant);
  const codes = await begin(tenant.slug);
  await decide(person, codes.user_code);
  const answers = await Promise.all(Array.from({ length: 8 }, () => poll(codes)));
  assert.equal(answers.filter(({ access_token }) => access_token).length, 1);
  await wait(codes);
  assert.equal((await poll(codes)).error, "invalid_grant");
});

Deno.test("of those who approve and refuse at the same moment one is heard", async () => {
  const tenant = await createTenant();
  const people = await Promise.all([1, 2, 3].map(() => createMember(tenant)));
  const codes = await begin(tenant.slug);
  const answers = await Promise.all(
    people.map((person, at) => decide(person, codes.user_code, at === 0 ? "deny" : "approve")),
  );
  assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 404, 404]);
});

Deno.test("every state of a device code can be reached, and no other step is taken", async () => {
  await withDatabase(async (sql) => {
    const steps = await sql`select from_state, to_state from private.transitions
      where machine = 'device_codes' order by 1, 2`;
    assert.deepEqual(steps.map(({ from_state, to_state }) => [from_state, to_state]), [
      ["approved", "used"],
      ["pending", "approved"],
      ["pending", "denied"],
    ]);
  });
  const tenant = await createTenant();
  const person = await createMember(tenant);
  const codes = await begin(tenant.slug);
  await decide(person, codes.user_code, "deny");
  await assert.rejects(
    withDatabase((sql) =>
      sql`update private.device_codes set status = 'approved' where user_code = ${
        codes.user_code.replace("-", "")
      }`
    ),
    { message: "request.transition_refused" },
  );
});
