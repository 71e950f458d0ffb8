import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, type Tenant } from "../support/tenants.ts";
import {
  act,
  createApplicant,
  createCampus,
  type Document,
  handed,
  saveType,
  stored,
} from "./support.ts";

async function call(person: Person, { slug }: Tenant, path = "", body?: unknown) {
  return await callApi(`/v1/admin/documents${path}`, {
    token: await tokenOf(person),
    headers: { "nexus-tenant": slug },
    ...(path.startsWith("/") ? { method: "POST" } : {}),
    ...(body === undefined ? {} : { body }),
  });
}

const post = (person: Person, tenant: Tenant, id: string, act: string, body?: unknown) =>
  call(person, tenant, `/${id}/${act}`, body);

Deno.test("reviewers page through what waits, the longest waiting first, and filter it", async () => {
  const tenant = await createCampus();
  const [rita, tom] = await Promise.all([
    createMember(tenant, "staff"),
    createMember(tenant, "admin"),
  ]);
  const people = await Promise.all(Array.from({ length: 5 }, () => createApplicant(tenant)));
  const documents: Document[] = [];
  for (const person of people) documents.push(await handed(person, tenant));
  await withDatabase((sql) =>
    sql`
      update documents set submitted_at = now() - interval '2 days'
      where id = ${documents[3]!.id}`
  );
  await must(act(tom, "claim", tenant, documents[0]!));
  const list = async (query: string) => {
    const response = await call(rita, tenant, query);
    assert.equal(response.status, 200);
    return await response.json();
  };
  const ids = ({ data }: { data: { id: string }[] }) => data.map(({ id }) => id);
  const order = [3, 0, 1, 2, 4].map((at) => documents[at]!.id);
  const first = await list("?limit=3");
  assert.deepEqual(ids(first), order.slice(0, 3));
  const { waiting_seconds, reviewer, file_id, display_name } = first.data[0];
  assert.ok(waiting_seconds >= 2 * 86_400 && waiting_seconds < 2 * 86_400 + 600);
  assert.deepEqual([reviewer, display_name], [null, "Member"]);
  assert.equal(first.data[1].reviewer, tom.id);
  const second = await list(`?limit=3&cursor=${encodeURIComponent(first.next_cursor)}`);
  assert.deepEqual(ids(second), order.slice(3));
  assert.equal(second.next_cursor, null);
  assert.deepEqual(ids(await list("?claimed=others")), [documents[0]!.id]);
  assert.deepEqual(ids(await list("?claimed=me")), []);
  assert.equal(ids(await list("?claimed=nobody")).length, 4);
  assert.deepEqual(ids(await list("?status=in_review")), [documents[0]!.id]);
  assert.deepEqual(ids(await list("?type=degree")), []);
  assert.deepEqual(ids(await list(`?person=${people[2]!.id}`)), [documents[2]!.id]);
  const yesterday = new Date(Date.now() - 86_400_000).toISOString();
  assert.deepEqual(ids(await list(`?to=${yesterday}`)), [documents[3]!.id]);

  assert.ok(file_id);
  await assertProblem(await call(rita, tenant, "?cursor=x"), 422, "request.invalid");
  await assertProblem(await call(rita, tenant, "?status=lost"), 422, "request.invalid");
  const member = await createMember(tenant);
  await assertProblem(await call(member, tenant), 403, "members.permission_denied");
  await assertProblem(await call(people[0]!, tenant), 403, "members.not_active");
  const off = await createTenant();
  const stranger = await createMember(off, "owner");
  await assertProblem(await call(stranger, tenant), 404, "tenants.not_found");
  await assertProblem(await call(stranger, off), 404, "tenants.module_off");
});

Deno.test("a scan is opened by those who check documents alone, and the trail says by whom", async () => {
  const tenant = await createCampus();
  const [owner, rita, member, ana] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant, "staff"),
    createMember(tenant),
    createApplicant(tenant),
  ]);
  const document = await handed(ana, tenant);
  const { file_id } = await stored(document);
  const answer = await post(rita, tenant, document.id, "scan");
  const { url, expires_at } = await answer.json();
  assert.equal(answer.status, 200);
  assert.equal((await fetch(url)).headers.get("content-type"), "application/pdf");
  assert.ok(Date.parse(expires_at) > Date.now());
  const opened = await withDatabase((sql) =>
    sql`select actor from private.audit_log
      where action = 'DOCUMENT_OPENED' and resource = ${`documents:${document.id}`}`
  );
  assert.deepEqual(opened.map(({ actor }) => actor), [rita.id]);

  // Past that door it is not there, for whoever reviews files either.
  for (const reviewer of [rita, owner]) {
    assert.deepEqual(await must(reviewer.client.from("files").select("id")), []);
    const link = await callApi(`/v1/uploads/${file_id}/link`, {
      token: await tokenOf(reviewer),
      headers: { "nexus-tenant": tenant.slug },
    });
    await assertProblem(link, 404, "files.not_found");
    const release = reviewer.client.rpc("files_release", { tenant_id: tenant.id, file: file_id });
    await assertRefused(release, 404, "files.not_found");
    const { data } = await reviewer.client.storage.from("documents").list(
      `${tenant.id}/${ana.id}/${file_id}`,
    );
    assert.deepEqual(data ?? [], []);
  }
  await assertProblem(
    await post(member, tenant, document.id, "scan"),
    403,
    "members.permission_denied",
  );
  await assertProblem(
    await post(rita, tenant, crypto.randomUUID(), "scan"),
    404,
    "documents.not_found",
  );
  await post(rita, tenant, document.id, "reject", { reason: "Not readable" });
  await assertProblem(await post(rita, tenant, document.id, "scan"), 404, "documents.not_found");
});

Deno.test("each decision over HTTP, and each of its refusals", async () => {
  const tenant = await createCampus();
  const [owner, rita, tom] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant, "staff"),
    createMember(tenant, "staff"),
  ]);
  await must(saveType(owner, tenant, "degree", { two_person: true, must_match: ["name"] }));
  const ana = await createApplicant(tenant);
  const { id } = await handed(ana, tenant);
  const taken = await post(rita, tenant, id, "claim");
  assert.deepEqual([taken.status, (await taken.json()).status], [200, "in_review"]);
  for (const name of ["claim", "approve", "reject", "request-resubmission"]) {
    const body = name === "claim" ? undefined : name === "approve" ? {} : { reason: "No" };
    await assertProblem(await post(tom, tenant, id, name, body), 409, "documents.claimed");
    const unknown = crypto.randomUUID();
    const missing = await post(tom, tenant, unknown, name, body);
    await assertProblem(missing, 404, "documents.not_found");
  }
  await assertProblem(
    await post(tom, tenant, id, "release"),
    409,
    "request.transition_refused",
  );
  assert.equal((await (await post(rita, tenant, id, "release")).json()).status, "submitted");
  const wanted = await post(tom, tenant, id, "request-resubmission", { reason: "Sharper, please" });
  assert.deepEqual([wanted.status, (await wanted.json()).reason], [200, "Sharper, please"]);
  await assertProblem(await post(tom, tenant, id, "reject", {}), 422, "request.invalid");
  await handed(ana, tenant);
  const rejected = await post(tom, tenant, id, "reject", { reason: "Not yours" });
  assert.equal((await rejected.json()).status, "rejected");
  await assertProblem(
    await post(tom, tenant, id, "approve", {}),
    409,
    "request.transition_refused",
  );

  const fields = { stated_name: "Ana" };
  const degree = await handed(ana, tenant, { type: "degree", fields });
  await assertProblem(
    await post(tom, tenant, degree.id, "approve", {}),
    422,
    "documents.match_needed",
  );
  const approval = { matched: ["name"], expires_at: "2999-01-01T00:00:00Z" };
  assert.equal((await post(tom, tenant, degree.id, "approve", approval)).status, 200);
  await assertProblem(
    await post(tom, tenant, degree.id, "approve", approval),
    403,
    "documents.second_reviewer_needed",
  );
  const done = await (await post(rita, tenant, degree.id, "approve", approval)).json();
  assert.deepEqual([done.status, Date.parse(done.expires_at)], [
    "approved",
    Date.parse(approval.expires_at),
  ]);
  const own = await handed(rita, tenant);
  await assertProblem(
    await post(rita, tenant, own.id, "approve", {}),
    403,
    "documents.own_document",
  );
});

Deno.test("types begin with the module, are the admin's to change, and keep to their rules", async () => {
  const tenant = await createTenant({ modules: [] });
  const [owner, staff] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant, "staff"),
  ]);
  await must(
    owner.client.from("tenants").update({ modules: ["documents"] }).eq("id", tenant.id),
  );
  for (const change of [{ modules: [] }, { modules: ["wallet"] }]) {
    const { error } = await owner.client.from("tenants")
      .update({ registration_policy: "documents", ...change }).eq("id", tenant.id);
    assert.equal(error?.message, "request.invalid");
  }
  const types = await must<{ slug: string }[]>(owner.client.from("documents_types").select("slug"));
  assert.equal(types.length, 5);
  const { error } = await saveType(staff, tenant, "degree", { required: true });
  assert.equal(error?.message, "members.permission_denied");
  const made = await must<Record<string, unknown>>(
    saveType(owner, tenant, "club_card", {
      name: " Club card ",
      valid_days: 365,
      remind_days: [3],
    }),
  );
  assert.deepEqual([made.name, made.valid_days, made.remind_days, made.required], [
    "Club card",
    365,
    [3],
    false,
  ]);
  const changed = await must<Record<string, unknown>>(
    saveType(owner, tenant, "club_card", { valid_days: null, required: true }),
  );
  assert.deepEqual([changed.name, changed.valid_days, changed.required], [
    "Club card",
    null,
    true,
  ]);
  const faults: [string, Record<string, unknown> | null][] = [
    ["Not a slug", {}],
    ["x", null],
    ["degree", { tenant_id: tenant.id }],
    ["degree", { name: "" }],
    ["degree", { name: null }],
    ["degree", { description: 5 }],
    ["degree", { required: "yes" }],
    ["degree", { max_submissions: 0 }],
    ["degree", { max_submissions: 11 }],
    ["degree", { max_submissions: 1.5 }],
    ["degree", { valid_days: 0 }],
    ["degree", { must_match: ["shoe_size"] }],
    ["degree", { must_match: "name" }],
    ["degree", { remind_days: [0] }],
    ["degree", { remind_days: [1, 2, 3, 4, 5, 6] }],
    ["degree", { remind_days: 7 }],
  ];
  for (const [slug, changes] of faults) {
    const { error } = await saveType(owner, tenant, slug, changes as Record<string, unknown>);
    assert.equal(error?.message, "request.invalid", `${slug} ${JSON.stringify(changes)}`);
  }
});
