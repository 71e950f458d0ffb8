import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { admin, anonymous, createPerson } from "../support/clients.ts";
import { addMember, createMember, createTenant } from "../support/tenants.ts";

const platform = { id: "00000000-0000-7000-8000-000000000001" };

async function operator(role: string) {
  const person = await createPerson();
  await addMember(platform, person, role);
  return person.client;
}

const calls: [name: string, args: Record<string, unknown>][] = [
  ["jobs_statistics", {}],
  ["jobs_dead_letters", {}],
  ["jobs_replay", { kind: "jobs.none" }],
  ["jobs_cancel", { tenant_id: platform.id, ids: [] }],
  ["jobs_schedules", {}],
  ["jobs_pause", { name: "jobs-cleanup" }],
  ["jobs_resume", { name: "jobs-cleanup" }],
  ["jobs_run", { name: "jobs-cleanup", dry_run: true }],
];

Deno.test("operators with jobs.manage may, other operators and owners of tenants may not", async () => {
  const tenant = await createTenant();
  const [may, mayNot, owner] = await Promise.all([
    operator("admin"),
    operator("staff"),
    createMember(tenant, "owner"),
  ]);
  for (const [name, args] of calls) {
    await must(may.rpc(name, args));
    await assertRefused(mayNot.rpc(name, args), 403, "members.permission_denied");
    await assertRefused(owner.client.rpc(name, args), 404, "tenants.not_found");
  }
});

Deno.test("an operator sees the queue and every schedule with its next run", async () => {
  const client = await operator("admin");
  const statistics = await must<Record<string, unknown>>(client.rpc("jobs_statistics"));
  for (const key of ["queued", "due", "running", "parked", "dead", "kinds", "workers"]) {
    assert.ok(key in statistics, key);
  }
  const schedules = await must<{ name: string; active: boolean; next_at: string }[]>(
    client.rpc("jobs_schedules"),
  );
  const cleanup = schedules.find(({ name }) => name === "jobs-cleanup")!;
  assert.match(cleanup.next_at, /T03:17:00/);
});

Deno.test("an unknown schedule is jobs.not_found; a replay of nothing in particular is refused", async () => {
  const client = await operator("admin");
  for (const name of ["jobs_pause", "jobs_resume", "jobs_run"]) {
    await assertRefused(client.rpc(name, { name: "jobs-none" }), 404, "jobs.not_found");
  }
  await assertRefused(client.rpc("jobs_replay", {}), 422, "request.invalid");
  await assertRefused(client.rpc("jobs_dead_letters", { cursor: "x_y" }), 422, "request.invalid");
});

Deno.test("only the secret key may work on jobs", async () => {
  const client = await operator("owner");
  const worker = crypto.randomUUID();
  const calls: [string, Record<string, unknown>][] = [
    ["jobs_claim", { worker, kinds: [] }],
    ["jobs_complete", { worker, tenants: [], ids: [] }],
    ["jobs_fail", { worker, tenant_id: worker, id: worker, error: "x" }],
    ["jobs_heartbeat", { worker }],
    ["jobs_leave", { worker }],
    ["jobs_next", {}],
  ];
  for (const [name, args] of calls) {
    for (const anybody of [client, anonymous()]) {
      assert.equal((await anybody.rpc(name, args)).error?.code, "42501", name);
    }
    if (name !== "jobs_claim") assert.equal((await admin().rpc(name, args)).error, null, name);
  }
});
