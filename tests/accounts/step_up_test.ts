import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { callApi, tokenOf } from "../support/api.ts";
import { createPerson, type Person, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { linkIn, mailTo } from "../support/mail.ts";
import { createMember, createTenant } from "../support/tenants.ts";
import { ageFactors, createEnrolled } from "../two_factor/support.ts";
import {
  assertAnswer,
  codeFrom,
  createAccount,
  login,
  newEmail,
  post,
  reauthenticate,
} from "./support.ts";

interface Holder extends Person {
  token: string;
}

async function createHolder(): Promise<Holder> {
  const person = await createPerson();
  return { ...person, token: await tokenOf(person) };
}

const proved = async (person: Holder): Promise<Holder> => {
  await assertAnswer(reauthenticate(person.token, { password: person.password }), 204);
  return person;
};

const forgetMe = (token: string) => callApi("/v1/users/me", { method: "DELETE", token });
const move = (token: string, email: string) =>
  callApi("/v1/users/me/email", { token, body: { email } });

const dueAt = async ({ token }: { token: string }) =>
  (await (await callApi("/v1/users/me", { token })).json()).deletion_due_at as string | null;

Deno.test("A13: deleting and moving an account want a proof of five minutes at most", async (t) => {
  const acts = {
    deletion: (token: string) => forgetMe(token),
    address: (token: string) => move(token, newEmail()),
    provider: (token: string) =>
      callApi(`/v1/users/me/providers/${crypto.randomUUID()}`, { method: "DELETE", token }),
  };
  for (const [name, act] of Object.entries(acts)) {
    await t.step(`${name}: without`, async () => {
      const { token } = await createHolder();
      await assertAnswer(act(token), 403, "accounts.reauthentication_required");
    });
    await t.step(`${name}: one of another session`, async () => {
      const person = await proved(await createHolder());
      const token = await tokenOf({ client: await signIn(person.email, person.password) });
      await assertAnswer(act(token), 403, "accounts.reauthentication_required");
    });
    await t.step(`${name}: one that is too old`, async () => {
      const { id, token } = await proved(await createHolder());
      await withDatabase((sql) =>
        sql`update private.accounts_proofs set proved_at = now() - interval '301 seconds'
          where person_id = ${id}`
      );
      await assertAnswer(act(token), 403, "accounts.reauthentication_required");
    });
    await t.step(`${name}: who has a factor gives that, and a password does not do`, async () => {
      const person = await createEnrolled();
      const token = await tokenOf(person);
      await ageFactors(person, "6 minutes");
      await assertAnswer(reauthenticate(token, { password: person.password }), 204);
      await assertAnswer(act(token), 403, "two_factor.recent_required");
    });
  }
});

Deno.test("a proof wants the caller's own password, and counts failures like a login", async () => {
  const person = await createHolder();
  const attempt = () => reauthenticate(person.token, { password: "Wrong-horse-7" });
  for (let count = 0; count < 5; count++) {
    await assertAnswer(attempt(), 401, "accounts.credentials_refused");
  }
  await assertAnswer(attempt(), 429, "limits.exceeded");
  await must(person.client.rpc("people_me"));
});

Deno.test("a proof by password leaves no session behind, and ends none", async () => {
  const person = await proved(await createHolder());
  const sessions = await withDatabase((sql) =>
    sql`select id from auth.sessions where user_id = ${person.id}`
  );
  assert.equal(sessions.length, 1);
  await must(person.client.rpc("people_me"));
});

Deno.test("a mailed code proves, too: for who has no password", async () => {
  const person = await createHolder();
  await assertAnswer(
    callApi("/v1/auth/reauthenticate/code", { method: "POST", token: person.token }),
    202,
  );
  const code = await codeFrom(person.email, "accounts.reauthentication");
  const wrong = code === "111111" ? "222222" : "111111";
  await assertAnswer(reauthenticate(person.token, { code: wrong }), 422, "accounts.token_refused");
  const other = await createHolder();
  await assertAnswer(reauthenticate(other.token, { code }), 422, "accounts.token_refused");
  await assertAnswer(reauthenticate(person.token, { code }), 204);
  await assertAnswer(reauthenticate(person.token, { code }), 422, "accounts.token_refused");
  await assertAnswer(forgetMe(person.token), 202);
});

Deno.test("A13: deletion: thirty days, the other sessions end, and the person is told", async (t) => {
  const person = await proved(await createHolder());
  const other = await tokenOf({ client: await signIn(person.email, person.password) });
  const answer = await forgetMe(person.token);
  const { deletion_due_at } = await answer.json();
  assert.equal(answer.status, 202);
  const days = (Date.parse(deletion_due_at) - Date.now()) / 86_400_000;
  assert.ok(days > 29.9 && days <= 30, `${days}`);
  await mailTo(person.email, "accounts.deletion_opened");
  await assertAnswer(callApi("/v1/users/me", { token: other }), 401, "auth.session_ended");
  await t.step("asked again, the days go on", async () => {
    assert.equal((await (await forgetMe(person.token)).json()).deletion_due_at, deletion_due_at);
  });
  await t.step("the RPC keeps the account, once", async () => {
    assert.equal(await dueAt(person), deletion_due_at);
    assert.equal(await must(person.client.rpc("accounts_cancel_deletion")), true);
    assert.equal(await must(person.client.rpc("accounts_cancel_deletion")), false);
    assert.equal(await dueAt(person), null);
    await mailTo(person.email, "accounts.deletion_cancelled");
  });
  await t.step("signing in keeps it, by whichever door", async () => {
    for (
      const begin of [
        () => login(person.email, { password: person.password }),
        () => signIn(person.email, person.password),
      ]
    ) {
      await proved(person);
      await assertAnswer(forgetMe(person.token), 202);
      await begin();
      assert.equal(await dueAt(person), null);
    }
  });
});

Deno.test("a program with a key of theirs does not pass for the person coming back", async () => {
  const tenant = await createTenant();
  const member = await createMember(tenant);
  const person = await proved({ ...member, token: await tokenOf(member) });
  await withDatabase((sql) =>
    sql`insert into api_keys (tenant_id, person_id, name, hint, permissions, read_only, expires_at)
      values (${tenant.id}, ${person.id}, 'Till', 'abcd', '{wallet.read}', true, now() + interval '1 day')`
  );
  await assertAnswer(forgetMe(person.token), 202);
  const live = await withDatabase((sql) =>
    sql`select id from api_keys where person_id = ${person.id} and revoked_at is null`
  );
  assert.equal(live.length, 0);
});

Deno.test("the last owner of a tenant does not leave it without one", async () => {
  const owner = await createMember(await createTenant(), "owner");
  const person = await proved({ ...owner, token: await tokenOf(owner) });
  await assertAnswer(forgetMe(person.token), 409, "members.last_owner");
  assert.equal(await dueAt(person), null);
});

Deno.test("A13: another address: both confirm, and the old one is told", async () => {
  const person = await proved(await createHolder());
  const next = newEmail();
  await assertAnswer(move(person.token, next), 202);
  for (const address of [person.email, next]) {
    const link = linkIn(await mailTo(address, "auth.email_change"));
    await (await fetch(link, { redirect: "manual" })).body?.cancel();
  }
  const notice = await mailTo(person.email, "accounts.email_changed");
  assert.match(notice.text, new RegExp(person.email));
  await login(next, { password: person.password });
});

Deno.test("A9: an address that somebody has is answered alike, and stays theirs", async () => {
  const taken = await createAccount();
  for (const email of [taken, newEmail()]) {
    const { token } = await proved(await createHolder());
    const began = performance.now();
    const answer = await move(token, email);
    assert.deepEqual([answer.status, await answer.text()], [202, ""]);
    const took = performance.now() - began;
    assert.ok(took >= 740, `${took} ms`);
    await assertAnswer(move(token, newEmail()), 429, "limits.exceeded");
  }
  await login(taken);
});

Deno.test("A13: who asks Auth directly for another address needs the proof all the same", async () => {
  const person = await createHolder();
  const ask = () => person.client.auth.updateUser({ email: newEmail() });
  assert.ok((await ask()).error);
  const pending = await withDatabase((sql) =>
    sql`select 1 from auth.users where id = ${person.id} and email_change <> ''`
  );
  assert.equal(pending.length, 0);
  await proved(person);
  assert.equal((await ask()).error, null);
});

Deno.test("the database asks for the proof itself", async () => {
  const { client } = await createHolder();
  const code = "accounts.reauthentication_required";
  await assertRefused(client.rpc("accounts_request_deletion"), 403, code);
  await assertRefused(client.rpc("accounts_caller", { recently_proved: true }), 403, code);
});

Deno.test("nobody proves anything for another person's session", async () => {
  const [person, other] = [await createHolder(), await createHolder()];
  const { session } = await must<{ session: string }>(other.client.rpc("accounts_caller"));
  await withDatabase(async (sql) => {
    await assert.rejects(
      sql`select public.accounts_prove(${person.id}::uuid, ${session}::uuid)`,
      /auth.session_ended/,
    );
  });
  await assertAnswer(post("/reauthenticate", { password: "x" }), 401, "auth.required");
});
