import assert from "node:assert/strict";
import fc from "fast-check";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { admin, createPerson } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { addMember, createTenant } from "../support/tenants.ts";

const me = (token: string) => callApi("/v1/users/me", { token });
const update = (token: string, body: unknown) =>
  callApi("/v1/users/me", { method: "PATCH", token, body });

Deno.test("GET /users/me is the person, and nothing of their tenants before they have any", async () => {
  const person = await createPerson();
  const response = await me(await tokenOf(person));
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("cache-control"), "no-store");
  const { display_name, ...body } = await response.json();
  assert.ok(display_name.length > 0);
  assert.deepEqual(body, {
    id: person.id,
    email: person.email,
    email_verified: true,
    avatar_url: null,
    impersonation: null,
    locale: null,
    time_zone: null,
    preferences: {},
    deletion_due_at: null,
    two_factor_required: false,
    providers: ["email"],
    tenants: [],
  });
});

Deno.test("GET /users/me lists each membership with its role, modules and permissions", async () => {
  const person = await createPerson();
  const owned = await createTenant({ owner: person.id });
  const { slug, id } = await createTenant({ owner: (await createPerson()).id, modules: [] });
  await addMember({ id }, person, "guest");

  const { tenants } = await (await me(await tokenOf(person))).json();
  const bySlug = new Map(tenants.map((tenant: { slug: string }) => [tenant.slug, tenant]));
  assert.equal(bySlug.size, 2);
  const asOwner = bySlug.get(owned.slug) as Record<string, unknown>;
  assert.deepEqual([asOwner.role, asOwner.status, asOwner.modules], ["owner", "active", [
    "wallet",
  ]]);
  assert.ok((asOwner.permissions as string[]).includes("wallet.transfer"));
  const asGuest = bySlug.get(slug) as Record<string, unknown>;
  assert.deepEqual([asGuest.role, asGuest.modules], ["guest", []]);
  assert.ok(!(asGuest.permissions as string[]).some((name) => name.startsWith("wallet.")));
});

Deno.test("PATCH /users/me changes what it names and leaves the rest", async () => {
  const person = await createPerson();
  const token = await tokenOf(person);
  const changes = {
    display_name: "  Ana 🙂 ",
    locale: "de-CH",
    time_zone: "Europe/Zurich",
    preferences: { theme: "dark", apps: { cafe: { list: [1, null, "é"] } } },
  };
  const changed = await (await update(token, changes)).json();
  assert.deepEqual([changed.display_name, changed.locale, changed.time_zone, changed.preferences], [
    "Ana 🙂",
    changes.locale,
    changes.time_zone,
    changes.preferences,
  ]);
  const reset = await (await update(token, { locale: null })).json();
  assert.deepEqual({ ...changed, locale: null }, reset);
  assert.deepEqual(await (await me(token)).json(), reset);
  assert.deepEqual(await (await update(token, {})).json(), reset);
});

Deno.test("PATCH /users/me refuses every other field, and values that do not fit", async (t) => {
  const person = await createPerson();
  const token = await tokenOf(person);
  const before = await (await me(token)).json();
  const faults: Record<string, unknown> = {
    "another field": { email: "eve@nexus.test" },
    "an id": { id: crypto.randomUUID() },
    "a field beside good ones": { display_name: "Eve", role: "owner" },
    "a blank name": { display_name: "   " },
    "no name": { display_name: null },
    "a long name": { display_name: "x".repeat(81) },
    "a name that cannot be stored": { display_name: "a\0b" },
    "an unknown time zone": { time_zone: "Mars/Olympus" },
    "a locale that is none": { locale: "Deutsch!" },
    "preferences that are no object": { preferences: [] },
    "preferences that are too large": { preferences: { apps: { a: "x".repeat(9000) } } },
    "preferences that nobody knows": { preferences: { colour: "blue" } },
    "preferences that cannot be stored": '{"preferences":{"apps":{"a":"\\ud800"}}}',
    "a list": [],
    "no JSON": "{",
    "nothing": "",
  };
  for (const [name, body] of Object.entries(faults)) {
    await t.step(name, async () => {
      await assertProblem(await update(token, body), 422, "request.invalid");
    });
  }
  assert.deepEqual(await (await me(token)).json(), before);
});

Deno.test("PATCH /users/me survives any JSON: an answer it declares, and never our fault", async () => {
  const token = await tokenOf(await createPerson());
  const keys = fc.constantFrom("display_name", "locale", "time_zone", "preferences", "x");
  const values = fc.oneof(fc.jsonValue(), fc.string({ unit: "binary", maxLength: 100 }));
  await fc.assert(
    fc.asyncProperty(fc.dictionary(keys, values), async (body) => {
      const response = await update(token, body);
      const { code } = await response.json();
      assert.ok(
        response.status === 200 || code === "request.invalid",
        `${response.status} ${code}`,
      );
    }),
    { numRuns: 60 },
  );
});

Deno.test("/users/me without a good token is 401 auth.required", async () => {
  const token = await tokenOf(await createPerson());
  for (const bad of [undefined, "garbage", `${token}x`]) {
    const call = bad === undefined ? {} : { token: bad };
    await assertProblem(await callApi("/v1/users/me", call), 401, "auth.required");
  }
  const patch = { method: "PATCH", body: { display_name: "Eve" } };
  await assertProblem(await callApi("/v1/users/me", patch), 401, "auth.required");
});

Deno.test("A6: a session that was signed out is over at once, whatever its token says", async () => {
  const person = await createPerson();
  const token = await tokenOf(person);
  assert.equal((await me(token)).status, 200);
  await person.client.auth.signOut();
  await assertProblem(await me(token), 401, "auth.session_ended");
  await assertProblem(await update(token, { locale: "de" }), 401, "auth.session_ended");
});

Deno.test("A5: a banned person is out with their next statement", async () => {
  const person = await createPerson();
  const token = await tokenOf(person);
  const { error } = await admin().auth.admin.updateUserById(person.id, { ban_duration: "1h" });
  assert.equal(error, null);
  await assertProblem(await me(token), 401, "auth.session_ended");
});

Deno.test("the trail records a change with its request id, address and agent", async () => {
  const person = await createPerson();
  const token = await tokenOf(person);
  const requestId = crypto.randomUUID();
  const response = await callApi("/v1/users/me", {
    method: "PATCH",
    token,
    body: { display_name: "Traced" },
    headers: {
      "x-request-id": requestId,
      "x-forwarded-for": "203.0.113.77",
      "user-agent": "trail-test/1",
    },
  });
  assert.equal(response.headers.get("x-request-id"), requestId);
  const [line] = await withDatabase((sql) =>
    sql`
      select l.action, l.actor, host(d.ip) as ip, d.user_agent
      from private.audit_log l join private.audit_details d using (tenant_id, id)
      where l.request_id = ${requestId}`
  );
  assert.deepEqual(line, {
    action: "USER_UPDATED",
    actor: person.id,
    ip: "203.0.113.77",
    user_agent: "trail-test/1",
  });
});
