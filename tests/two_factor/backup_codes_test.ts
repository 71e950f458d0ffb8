import assert from "node:assert/strict";
import { assertProblem, tokenOf } from "../support/api.ts";
import { createPerson, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import { ageFactors, createEnrolled, forgetTries, outcomes, overStack, read } from "./support.ts";

const use = (token: string, code: string | undefined) => overStack("/backup-code", token, { code });

Deno.test("A11: a backup code lifts a session once, and the person is told how many are left", async () => {
  const person = await createEnrolled();
  const client = await signIn(person.email);
  const token = await tokenOf({ client });
  const [code] = person.backupCodes;
  assert.equal((await client.rpc("people_me")).data.two_factor_required, true);
  const { backup_codes_left } = await read(use(token, code!.toLowerCase().replace("-", " ")));
  assert.equal(backup_codes_left, 9);
  assert.equal((await client.rpc("people_me")).data.two_factor_required, false);
  await assertProblem(await use(token, code), 422, "two_factor.code_refused");
  assert.match((await mailTo(person.email, "two_factor.backup_code_used")).text, /Codes left: 9\./);
});

Deno.test("A11: ten at once with one backup code: one gets in", async () => {
  const person = await createEnrolled();
  await forgetTries(person);
  const token = await tokenOf({ client: await signIn(person.email) });
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => use(token, person.backupCodes[0])),
  );
  assert.deepEqual(await outcomes(answers), { ok: 1, "two_factor.code_refused": 9 });
});

Deno.test("A11: somebody else's backup code is worth nothing", async () => {
  const [ana, ben] = await Promise.all([createEnrolled(), createEnrolled()]);
  const answer = await use(await tokenOf(ben), ana.backupCodes[0]);
  await assertProblem(answer, 422, "two_factor.code_refused");
});

Deno.test("A11: new backup codes void the earlier ones, and want the factor once more", async () => {
  const person = await createEnrolled();
  const token = await tokenOf(person);
  await ageFactors(person, "301 seconds");
  const regenerate = () => overStack("/backup-codes/regenerate", token);
  await assertProblem(await regenerate(), 403, "two_factor.recent_required");
  await ageFactors(person, "240 seconds");
  const { backup_codes } = await read<{ backup_codes: string[] }>(regenerate());
  assert.equal(new Set([...backup_codes, ...person.backupCodes]).size, 20);
  await assertProblem(await use(token, person.backupCodes[0]), 422, "two_factor.code_refused");
  await read(use(token, backup_codes[9]));
  await mailTo(person.email, "two_factor.backup_codes_replaced");

  const stranger = await tokenOf(await createPerson());
  const refused = await overStack("/backup-codes/regenerate", stranger);
  await assertProblem(refused, 409, "two_factor.not_enabled");
});

Deno.test("A11: an unverified session cannot have codes made", async () => {
  const person = await createEnrolled();
  const token = await tokenOf({ client: await signIn(person.email) });
  const answer = await overStack("/backup-codes/regenerate", token);
  await assertProblem(answer, 403, "two_factor.recent_required");
});

Deno.test("A11: the database keeps argon2id digests of ten codes under one salt", async () => {
  const person = await createEnrolled();
  const rows = await withDatabase((sql) =>
    sql`select s.salt, s.memory_kib, s.passes, c.digest from private.two_factor_backup_sets s
      join private.two_factor_backup_codes c using (person_id) where s.person_id = ${person.id}`
  );
  assert.equal(new Set(rows.map(({ digest }) => digest)).size, 10);
  for (const { salt, memory_kib, passes, digest } of rows) {
    assert.deepEqual([salt.length, memory_kib, passes, digest.length], [32, 8192, 3, 64]);
  }
});
