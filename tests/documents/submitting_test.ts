import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gif, pdf, png } from "../files/pictures.ts";
import { must } from "../support/answers.ts";
import { assertProblem } from "../support/api.ts";
import { admin, createPerson, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import {
  addMember,
  createMember,
  createTenant,
  setStatus,
  type Tenant,
} from "../support/tenants.ts";
import {
  act,
  createApplicant,
  createCampus,
  type Document,
  hand,
  handed,
  membershipOf,
  read,
  saveType,
} from "./support.ts";

interface Standing {
  complete: boolean;
  usual_wait_seconds: number | null;
  types: {
    type: string;
    required: boolean;
    document: {
      status: string;
      reason: string | null;
      waiting_seconds: number | null;
      submissions_left: number;
    } | null;
  }[];
}

Deno.test("an applicant hands in a document, sees where it stands, and is no member for it", async () => {
  const tenant = await createCampus();
  const ana = await createApplicant(tenant);
  const document = await handed(ana, undefined);
  assert.deepEqual(
    [document.status, document.type, document.attempt, document.person_id],
    ["submitted", "student_id", 1, ana.id],
  );
  assert.equal(document.sha256, createHash("sha256").update(pdf()).digest("hex"));
  assert.equal((await read(ana, document)).status, "submitted");
  assert.equal(await membershipOf(ana, tenant), "pending");
  assert.deepEqual(await must(ana.client.from("members").select("*")), []);

  const standing = await must<Standing>(
    ana.client.rpc("documents_standing", { tenant_id: tenant.id }),
  );
  const found = standing.types.find(({ type }) => type === "student_id")!.document!;
  assert.equal(standing.complete, false);
  assert.equal(found.status, "submitted");
  assert.ok(found.waiting_seconds! >= 0);
  assert.equal(found.submissions_left, 2);
  assert.deepEqual(
    standing.types.map(({ type }) => type).sort(),
    ["alumni", "degree", "employment", "student_id", "transcript"],
  );
});

Deno.test("nobody but its person and reviewers sees a document, its scan or who checks it", async () => {
  const tenant = await createCampus();
  const [ana, ben, staff, stranger] = await Promise.all([
    createApplicant(tenant),
    createMember(tenant),
    createMember(tenant, "staff"),
    createTenant({ modules: ["documents"] }).then((other) => createMember(other, "owner")),
  ]);
  const document = await handed(ana, tenant, { bytes: await png() });
  for (const { client } of [ben, stranger, staff]) {
    // Reviewers have the document, and open its scan by a door that leaves a line.
    const closed = client === staff.client ? ["files"] : ["documents", "documents_checks", "files"];
    for (const table of closed) {
      assert.deepEqual(await must(client.from(table).select("*").eq("tenant_id", tenant.id)), []);
    }
  }
  const [file] = await withDatabase((sql) =>
    sql`select bucket, path from files where tenant_id = ${tenant.id}`
  );
  assert.equal(file!.bucket, "documents");
  for (const { client } of [ana, ben, stranger, staff]) {
    assert.ok((await client.storage.from("documents").download(file!.path)).error);
  }
  await must(act(staff, "approve", tenant, document));
  assert.equal(
    (await must<unknown[]>(staff.client.from("documents_checks").select("*"))).length,
    1,
  );
  assert.deepEqual(await must(ana.client.from("documents_checks").select("*")), []);
});

Deno.test("what does not belong is refused by its code, and leaves no file behind", async () => {
  const [tenant, off] = await Promise.all([createCampus(), createTenant()]);
  const [ana, owner] = await Promise.all([
    createApplicant(tenant),
    createMember(tenant, "owner"),
  ]);
  const stranger = await createMember(off);
  await must(saveType(owner, tenant, "degree", { active: false }));
  await must(saveType(owner, tenant, "alumni", { must_match: ["name", "birth_date"] }));
  const refusals: [Parameters<typeof hand>, number, string][] = [
    [[ana, tenant, { type: "passport" }], 422, "documents.type_unknown"],
    [[ana, tenant, { type: "degree" }], 422, "documents.type_unknown"],
    [[ana, tenant, { bytes: new TextEncoder().encode("<html>") }], 415, "files.type_unsupported"],
    [[ana, tenant, { bytes: gif(30_000, 30_000) }], 422, "files.too_many_pixels"],
    [[ana, tenant, { type: "alumni" }], 422, "request.invalid"],
    [[ana, tenant, { type: "alumni", fields: { stated_name: "Ana" } }], 422, "request.invalid"],
    [[ana, tenant, { fields: { birth_date: "1999-02-30" } }], 422, "request.invalid"],
    [[ana, tenant, { fields: { birth_date: "2999-01-01" } }], 422, "request.invalid"],
    [[ana, { slug: "nowhere" }], 404, "tenants.not_found"],
    [[ana, off], 404, "tenants.not_found"],
    [[stranger, off], 404, "tenants.module_off"],
    [[await createPerson(), undefined], 404, "tenants.not_found"],
  ];
  for (const [call, status, code] of refusals) {
    await assertProblem(await hand(...call), status, code);
  }
  await handed(ana, tenant);
  await assertProblem(await hand(ana, tenant), 409, "documents.already_submitted");
  await addMember(off, ana);
  await assertProblem(await hand(ana, undefined), 400, "tenants.ambiguous");
  const member = await createMember(tenant);
  await setStatus(owner.client, tenant, member, "suspended");
  await assertProblem(await hand(member, tenant), 403, "members.not_active");
  const kept = await withDatabase((sql) =>
    sql`select from files where tenant_id = ${tenant.id} and status <> 'deleted'`
  );
  assert.equal(kept.length, 1);
});

const begin = ({ client }: Person, { slug }: Tenant) =>
  client.rpc("documents_begin", {
    tenant: slug,
    type: "student_id",
    name: "x.pdf",
    content_type: "application/pdf",
    size: 100,
  });

Deno.test("of a document handed in several times at once, one waits", async () => {
  const tenant = await createCampus();
  const ana = await createApplicant(tenant);
  const answers = await Promise.all([1, 2, 3].map(() => hand(ana, tenant)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409]);
  for (let round = 0; round < 5; round++) {
    const person = await createApplicant(tenant);
    const begun = await Promise.all(
      [1, 2, 3, 4].map(() => must<{ id: string }>(begin(person, tenant))),
    );
    const kept = await Promise.all(
      begun.map(({ id }) =>
        admin().rpc("documents_keep", {
          tenant_id: tenant.id,
          file: id,
          sha256: "0".repeat(64),
        })
      ),
    );
    const codes = kept.map(({ error }) => error?.message ?? "kept");
    assert.deepEqual(codes.sort(), [...Array(3).fill("documents.already_submitted"), "kept"]);
  }
  const [row] = await withDatabase((sql) =>
    sql`
      select count(*) filter (where status = 'released')::int as files,
        (select count(*)::int from documents where tenant_id = ${tenant.id}) as documents
      from files where tenant_id = ${tenant.id}`
  );
  assert.deepEqual(row, { files: 6, documents: 6 });
});

Deno.test("who hands in too much in an hour waits, whatever became of it", async () => {
  const tenant = await createCampus();
  const ana = await createApplicant(tenant);
  for (let begun = 0; begun < 20; begun++) await must(begin(ana, tenant));
  const { error, status } = await begin(ana, tenant);
  assert.deepEqual([status, error?.message], [429, "limits.exceeded"]);
});

Deno.test("the server alone says what a document consists of", async () => {
  const [tenant, other] = await Promise.all([createCampus(), createCampus()]);
  const [ana, ben] = await Promise.all([createApplicant(tenant), createApplicant(other)]);
  const { file_id, sha256 } = await read(ben, await handed(ben, other));
  const keep = { tenant_id: tenant.id, file: file_id, sha256 };
  assert.equal((await ana.client.rpc("documents_keep", keep)).error?.code, "42501");
  // Nor does the secret key make a document of a file that was not announced as one.
  for (const tenant_id of [tenant.id, other.id]) {
    const { error } = await admin().rpc("documents_keep", { ...keep, tenant_id });
    assert.equal(error?.message, "files.not_found");
  }
  for (const write of [{ sha256 }, { status: "approved" }, { person_id: ana.id }]) {
    const { error } = await ana.client.from("documents").update(write).eq("tenant_id", tenant.id);
    assert.equal(error?.code, "42501");
  }
});

Deno.test("an upload that never arrives makes no document, and its room is given back", async () => {
  const tenant = await createCampus();
  const ana = await createApplicant(tenant);
  const { id } = await must<{ id: string }>(begin(ana, tenant));
  await withDatabase(async (sql) => {
    await sql`update files set created_at = now() - interval '2 hours' where id = ${id}`;
    await sql`select private.files_sweep()`;
    const [file] = await sql`select status from files where id = ${id}`;
    assert.equal(file?.status ?? "deleted", "deleted");
  });
  assert.deepEqual(await must<Document[]>(ana.client.from("documents").select("*")), []);
  await handed(ana, tenant);
});
