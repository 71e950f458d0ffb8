import assert from "node:assert/strict";
import { gif, png } from "../files/pictures.ts";
import { must } from "../support/answers.ts";
import { admin, type Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import { createMember, setStatus } from "../support/tenants.ts";
import {
  act,
  approve,
  createApplicant,
  createReviewed,
  hand,
  handed,
  read,
  saveType,
  scanIsGone,
  stored,
} from "./support.ts";

Deno.test("the scan goes with the decision, its proof stays; where the tenant keeps it, it does too", async () => {
  const campus = await createReviewed();
  const { tenant, owner, rita } = campus;
  await must(saveType(owner, tenant, "degree", { keep_file: true }));
  const ana = await createApplicant(tenant);
  const card = await handed(ana, tenant, { bytes: await png() });
  const degree = await handed(ana, tenant, { type: "degree" });
  const { file_id } = await stored(card);
  await approve(campus, card);
  await approve(campus, degree);
  assert.equal((await stored(degree)).file_status, "released");
  await scanIsGone(card, file_id);
  const [check] = await must<Record<string, string>[]>(
    rita.client.from("documents_checks").select("*").eq("document_id", card.id),
  );
  assert.deepEqual(
    [check!.type, check!.sha256, check!.reviewer, check!.outcome, check!.person_id],
    ["student_id", card.sha256, rita.id, "approved", ana.id],
  );
  await withDatabase(async (sql) => {
    for (const column of ["reviewer", "outcome"]) {
      const change = sql`update documents_checks set ${sql(column)} = ${sql(column)}`;
      await assert.rejects(change, /request\.append_only/);
    }
    await assert.rejects(sql`delete from documents_checks`, /request\.append_only/);
    await assert.rejects(sql`truncate documents_checks`, /request\.append_only/);
  });
});

Deno.test("a scan cannot be exchanged: not while it waits, not after it was approved", async () => {
  const campus = await createReviewed();
  const { tenant, owner } = campus;
  await must(saveType(owner, tenant, "student_id", { keep_file: true }));
  const ana = await createMember(tenant);
  const document = await handed(ana, tenant);
  const [file] = await must<{ id: string; path: string }[]>(ana.client.from("files").select("*"));
  const other = new Blob(["%PDF-1.4 forged"], { type: "application/pdf" });
  const storage = ana.client.storage.from("documents");
  const options = { contentType: "application/pdf" };
  const exchange = async () => {
    assert.ok((await storage.update(file!.path, other, options)).error);
    assert.ok((await storage.upload(file!.path, other, { ...options, upsert: true })).error);
    // Neither as another upload, nor as the bytes of this one.
    const { error } = await ana.client.rpc("files_finish", {
      tenant_id: tenant.id,
      file: file!.id,
      sha256: "0".repeat(64),
    });
    assert.equal(error?.code, "42501");
    const again = await admin().rpc("files_finish", { tenant_id: tenant.id, file: file!.id });
    assert.equal(again.error?.message, "request.transition_refused");
  };
  await exchange();
  await approve(campus, document);
  await exchange();
  const bytes = await (await storage.download(file!.path)).data!.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  assert.equal(
    Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join(""),
    document.sha256,
  );

  // A newer one is another document, with an approval of its own.
  const newer = await handed(ana, tenant, { bytes: gif() });
  assert.notEqual(newer.id, document.id);
  assert.equal((await read(ana, document)).status, "approved");
  await approve(campus, newer);
  assert.equal((await read(ana, document)).status, "replaced");
  await scanIsGone(document, file!.id);
});

Deno.test("a document whose scan was deleted or refused is not approved", async () => {
  const campus = await createReviewed();
  const { tenant, owner, rita } = campus;
  const ana = await createMember(tenant);
  const document = await handed(ana, tenant);
  const { file_id } = await stored(document);
  await must(ana.client.rpc("files_delete", { tenant_id: tenant.id, file: file_id }));
  const missing = await act(rita, "approve", tenant, document);
  assert.deepEqual([missing.status, missing.error?.message], [409, "documents.file_missing"]);
  await must(act(rita, "request_resubmission", tenant, document, { reason: "It is gone" }));

  // Where uploads wait for a scanner, one that it refused does not pass for another reason.
  const settings = { files: { hold: ["documents"] } };
  await must(owner.client.from("tenants").update({ settings }).eq("id", tenant.id));
  await handed(ana, tenant);
  const held = await stored(document);
  assert.equal(held.file_status, "held");
  await must(admin().rpc("files_reject", { tenant_id: tenant.id, file: held.file_id }));
  const refused = await act(rita, "approve", tenant, document);
  assert.equal(refused.error?.message, "documents.file_missing");
});

Deno.test("the person is told of each decision, after it is committed, and never a password", async () => {
  const campus = await createReviewed();
  const { tenant, rita } = campus;
  const [ana, ben, eva] = await Promise.all([1, 2, 3].map(() => createApplicant(tenant))) as [
    Person,
    Person,
    Person,
  ];
  const of = (person: Person) => handed(person, tenant);
  await approve(campus, await of(ana));
  await must(act(rita, "reject", tenant, await of(ben), { reason: "It is <b>not</b> yours" }));
  await must(
    act(rita, "request_resubmission", tenant, await of(eva), { reason: "The photo is cut off" }),
  );
  const approved = await mailTo(ana.email, "documents.approved");
  assert.ok(approved.text.includes("Student ID"));
  const rejected = await mailTo(ben.email, "documents.rejected");
  assert.ok(rejected.text.includes("It is <b>not</b> yours"));
  assert.ok(!rejected.html.includes("<b>not</b>"));
  const wanted = await mailTo(eva.email, "documents.resubmission_wanted");
  assert.ok(wanted.text.includes("The photo is cut off"));
});

Deno.test("a person takes back what is not decided on; others' and decided ones they cannot", async () => {
  const campus = await createReviewed();
  const { tenant, rita } = campus;
  const [ana, ben] = await Promise.all([createApplicant(tenant), createApplicant(tenant)]);
  const document = await handed(ana, tenant);
  const { file_id } = await stored(document);
  assert.equal(
    (await act(ben, "withdraw", tenant, document)).error?.message,
    "documents.not_found",
  );
  await must(act(rita, "claim", tenant, document));
  await must(act(ana, "withdraw", tenant, document));
  await scanIsGone(document, file_id);
  for (const [person, name] of [[ana, "withdraw"], [rita, "approve"]] as const) {
    const { error } = await act(person, name, tenant, document);
    assert.equal(error?.message, "request.transition_refused");
  }
  assert.equal((await handed(ana, tenant)).attempt, 2);
});

Deno.test("who leaves or is banned takes their documents along; what was checked stays", async () => {
  const campus = await createReviewed();
  const { tenant, owner } = campus;
  await must(saveType(owner, tenant, "degree", { keep_file: true }));
  const [ana, ben] = await Promise.all([createMember(tenant), createMember(tenant)]);
  for (const person of [ana, ben]) {
    const waiting = await handed(person, tenant);
    const kept = await handed(person, tenant, { type: "degree" });
    await approve(campus, kept);
    const files = [(await stored(waiting)).file_id, (await stored(kept)).file_id];
    if (person === ana) {
      await must(ana.client.rpc("members_leave", { tenant_id: tenant.id }));
    } else {
      await setStatus(owner.client, tenant, ben, "banned");
    }
    assert.equal((await stored(waiting)).status, "withdrawn");
    assert.equal((await stored(kept)).status, "approved");
    await scanIsGone(waiting, files[0]);
    await scanIsGone(kept, files[1]);
    assert.equal((await hand(person, tenant)).status, 403);
  }
});

Deno.test("erasing a person takes scans, statements and reasons, in every tenant", async () => {
  const [first, second] = await Promise.all([createReviewed(), createReviewed()]);
  await must(saveType(first.owner, first.tenant, "degree", { keep_file: true }));
  const ana = await createMember(first.tenant);
  await must(ana.client.rpc("members_join", { tenant: second.tenant.slug }));
  const fields = { stated_name: "Ana Lima" };
  const kept = await handed(ana, first.tenant, { type: "degree", fields });
  await approve(first, kept);
  const waiting = await handed(ana, second.tenant, { fields });
  const refused = await handed(ana, first.tenant);
  await must(act(first.rita, "reject", first.tenant, refused, { reason: "Ana, this is blurred" }));
  const files = [(await stored(kept)).file_id, (await stored(waiting)).file_id];
  assert.equal((await admin().auth.admin.deleteUser(ana.id)).error, null);
  await scanIsGone(kept, files[0]);
  await scanIsGone(waiting, files[1]);
  for (const document of [kept, waiting, refused]) {
    const { stated, reason, status } = await stored(document);
    assert.deepEqual([stated, reason], [null, null]);
    assert.ok(["approved", "withdrawn", "rejected"].includes(status));
  }
  const [left] = await withDatabase((sql) =>
    sql`
      select count(*)::int as rows from documents d
      where d.person_id = ${ana.id} and d::text like '%Ana%'`
  );
  assert.equal(left!.rows, 0);
});

Deno.test("every state of a document can be reached and left, but the last ones", async () => {
  const steps = await withDatabase((sql) =>
    sql<{ from_state: string; to_state: string }[]>`
      select from_state, to_state from private.transitions where machine = 'documents'`
  );
  const [from, to] = [steps.map((step) => step.from_state), steps.map((step) => step.to_state)];
  const states = [
    "submitted",
    "in_review",
    "resubmission_wanted",
    "approved",
    "rejected",
    "withdrawn",
    "expired",
    "replaced",
  ];
  const final = ["rejected", "withdrawn", "expired", "replaced"];
  assert.deepEqual(states.filter((state) => !from.includes(state)), final);
  assert.deepEqual(states.filter((state) => !to.includes(state)), []);
  assert.deepEqual([...new Set([...from, ...to])].sort(), states.toSorted());
});
