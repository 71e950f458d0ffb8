import assert from "node:assert/strict";
import { assertRefused } from "../support/answers.ts";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { createPerson, type Person, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import { openSession } from "../sessions/support.ts";
import { ageFactors, codeOf, createEnrolled, overStack, read } from "./support.ts";

/** Asks the helper as the person's session, past the doors that use it. */
const requireRecent = async ({ client }: Pick<Person, "client">, minutes?: number) =>
  await requireRecentBy(await tokenOf({ client }), minutes);

async function requireRecentBy(token: string, minutes?: number) {
  const claims = atob(token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/"));
  return await withDatabase((sql) =>
    sql.begin(async (tx) => {
      await tx`select set_config('request.jwt.claims', ${claims}, true)`;
      const [row] = minutes === undefined
        ? await tx`select private.require_recent_factor() as person`
        : await tx`select private.require_recent_factor(${minutes}) as person`;
      return row!.person as string;
    })
  );
}

const refusedAs = (code: string) => (error: Error) => error.message === code;

Deno.test("A13: step-up asks for a factor within five minutes, or as many as the act says", async () => {
  const person = await createEnrolled();
  assert.equal(await requireRecent(person), person.id);
  await ageFactors(person, "240 seconds");
  assert.equal(await requireRecent(person), person.id);
  await assert.rejects(requireRecent(person, 1), refusedAs("two_factor.recent_required"));
  await ageFactors(person, "301 seconds");
  await assert.rejects(requireRecent(person), refusedAs("two_factor.recent_required"));
  assert.equal(await requireRecent(person, 10), person.id);
  await read(overStack("/verify", await tokenOf(person), { code: codeOf(person.secret) }));
  assert.equal(await requireRecent(person), person.id);
});

Deno.test("A13: step-up is not waived for who has no factor, nor lent by another session", async () => {
  await assert.rejects(
    requireRecent(await createPerson()),
    refusedAs("two_factor.recent_required"),
  );
  const person = await createEnrolled();
  const client = await signIn(person.email);
  await assert.rejects(requireRecent({ client }), refusedAs("two_factor.required"));
});

Deno.test("A13: an open session that was found makes no factor of its own", async () => {
  const person = await createPerson();
  const token = await tokenOf(person);
  await withDatabase((sql) =>
    sql`update auth.sessions set created_at = now() - interval '301 seconds' where user_id = ${person.id}`
  );
  await assertProblem(await overStack("/setup", token), 403, "accounts.reauthentication_required");
  const proof = { password: person.password };
  const proved = await callApi("/v1/auth/reauthenticate", { method: "POST", token, body: proof });
  assert.ok(proved.ok);
  await read(overStack("/setup", token));
});

Deno.test("A13: a session that was opened for somebody gave no factor itself, however new it is", async () => {
  const person = await createEnrolled();
  await ageFactors(person, "6 minutes");
  const { token } = await openSession(person, { factor: "delegated" });
  await assert.rejects(requireRecentBy(token), refusedAs("two_factor.recent_required"));
  // Nor does it count for the person where any session of theirs would.
  const moved = await person.client.auth.updateUser({
    email: `m-${crypto.randomUUID()}@nexus.test`,
  });
  assert.ok(moved.error);
  const passkey = await openSession(person, { factor: "passkey" });
  assert.equal(await requireRecentBy(passkey.token), person.id);
});

Deno.test("A13: removing the factor wants it once more, and the person is told", async () => {
  const person = await createEnrolled();
  const token = await tokenOf(person);
  const other = await signIn(person.email);
  await ageFactors(person, "6 minutes");
  await assertProblem(await overStack("/disable", token), 403, "two_factor.recent_required");
  await assertRefused(person.client.rpc("two_factor_disable"), 403, "two_factor.recent_required");
  await assertProblem(
    await overStack("/disable", await tokenOf({ client: other })),
    403,
    "two_factor.required",
  );

  await read(overStack("/verify", token, { code: codeOf(person.secret) }));
  const { enabled, verified, backup_codes_left } = await read(overStack("/disable", token));
  assert.deepEqual([enabled, verified, backup_codes_left], [false, false, 0]);
  await mailTo(person.email, "two_factor.disabled");
  assert.equal((await other.rpc("people_me")).data.two_factor_required, false);
  await assertProblem(await overStack("/disable", token), 409, "two_factor.not_enabled");
  const code = { code: codeOf(person.secret, 1) };
  await assertProblem(await overStack("/verify", token, code), 409, "two_factor.not_enabled");
  await assertProblem(
    await overStack("/backup-code", token, { code: person.backupCodes[0] }),
    409,
    "two_factor.not_enabled",
  );
});
