import assert from "node:assert/strict";
import { must } from "../support/answers.ts";
import { admin } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import { createMember } from "../support/tenants.ts";
import { until } from "../support/wait.ts";
import {
  act,
  approve,
  createApplicant,
  createReviewed,
  handed,
  inDays,
  read,
  saveType,
  scanIsGone,
  stored,
} from "./support.ts";

Deno.test("an approval holds as long as the paper or the type says, with reminders before", async () => {
  const campus = await createReviewed();
  const { tenant, owner, rita } = campus;
  await must(
    saveType(owner, tenant, "student_id", {
      valid_days: 100,
      remind_days: [30, 7],
      keep_file: true,
    }),
  );
  const ana = await createMember(tenant);
  const document = await handed(ana, tenant);
  const past = await act(rita, "approve", tenant, document, { expires_at: inDays(-1) });
  assert.equal(past.error?.message, "request.invalid");
  const { expires_at } = await approve(campus, document, { expires_at: inDays(400) });
  assert.ok(Math.abs(Date.parse(expires_at!) - Date.parse(inDays(100))) < 60_000);

  const remindedAfter = (days: number) =>
    withDatabase(async (sql) => {
      await sql`
        update documents set expires_at = now() + make_interval(days => ${days}) - interval '1 minute'
        where id = ${document.id}`;
      await sql`select private.documents_remind()`;
      await sql`select private.documents_remind()`;
      const told = await sql`
        select reminded_days from documents where id = ${document.id}`;
      return told[0]!.reminded_days;
    });
  assert.equal(await remindedAfter(40), null);
  assert.equal(await remindedAfter(29), 30);
  assert.equal(await remindedAfter(8), 30);
  assert.equal(await remindedAfter(6), 7);
  await mailTo(ana.email, "documents.expiring");

  const { file_id } = await stored(document);
  await withDatabase(async (sql) => {
    await sql`update documents set expires_at = now() where id = ${document.id}`;
    await sql`select private.documents_expire()`;
  });
  assert.equal((await read(ana, document)).status, "expired");
  await scanIsGone(document, file_id);
  await mailTo(ana.email, "documents.expired");
  assert.equal((await handed(ana, tenant)).attempt, 1);
});

Deno.test("who hands in the next one in time is not reminded", async () => {
  const campus = await createReviewed();
  const { tenant } = campus;
  const ana = await createMember(tenant);
  const document = await handed(ana, tenant);
  await approve(campus, document, { expires_at: inDays(5) });
  await handed(ana, tenant);
  await withDatabase((sql) => sql`select private.documents_remind()`);
  assert.equal((await stored(document)).reminded_days, null);
});

Deno.test("reviewers are told of documents that wait for more than three days, others are not", async () => {
  const { tenant, owner, rita } = await createReviewed();
  const [ana] = await Promise.all([createApplicant(tenant), createMember(tenant)]);
  const document = await handed(ana, tenant);
  const remind = (job = crypto.randomUUID()) =>
    must<number>(
      admin().rpc("documents_remind_reviewers", { tenant_id: tenant.id, job }),
    );
  assert.equal(await remind(), 0);
  await withDatabase((sql) =>
    sql`update documents set submitted_at = now() - interval '4 days' where id = ${document.id}`
  );
  // As the clock has it, in the morning where the tenant lives; and the same job once more.
  await withDatabase(async (sql) => {
    const [job] = await sql`
      select private.enqueue('documents.remind_reviewers', '{}', ${tenant.id}) as id`;
    await until(async () => {
      const waiting = await sql`select from private.jobs where id = ${job!.id}`;
      return waiting.length === 0;
    }, { timeout: 30_000 });
    await remind(job!.id);
    const told = await sql`
      select person_id, payload ->> 'count' as count from notifications
      where tenant_id = ${tenant.id} and kind = 'documents.waiting'`;
    const reviewers = [owner.id, rita.id].sort();
    assert.deepEqual(told.map(({ person_id }) => person_id).sort(), reviewers);
    assert.deepEqual([...new Set(told.map(({ count }) => count))], ["1"]);
  });
});
