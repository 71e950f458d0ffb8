import assert from "node:assert/strict";
import { inTenant, signedIn } from "shared/auth/signed_in.ts";
import { application } from "shared/http/application.ts";
import type { InTenant } from "shared/http/env.ts";
import { router } from "shared/http/router.ts";
import { assertProblem, tokenOf } from "../support/api.ts";
import { createPerson, type Person } from "../support/clients.ts";
import { createTestServices } from "../support/services.ts";
import { getStack } from "../support/stack.ts";
import { addMember, createTenant } from "../support/tenants.ts";

/** An application on the running project, with one route that answers which tenant it is in. */
function createTestApp() {
  const { url, publishableKey, secretKey } = getStack();
  const { services } = createTestServices({
    SUPABASE_URL: url,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: secretKey }),
  });
  const routes = router<InTenant>();
  routes.get("/here", signedIn, inTenant, (c) => c.json(c.var.tenant));
  return application(services).route("/", routes);
}

async function ask(person: Person, slug?: string) {
  return await createTestApp().request("/here", {
    headers: {
      authorization: `Bearer ${await tokenOf(person)}`,
      ...(slug === undefined ? {} : { "nexus-tenant": slug }),
    },
  });
}

Deno.test("a route in a tenant takes the one named by Nexus-Tenant", async () => {
  const person = await createPerson();
  const [first, second] = [
    await createTenant({ owner: person.id, modules: [] }),
    await createTenant({ owner: person.id, modules: [] }),
  ];
  for (const { id, slug } of [first, second]) {
    assert.deepEqual(await (await ask(person, slug)).json(), { id, role: "owner" });
  }
});

Deno.test("without the header it takes a person's only membership, and asks when there are several", async () => {
  const person = await createPerson();
  await assertProblem(await ask(person), 404, "tenants.not_found");
  const only = await createTenant({ owner: person.id, modules: [] });
  assert.deepEqual(await (await ask(person)).json(), { id: only.id, role: "owner" });
  await createTenant({ owner: person.id, modules: [] });
  await assertProblem(await ask(person), 400, "tenants.ambiguous");
});

Deno.test("a tenant of others is as unknown as one that does not exist", async () => {
  const person = await createPerson();
  const foreign = await createTenant({ owner: (await createPerson()).id, modules: [] });
  const known = await assertProblem(await ask(person, foreign.slug), 404, "tenants.not_found");
  const unknown = await assertProblem(
    await ask(person, "no-such-tenant"),
    404,
    "tenants.not_found",
  );
  assert.deepEqual({ ...known, request_id: "" }, { ...unknown, request_id: "" });
});

Deno.test("a membership that is not active opens nothing", async () => {
  const owner = await createPerson();
  const member = await createPerson();
  const tenant = await createTenant({ owner: owner.id, modules: [] });
  await addMember(tenant, member);
  assert.equal((await ask(member, tenant.slug)).status, 200);
  const suspended = await owner.client.rpc("members_set_status", {
    tenant_id: tenant.id,
    person: member.id,
    status: "suspended",
    reason: "For the test",
  });
  assert.equal(suspended.error, null);
  await assertProblem(await ask(member, tenant.slug), 403, "members.not_active");
});

Deno.test("an ended session opens nothing", async () => {
  const person = await createPerson();
  const { slug } = await createTenant({ owner: person.id, modules: [] });
  const headers = { authorization: `Bearer ${await tokenOf(person)}`, "nexus-tenant": slug };
  await person.client.auth.signOut();
  const response = await createTestApp().request("/here", { headers });
  await assertProblem(response, 401, "auth.session_ended");
});
