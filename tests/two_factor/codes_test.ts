import assert from "node:assert/strict";
import fc from "fast-check";
import { assertProblem, tokenOf } from "../support/api.ts";
import { admin, createPerson, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import {
  codeOf,
  createEnrolled,
  forgetSteps,
  forgetTries,
  newKey,
  outcomes,
  overStack,
  read,
  startFunction,
  wrongCode,
} from "./support.ts";

interface Status {
  enabled: boolean;
  required: boolean;
  verified: boolean;
  recent: boolean;
  backup_codes_left: number;
}

const status = (token: string) => read<Status>(overStack("/status", token) as Promise<Response>);

Deno.test("A10: an enrolment counts from its first right code on, and the person is told", async () => {
  const person = await createPerson();
  const token = await tokenOf(person);
  const first = await read(overStack("/setup", token));
  const { secret, otpauth_uri, qr_svg } = await read<Record<string, string>>(
    overStack("/setup", token),
  );
  assert.notEqual(first.secret, secret);
  assert.ok(otpauth_uri!.startsWith("otpauth://totp/Nexus:"));
  assert.match(qr_svg!, /^<svg /);
  assert.equal((await status(token)).enabled, false);

  const other = await signIn(person.email);
  assert.equal((await other.rpc("people_me")).data.two_factor_required, false);
  await assertProblem(
    await overStack("/verify", token, { code: wrongCode(secret!) }),
    422,
    "two_factor.code_refused",
  );
  // The set-up that was replaced is worth nothing.
  await assertProblem(
    await overStack("/verify", token, { code: codeOf(first.secret as string) }),
    422,
    "two_factor.code_refused",
  );
  const verified = await read<{ confirmed: boolean; backup_codes: string[] }>(
    overStack("/verify", token, { code: codeOf(secret!) }),
  );
  assert.deepEqual([verified.confirmed, verified.backup_codes.length], [true, 10]);
  const { enabled, verified: isVerified, recent, backup_codes_left } = await status(token);
  assert.deepEqual([enabled, isVerified, recent, backup_codes_left], [true, true, true, 10]);
  await mailTo(person.email, "two_factor.enabled");
  await assertProblem(await overStack("/setup", token), 409, "two_factor.already_enabled");
});

Deno.test("A10: a set-up that nobody confirmed within ten minutes is over", async () => {
  const person = await createPerson();
  const token = await tokenOf(person);
  await assertProblem(
    await overStack("/verify", token, { code: "000000" }),
    409,
    "two_factor.not_enabled",
  );
  const { secret } = await read<{ secret: string }>(overStack("/setup", token));
  await withDatabase((sql) =>
    sql`update private.two_factor_enrolments set created_at = now() - interval '601 seconds'
      where person_id = ${person.id}`
  );
  await assertProblem(
    await overStack("/verify", token, { code: codeOf(secret) }),
    409,
    "two_factor.not_enabled",
  );
});

Deno.test("A10: the database keeps ciphertext alone, bound to its person", async () => {
  const [ana, ben] = await Promise.all([createEnrolled(), createEnrolled()]);
  await withDatabase(async (sql) => {
    const [row] = await sql<{ text: string; secret: string }[]>`
      select e::text as text, e.secret from private.two_factor_enrolments e
      where e.person_id = ${ana.id}`;
    assert.match(row!.secret, /^v1\.\w+\.[\w-]+\.[\w-]+$/);
    assert.ok(!row!.text.includes(ana.secret));
    await sql`update private.two_factor_enrolments set secret = ${row!.secret}
      where person_id = ${ben.id}`;
  });
  const answer = await overStack("/verify", await tokenOf(ben), { code: codeOf(ana.secret) });
  await assertProblem(answer, 500, "internal");
});

Deno.test("A10: twenty at once with one code: one gets in", async () => {
  const person = await createEnrolled();
  const clients = await Promise.all(Array.from({ length: 4 }, () => signIn(person.email)));
  const tokens = await Promise.all(clients.map((client) => tokenOf({ client })));
  const code = codeOf(person.secret);
  await forgetTries(person);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => overStack("/verify", tokens[index % 4]!, { code })),
  );
  const { ok, "two_factor.code_refused": refused, "limits.exceeded": stopped } = await outcomes(
    answers,
  );
  assert.deepEqual([ok, refused, stopped], [1, 9, 10]);
});

Deno.test("A10: a code was used, and neither it nor an earlier one is taken again", async () => {
  const person = await createEnrolled();
  const token = await tokenOf(person);
  await read(overStack("/verify", token, { code: codeOf(person.secret) }));
  for (const steps of [0, -1]) {
    await assertProblem(
      await overStack("/verify", token, { code: codeOf(person.secret, steps) }),
      422,
      "two_factor.code_refused",
    );
  }
  await read(overStack("/verify", token, { code: codeOf(person.secret, 1) }));
});

Deno.test("A10: in whatever order steps come, none is accepted twice", async () => {
  const person = await createEnrolled();
  const [session] = await withDatabase((sql) =>
    sql`select s.id, e.secret from auth.sessions s
      join private.two_factor_enrolments e on e.person_id = s.user_id where s.user_id = ${person.id}`
  );
  const accept = async (step: number) => {
    const { error } = await admin().rpc("two_factor_accept", {
      person: person.id,
      session: session!.id,
      secret_read: session!.secret,
      secret: session!.secret,
      step,
    });
    if (error) assert.equal(error.message, "two_factor.code_refused");
    return error ? [] : [step];
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }), {
        minLength: 1,
        maxLength: 4,
      }),
      async (rounds) => {
        await forgetSteps(person);
        const accepted: number[] = [];
        for (const steps of rounds) {
          accepted.push(...(await Promise.all(steps.map(accept))).flat().sort());
        }
        assert.equal(new Set(accepted).size, accepted.length, `${accepted}`);
        assert.equal(Math.max(...accepted), Math.max(...rounds.flat()));
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("A10: ten tries in five minutes, counted for codes of both kinds, and across a restart", async () => {
  const person = await createEnrolled();
  await forgetTries(person);
  const token = await tokenOf(person);
  const wrong = { code: wrongCode(person.secret) };
  for (let tries = 0; tries < 8; tries++) {
    await assertProblem(await overStack("/verify", token, wrong), 422, "two_factor.code_refused");
  }
  for (let tries = 0; tries < 2; tries++) {
    const answer = await overStack("/backup-code", token, { code: "00000-00000" });
    await assertProblem(answer, 422, "two_factor.code_refused");
  }
  const restarted = startFunction({ TWO_FACTOR_KEYS: newKey("restarted") });
  const right = { code: codeOf(person.secret) };
  const calls = [
    () => overStack("/verify", token, right),
    () => restarted("/verify", token, right),
    () => overStack("/backup-code", token, { code: person.backupCodes[0] }),
  ];
  for (const call of calls) {
    const answer = await call();
    const seconds = Number(answer.headers.get("retry-after"));
    assert.ok(seconds > 0 && seconds <= 600, `${seconds}`);
    await assertProblem(answer, 429, "limits.exceeded");
  }
  // What counts tries is logged, as unlogged tables are empty after a crash.
  const [table] = await withDatabase((sql) =>
    sql`select relpersistence as kind from pg_class where oid = 'private.limits_attempts'::regclass`
  );
  assert.equal(table!.kind, "p");
});

Deno.test("without keys nobody can set up a factor, and the rest says so", async () => {
  const api = startFunction({});
  const token = await tokenOf(await createPerson());
  await assertProblem(await api("/setup", token), 503, "two_factor.not_configured");
  assert.equal((await api("/status", token)).status, 200);
});

Deno.test("the trail tells of enabling and verifying, and holds no secret", async () => {
  const person = await createEnrolled();
  await read(overStack("/verify", await tokenOf(person), { code: codeOf(person.secret) }));
  const lines = await withDatabase((sql) =>
    sql`select l.action, l.actor, d.before, d.after
      from private.audit_log l left join private.audit_details d using (tenant_id, id)
      where l.resource = ${`people:${person.id}`} and l.action like 'TWO_FACTOR%' order by l.id`
  );
  assert.deepEqual(
    lines.map(({ action, actor, before, after }) => [action, actor, before, after]),
    [
      ["TWO_FACTOR_ENABLED", person.id, null, null],
      ["TWO_FACTOR_VERIFIED", person.id, null, null],
    ],
  );
});
