import { deepStrictEqual as assertEquals } from "node:assert/strict";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { must } from "../support/answers.ts";
import { type Person } from "../support/clients.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";

const search = async (by: Person, tenant: Tenant, query: Record<string, string> = {}) =>
  await callApi(`/v1/admin/audit-logs?${new URLSearchParams(query)}`, {
    token: await tokenOf(by),
    headers: { "nexus-tenant": tenant.slug },
  });

async function namedTenant(name: string) {
  const tenant = await createTenant();
  const owner = await createMember(tenant, "owner");
  await must(owner.client.from("tenants").update({ name }).eq("id", tenant.id));
  return { tenant, owner };
}

Deno.test("GET /admin/audit-logs pages through the tenant's trail", async () => {
  const { tenant, owner } = await namedTenant("Renamed");
  const actions: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query: Record<string, string> = cursor ? { limit: "1", cursor } : { limit: "1" };
    const response = await search(owner, tenant, { ...query, to: "2100-01-01T00:00:00Z" });
    assertEquals(response.status, 200);
    const page = await response.json();
    assertEquals(Object.keys(page).sort(), ["data", "next_cursor"]);
    actions.push(...page.data.map(({ action }: { action: string }) => action));
    cursor = page.next_cursor;
  }
  assertEquals(actions, ["TENANT_UPDATED", "MEMBER_JOINED", "TENANT_CREATED"]);
});

Deno.test("GET /admin/audit-logs filters, and passes the request on to the trail", async () => {
  const { tenant, owner } = await namedTenant("Renamed");
  const requestId = crypto.randomUUID();
  await callApi(`/v1/admin/audit-logs?actor=${owner.id}&action=TENANT_UPDATED`, {
    token: await tokenOf(owner),
    headers: { "nexus-tenant": tenant.slug, "x-request-id": requestId },
  });
  const response = await search(owner, tenant, { action: "AUDIT_READ" });
  const { data } = await response.json();
  assertEquals([data[0].request_id, data[0].after], [requestId, {
    actor: owner.id,
    action: "TENANT_UPDATED",
  }]);
});

Deno.test("as CSV every cell is safe for spreadsheets", async () => {
  const { tenant, owner } = await namedTenant('=HYPERLINK("http://x.test")');
  const response = await search(owner, tenant, { format: "csv", action: "TENANT_UPDATED" });
  assertEquals(response.headers.get("content-type"), "text/csv; charset=utf-8");
  const [head, line] = (await response.text()).split("\r\n");
  assertEquals(head!.includes("created_at,action,resource,actor"), true);
  assertEquals(/(^|,)"?[=+@-]/.test(line!), false, line!);
});

Deno.test("GET /admin/audit-logs refuses what is not of its form and who may not", async (t) => {
  const { tenant, owner } = await namedTenant("Renamed");
  const member = await createMember(tenant);
  const outsider = await createMember(await createTenant(), "owner");
  const bad: Record<string, string>[] = [
    { limit: "101" },
    { limit: "0" },
    { cursor: "x" },
    { actor: "somebody" },
    { from: "yesterday" },
    { format: "xml" },
  ];
  for (const query of bad) {
    await t.step(JSON.stringify(query), async () => {
      await assertProblem(await search(owner, tenant, query), 422, "request.invalid");
    });
  }
  await t.step("a member", async () => {
    await assertProblem(await search(member, tenant), 403, "members.permission_denied");
  });
  await t.step("an outsider", async () => {
    await assertProblem(await search(outsider, tenant), 404, "tenants.not_found");
  });
  await t.step("nobody", async () => {
    await assertProblem(await callApi("/v1/admin/audit-logs"), 401, "auth.required");
  });
});
