import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { createMember } from "../support/tenants.ts";
import { approve, createReviewed, handed, saveType } from "./support.ts";

Deno.test("no badge without a match: neither of such a type, nor of what was approved before it asked", async () => {
  const campus = await createReviewed();
  const { tenant, owner, rita } = campus;
  const ana = await createMember(tenant);
  const save = (changes: Record<string, unknown>) => saveType(owner, tenant, "degree", changes);
  await assertRefused(save({ badge: true }), 422, "request.invalid");
  await approve(campus, await handed(ana, tenant, { type: "degree" }));
  await must(save({ badge: true, must_match: ["name"] }));
  await assertRefused(save({ must_match: [] }), 422, "request.invalid");
  const badges = () =>
    must<unknown[]>(
      rita.client.rpc("documents_badges", { tenant_id: tenant.id, person: ana.id }),
    );
  assert.deepEqual(await badges(), []);
  const anew = await handed(ana, tenant, { type: "degree", fields: { stated_name: "Ana Lima" } });
  await approve(campus, anew, { matched: ["name"] });
  assert.equal((await badges()).length, 1);
  await must(save({ badge: false, must_match: [] }));
  assert.deepEqual(await badges(), []);
});
