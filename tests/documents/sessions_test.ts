import assert from "node:assert/strict";
import { impersonate } from "../admin/support.ts";
import { openSession } from "../sessions/support.ts";
import { must } from "../support/answers.ts";
import { assertProblem } from "../support/api.ts";
import { withDatabase } from "../support/database.ts";
import { createMember } from "../support/tenants.ts";
import { act, createApplicant, createCampus, hand, handed } from "./support.ts";

Deno.test("nobody hands in or decides for somebody else: two reviewers are two people", async () => {
  const tenant = await createCampus();
  const [owner, rita, ana, ben] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant, "staff"),
    createMember(tenant),
    createApplicant(tenant),
  ]);
  const document = await handed(ben, tenant);
  const [asRita, asAna] = await Promise.all(
    [rita, ana].map((person) => impersonate({ tenant }, owner, person, { writes: true })),
  );
  const acts: [string, Record<string, unknown>][] = [
    ["claim", {}],
    ["open", {}],
    ["approve", {}],
    ["reject", { reason: "No" }],
    ["request_resubmission", { reason: "No" }],
  ];
  for (const [name, args] of acts) {
    const { error } = await act(asRita!, name, tenant, document, args);
    assert.equal(error?.message, "auth.impersonated", name);
  }
  await assertProblem(await hand(asAna!, tenant), 403, "auth.impersonated");
  await must(act(rita, "approve", tenant, document));
});

Deno.test("a session for a part of somebody reviews what it was opened for, and applies for nobody", async () => {
  const [tenant, other] = await Promise.all([createCampus(), createCampus()]);
  const rita = await createMember(tenant, "staff");
  const ana = await createApplicant(tenant);
  await must(rita.client.rpc("members_join", { tenant: other.slug }));
  const document = await handed(ana, tenant);
  const bounds = { tenant_id: tenant.id, permissions: ["documents.review"] };
  const station = await openSession(rita, { bounds });
  await must(act(station, "claim", tenant, document));
  assert.equal((await must<unknown[]>(station.client.from("documents").select("*"))).length, 1);
  for (
    const [place, code] of [[tenant, "members.permission_denied"], [
      other,
      "auth.session_bounded",
    ]] as const
  ) {
    const { error } = await station.client.rpc("documents_standing", { tenant_id: place.id });
    assert.equal(error?.message, code);
  }
  const reading = await openSession(rita, { bounds: { read_only: true } });
  await must(reading.client.rpc("documents_queue", { tenant_id: tenant.id }));
  const { error } = await act(reading, "approve", tenant, document);
  assert.equal(error?.message, "auth.read_only");
});

Deno.test("where reviewers need a second factor, none of them decides without it", async () => {
  const tenant = await createCampus();
  const [rita, ana] = await Promise.all([createMember(tenant, "staff"), createApplicant(tenant)]);
  const document = await handed(ana, tenant);
  await withDatabase((sql) =>
    sql`
      update roles set two_factor_from = now() - interval '1 minute'
      where tenant_id = ${tenant.id} and slug = 'staff'`
  );
  const { error } = await act(rita, "approve", tenant, document);
  assert.equal(error?.message, "two_factor.required");
  assert.deepEqual(await must(rita.client.from("documents").select("*")), []);
});
