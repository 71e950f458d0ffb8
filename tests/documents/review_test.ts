import assert from "node:assert/strict";
import { must } from "../support/answers.ts";
import type { Person } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, setStatus, type Tenant } from "../support/tenants.ts";
import {
  act,
  createApplicant,
  createCampus,
  type Document,
  handed,
  membershipOf,
  read,
  saveType,
} from "./support.ts";

interface Campus {
  tenant: Tenant;
  owner: Person;
  rita: Person;
  tom: Person;
  ana: Person;
}

/** A tenant with two reviewers and somebody who wants in. */
async function createReviewed(): Promise<Campus> {
  const tenant = await createCampus();
  const [owner, rita, tom, ana] = await Promise.all([
    createMember(tenant, "owner"),
    createMember(tenant, "staff"),
    createMember(tenant, "staff"),
    createApplicant(tenant),
  ]);
  return { tenant, owner, rita, tom, ana };
}

const refusal = async (call: ReturnType<typeof act>) => (await call).error?.message;

const checksOf = ({ client }: Person, { id }: Pick<Document, "id">) =>
  must<Record<string, unknown>[]>(
    client.from("documents_checks").select("outcome, reviewer, sha256, attempt, matched")
      .eq("document_id", id).order("id"),
  );

Deno.test("the last approval that was missing admits the applicant, and proves who checked what", async () => {
  const { tenant, owner, rita, ana } = await createReviewed();
  await must(saveType(owner, tenant, "student_id", { required: true }));
  await must(saveType(owner, tenant, "transcript", { required: true }));
  const [card, marks, work] = await Promise.all([
    handed(ana, tenant, { type: "student_id" }),
    handed(ana, tenant, { type: "transcript" }),
    handed(ana, tenant, { type: "employment" }),
  ]);
  await must(act(rita, "approve", tenant, card));
  await must(act(rita, "approve", tenant, work));
  assert.equal(await membershipOf(ana, tenant), "pending");
  const approved = await must<Document>(act(rita, "approve", tenant, marks));
  assert.equal(approved.status, "approved");
  assert.equal(await membershipOf(ana, tenant), "active");
  assert.deepEqual(await checksOf(rita, marks), [{
    outcome: "approved",
    reviewer: rita.id,
    sha256: marks.sha256,
    attempt: 1,
    matched: [],
  }]);
});

Deno.test("where no type is required any approved document admits; where others decide, none does", async () => {
  const { tenant, owner, rita, ana } = await createReviewed();
  await must(act(rita, "approve", tenant, await handed(ana, tenant, { type: "employment" })));
  assert.equal(await membershipOf(ana, tenant), "active");

  await must(
    owner.client.from("tenants").update({ registration_policy: "approval" }).eq("id", tenant.id),
  );
  const ben = await createApplicant(tenant);
  await must(act(rita, "approve", tenant, await handed(ben, tenant)));
  assert.equal(await membershipOf(ben, tenant), "pending");
});

Deno.test("a document is in one reviewer's hands, until they lay it back or let it lie", async () => {
  const { tenant, rita, tom, ana } = await createReviewed();
  const document = await handed(ana, tenant);
  await must(act(rita, "claim", tenant, document));
  assert.equal((await read(ana, document)).status, "in_review");
  await must(act(rita, "claim", tenant, document));
  for (const name of ["claim", "approve"]) {
    assert.equal(await refusal(act(tom, name, tenant, document)), "documents.claimed");
  }
  for (const name of ["reject", "request_resubmission"]) {
    const reason = { reason: "No" };
    assert.equal(await refusal(act(tom, name, tenant, document, reason)), "documents.claimed");
  }
  assert.equal(await refusal(act(tom, "release", tenant, document)), "request.transition_refused");
  await must(act(rita, "release", tenant, document));
  assert.equal((await read(ana, document)).status, "submitted");
  await must(act(tom, "claim", tenant, document));

  await withDatabase(async (sql) => {
    await sql`
      update private.documents_claims set until = now() - interval '1 second'
      where document_id = ${document.id}`;
    await sql`select private.documents_lapse_claims()`;
  });
  assert.equal((await read(ana, document)).status, "submitted");
  await must(act(rita, "claim", tenant, document));
  // What has lapsed is free at once, before the clock comes round.
  await withDatabase((sql) =>
    sql`
      update private.documents_claims set until = now() - interval '1 second'
      where document_id = ${document.id}`
  );
  await must(act(tom, "reject", tenant, document, { reason: "Blurred" }));
});

Deno.test("nobody checks their own documents, nor without the right, nor in another tenant", async () => {
  const { tenant, owner, rita, ana } = await createReviewed();
  const other = await createReviewed();
  const own = await handed(rita, tenant);
  const document = await handed(ana, tenant);
  const acts: [string, Record<string, unknown>][] = [
    ["claim", {}],
    ["approve", {}],
    ["reject", { reason: "No" }],
    ["request_resubmission", { reason: "No" }],
  ];
  for (const [name, args] of acts) {
    assert.equal(await refusal(act(rita, name, tenant, own, args)), "documents.own_document");
    const ben = await createMember(tenant);
    const denied = act(ben, name, tenant, document, args);
    assert.equal(await refusal(denied), "members.permission_denied");
    // An applicant is no member, so not even that is said.
    assert.equal(await refusal(act(ana, name, tenant, document, args)), "members.not_active");
    const foreign = act(other.rita, name, other.tenant, document, args);
    assert.equal(await refusal(foreign), "documents.not_found");
    assert.equal(
      await refusal(act(other.rita, name, tenant, document, args)),
      "tenants.not_found",
    );
  }
  assert.equal(await refusal(act(rita, "release", tenant, own)), "request.transition_refused");
  await must(act(owner, "approve", tenant, own));
});

Deno.test("a refusal and a wish for a better scan tell why, and the wish ends at the cap", async () => {
  const { tenant, owner, rita, ana } = await createReviewed();
  await must(saveType(owner, tenant, "student_id", { max_submissions: 2 }));
  const document = await handed(ana, tenant);
  for (const reason of [null, "", "  ", "x".repeat(501)]) {
    const call = act(rita, "reject", tenant, document, { reason });
    assert.equal(await refusal(call), "request.invalid");
  }
  const wish = { reason: "  The photo is cut off " };
  await must(act(rita, "request_resubmission", tenant, document, wish));
  const wanted = await read(ana, document);
  assert.deepEqual([wanted.status, wanted.reason], ["resubmission_wanted", "The photo is cut off"]);
  assert.equal(
    await refusal(act(rita, "approve", tenant, document)),
    "request.transition_refused",
  );

  const bytes = new TextEncoder().encode("%PDF-1.4 better %%EOF");
  const again = await handed(ana, tenant, { bytes });
  assert.deepEqual([again.id, again.attempt], [document.id, 2]);
  assert.notEqual(again.sha256, document.sha256);
  assert.equal(
    await refusal(act(rita, "request_resubmission", tenant, document, wish)),
    "documents.submissions_exhausted",
  );
  await must(act(rita, "reject", tenant, document, { reason: "Not yours" }));
  assert.deepEqual(
    (await checksOf(rita, document)).map(({ outcome, attempt, sha256 }) => [
      outcome,
      attempt,
      sha256,
    ]),
    [
      ["resubmission_wanted", 1, document.sha256],
      ["rejected", 2, again.sha256],
    ],
  );
  assert.equal(await membershipOf(ana, tenant), "pending");
});

Deno.test("a refused person may come again, as often as the type allows, in 90 days", async () => {
  const { tenant, owner, rita, ana } = await createReviewed();
  await must(saveType(owner, tenant, "student_id", { max_submissions: 2 }));
  const refuse = async () => {
    const document = await handed(ana, tenant);
    await must(act(rita, "reject", tenant, document, { reason: "No" }));
    return document;
  };
  const [first, second] = [await refuse(), await refuse()];
  assert.notEqual(first.id, second.id);
  assert.equal(second.attempt, 2);
  await assert.rejects(handed(ana, tenant), /documents\.submissions_exhausted/);
  await withDatabase((sql) =>
    sql`
      update documents set created_at = created_at - interval '91 days'
      where tenant_id = ${tenant.id}`
  );
  assert.equal((await handed(ana, tenant)).attempt, 1);
});

Deno.test("where two have to approve, two different people do, of the same scan", async () => {
  const { tenant, owner, rita, tom, ana } = await createReviewed();
  await must(saveType(owner, tenant, "student_id", { two_person: true }));
  const document = await handed(ana, tenant);
  const first = await must<Document>(act(rita, "approve", tenant, document));
  assert.equal(first.status, "submitted");
  assert.equal(await membershipOf(ana, tenant), "pending");
  for (const name of ["approve", "claim"]) {
    const call = act(rita, name, tenant, document);
    assert.equal(await refusal(call), "documents.second_reviewer_needed");
  }
  await must(act(tom, "request_resubmission", tenant, document, { reason: "Too dark" }));
  await handed(ana, tenant);
  // The new scan was approved by nobody yet.
  await must(act(tom, "approve", tenant, document));
  assert.equal((await read(ana, document)).status, "submitted");
  await must(act(rita, "approve", tenant, document));
  assert.equal(await membershipOf(ana, tenant), "active");
  assert.deepEqual(
    (await checksOf(rita, document)).map(({ outcome, reviewer }) => [outcome, reviewer]),
    [
      ["first_approval", rita.id],
      ["resubmission_wanted", tom.id],
      ["first_approval", tom.id],
      ["approved", rita.id],
    ],
  );
});

Deno.test("what the person stated is confirmed before a badge, and forgotten with the decision", async () => {
  const { tenant, owner, rita, ana } = await createReviewed();
  await must(
    saveType(owner, tenant, "degree", { must_match: ["name", "birth_date"], badge: true }),
  );
  const fields = { stated_name: "Ana Lima", birth_date: "1999-04-30" };
  const document = await handed(ana, tenant, { type: "degree", fields });
  assert.deepEqual((await read(ana, document)).stated, {
    name: "Ana Lima",
    birth_date: "1999-04-30",
  });
  const tries: [string[] | null, string][] = [
    [null, "documents.match_needed"],
    [["name"], "documents.match_needed"],
    [["name", "birth_date", "shoe size"], "request.invalid"],
  ];
  for (const [matched, code] of tries) {
    assert.equal(await refusal(act(rita, "approve", tenant, document, { matched })), code);
  }
  await must(act(rita, "approve", tenant, document, { matched: ["birth_date", "name"] }));
  assert.equal((await read(ana, document)).stated, null);
  assert.deepEqual((await checksOf(rita, document))[0]!.matched, ["birth_date", "name"]);
  const ben = await createMember(tenant);
  const badges = await must<{ type: string; name: string }[]>(
    ben.client.rpc("documents_badges", { tenant_id: tenant.id, person: ana.id }),
  );
  assert.deepEqual(badges.map(({ type, name }) => [type, name]), [["degree", "Degree"]]);
  await setStatus(owner.client, tenant, ana, "suspended");
  assert.deepEqual(
    await must(ben.client.rpc("documents_badges", { tenant_id: tenant.id, person: ana.id })),
    [],
  );
});

Deno.test("of two reviewers who decide at once, one does, twenty times over", async () => {
  const { tenant, rita, tom } = await createReviewed();
  for (let round = 0; round < 20; round++) {
    const person = await createApplicant(tenant);
    const document = await handed(person, tenant);
    const calls = round % 2 === 0
      ? [act(rita, "approve", tenant, document), act(tom, "approve", tenant, document)]
      : [
        act(rita, "approve", tenant, document),
        act(tom, "reject", tenant, document, { reason: "No" }),
      ];
    const codes = (await Promise.all(calls)).map(({ error }) => error?.message ?? "decided");
    assert.deepEqual(codes.sort(), ["decided", "request.transition_refused"]);
    const { status } = await read(person, document);
    assert.equal(await membershipOf(person, tenant), status === "approved" ? "active" : "pending");
    assert.equal((await checksOf(rita, document)).length, 1);
  }
});

Deno.test("an approval and its person's leaving do not wait for each other in a ring", async () => {
  const { tenant, rita } = await createReviewed();
  for (let round = 0; round < 10; round++) {
    const person = await createApplicant(tenant);
    const document = await handed(person, tenant);
    const [approval, leaving] = await Promise.all([
      act(rita, "approve", tenant, document),
      person.client.rpc("members_leave", { tenant_id: tenant.id }),
    ]);
    assert.equal(leaving.error, null);
    assert.ok([undefined, "request.transition_refused"].includes(approval.error?.message));
    assert.equal(await membershipOf(person, tenant), "none");
  }
});
