import assert from "node:assert/strict";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { createPerson } from "../support/clients.ts";
import { createMember, createTenant } from "../support/tenants.ts";

async function createWorld() {
  const tenant = await createTenant();
  const [admin, member] = [await createMember(tenant, "admin"), await createMember(tenant)];
  const path = `/v1/tenants/${tenant.slug}`;
  return {
    tenant,
    path,
    admin: await tokenOf(admin),
    member: await tokenOf(member),
    change: (token: string, body: unknown, headers: Record<string, string> = {}) =>
      callApi(path, { method: "PATCH", token, body, headers }),
  };
}

Deno.test("a member reads the tenant with its version as ETag, and learns when nothing is new", async () => {
  const { tenant, path, member } = await createWorld();
  const response = await callApi(path, { token: member });
  assert.equal(response.status, 200);
  const body = await response.json();
  assert.deepEqual([body.id, body.name, body.version], [tenant.id, tenant.name, 1]);
  assert.equal(response.headers.get("etag"), '"1"');
  const known = await callApi(path, { token: member, headers: { "if-none-match": '"1"' } });
  assert.deepEqual([known.status, await known.text()], [304, ""]);
  const old = await callApi(path, { token: member, headers: { "if-none-match": '"0"' } });
  assert.equal(old.status, 200);
});

Deno.test("an admin changes what they name, and gets the next version", async () => {
  const { change, admin, tenant } = await createWorld();
  const response = await change(admin, { name: "Renamed", time_zone: "Europe/Zurich" }, {
    "if-match": '"1"',
  });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("etag"), '"2"');
  const body = await response.json();
  assert.deepEqual([body.name, body.time_zone, body.slug], [
    "Renamed",
    "Europe/Zurich",
    tenant.slug,
  ]);
});

Deno.test("of two who edit the same version one wins, and the other is told", async () => {
  const { change, admin, path } = await createWorld();
  const edit = (name: string) => change(admin, { name }, { "if-match": '"1"' });
  const answers = await Promise.all([edit("First"), edit("Second")]);
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 412]);
  const winner = await answers.find(({ status }) => status === 200)!.json();
  const loser = answers.find(({ status }) => status === 412)!;
  await assertProblem(loser, 412, "request.precondition_failed");
  const now = await (await callApi(path, { token: admin })).json();
  assert.deepEqual([now.name, now.version], [winner.name, 2]);
});

Deno.test("an If-Match that is no version of ours changes nothing", async () => {
  const { change, admin } = await createWorld();
  for (const header of ['"7"', '"x"', "1"]) {
    const response = await change(admin, { name: "Never" }, { "if-match": header });
    await assertProblem(response, 412, "request.precondition_failed");
  }
  assert.equal((await change(admin, { name: "Any" }, { "if-match": "*" })).status, 200);
  assert.equal((await change(admin, { name: "None" })).status, 200);
});

Deno.test("a member may not, a stranger learns nothing, nobody is asked to sign in", async () => {
  const { change, member, path } = await createWorld();
  await assertProblem(await change(member, { name: "Mine" }), 403, "members.permission_denied");
  const stranger = await tokenOf(await createPerson());
  await assertProblem(await callApi(path, { token: stranger }), 404, "tenants.not_found");
  await assertProblem(await change(stranger, { name: "Mine" }), 404, "tenants.not_found");
  await assertProblem(await callApi(path), 401, "auth.required");
});

Deno.test("what does not fit is refused, and says why", async (t) => {
  const { change, admin, path } = await createWorld();
  const faults: [string, unknown, string][] = [
    ["nothing", {}, "request.invalid"],
    ["another field", { slug: "other" }, "request.invalid"],
    ["a version", { version: 9 }, "request.invalid"],
    ["an unknown time zone", { time_zone: "Mars/Olympus" }, "request.invalid"],
    ["an unknown module", { modules: ["teleport"] }, "tenants.module_unknown"],
    ["an unknown feature", { settings: { features: { "x.y": true } } }, "limits.feature_unknown"],
    ["a script as address", { logo_url: "javascript:alert(1)" }, "request.invalid"],
    ["settings that are too large", { settings: { a: "x".repeat(9000) } }, "request.invalid"],
  ];
  for (const [name, body, code] of faults) {
    await t.step(name, async () => {
      await assertProblem(await change(admin, body), 422, code);
    });
  }
  assert.equal((await (await callApi(path, { token: admin })).json()).version, 1);
});
