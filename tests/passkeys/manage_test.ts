import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { admin, createPerson, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { mailTo } from "../support/mail.ts";
import { ageFactors } from "../two_factor/support.ts";
import {
  addPasskey,
  askOptions,
  clientOf,
  createApp,
  createHolder,
  login,
  type Passkey,
  read,
  stepUp,
} from "./support.ts";

const app = await createApp();

const change = (id: string, token: string, name: unknown) =>
  callApi(`/v1/passkeys/${id}`, { method: "PATCH", token, body: { name } });
const remove = (id: string, token: string) =>
  callApi(`/v1/passkeys/${id}`, { method: "DELETE", token });
const listOf = async (token: string) =>
  (await read<{ data: Passkey[] }>(callApi("/v1/passkeys", { token }))).data;

Deno.test("one names one's passkeys, and nobody else's", async () => {
  const [holder, other] = await Promise.all([createHolder(app), createHolder(app)]);
  const token = await tokenOf(holder);
  const renamed = await read<Passkey>(change(holder.passkey.id, token, "  Old phone "));
  assert.equal(renamed.name, "Old phone");
  assert.deepEqual(await listOf(token), [renamed]);
  for (const name of ["", " ", "x".repeat(61), 1]) {
    await assertProblem(await change(holder.passkey.id, token, name), 422, "request.invalid");
  }
  await assertRefused(
    holder.client.rpc("passkeys_rename", { passkey: holder.passkey.id, name: " " }),
    422,
    "request.invalid",
  );
  const byOther = await tokenOf(other);
  await assertProblem(await change(holder.passkey.id, byOther, "Mine"), 404, "passkeys.not_found");
  await assertProblem(await remove(holder.passkey.id, byOther), 404, "passkeys.not_found");
  assert.equal((await listOf(token))[0]!.name, "Old phone");
});

Deno.test("A13: removing a passkey wants a factor within five minutes, and the person is told", async () => {
  const holder = await createHolder(app);
  const { passkey: second } = await addPasskey(app, holder, { name: "Laptop" });
  const token = await tokenOf(holder);
  await ageFactors(holder, "6 minutes");
  for (
    const [status, code] of [[403, "two_factor.recent_required"]] as const
  ) {
    await assertProblem(await remove(holder.passkey.id, token), status, code);
    await assertRefused(
      holder.client.rpc("passkeys_delete", { passkey: holder.passkey.id }),
      status,
      code,
    );
  }
  await read(stepUp(app, holder.authenticator, token));
  assert.equal((await read<Passkey>(remove(second.id, token))).name, "Laptop");
  await mailTo(holder.email, "passkeys.removed");
  assert.deepEqual((await listOf(token)).map(({ id }) => id), [holder.passkey.id]);
  await assertProblem(await remove(second.id, token), 404, "passkeys.not_found");
});

Deno.test("a passkey that is removed opens nothing any more, and neither do the sessions it opened", async () => {
  const holder = await createHolder(app);
  const { authenticator, passkey } = await addPasskey(app, holder, { name: "Stolen" });
  const thief = await clientOf(await login(app, authenticator));
  const lifted = await signIn(holder.email);
  await read(stepUp(app, authenticator, await tokenOf({ client: lifted })));
  const own = await clientOf(await login(app, holder.authenticator));

  await read(remove(passkey.id, await tokenOf({ client: own })));
  await assertRefused(thief.rpc("people_me"), 401, "auth.session_ended");
  assert.equal((await thief.auth.refreshSession()).data.session, null);
  await assertRefused(lifted.rpc("passkeys_list"), 403, "two_factor.required");
  await must(own.rpc("passkeys_list"));
  await assertProblem(await login(app, authenticator), 422, "passkeys.refused");
});

Deno.test("the last one takes the factor with it", async () => {
  const holder = await createHolder(app);
  const waiting = await signIn(holder.email);
  await assertRefused(waiting.rpc("passkeys_list"), 403, "two_factor.required");
  await read(remove(holder.passkey.id, await tokenOf(holder)));
  assert.deepEqual(await must(waiting.rpc("passkeys_list")), { data: [], next_cursor: null });
  // What it proved is void: the next act worth a factor asks for one.
  await addPasskey(app, { client: waiting });
  await assertProblem(
    await askOptions("register", app, await tokenOf(holder)),
    403,
    "two_factor.required",
  );
});

Deno.test("of two removed at the same moment, the factor goes with the last", async () => {
  const holder = await createHolder(app);
  const { passkey } = await addPasskey(app, holder);
  const token = await tokenOf(holder);
  const third = await addPasskey(app, holder);
  await stepUp(app, third.authenticator, token);
  const answers = await Promise.all([passkey, holder.passkey].map(({ id }) => remove(id, token)));
  for (const answer of answers) assert.equal(answer.status, 200, await answer.text());
  assert.deepEqual((await listOf(token)).map(({ id }) => id), [third.passkey.id]);
});

Deno.test("an erased person's passkeys are forgotten", async () => {
  const holder = await createHolder(app);
  const { error } = await admin().auth.admin.deleteUser(holder.id);
  assert.equal(error, null);
  await withDatabase(async (sql) => {
    for (const table of ["passkeys", "passkeys_handles", "passkeys_challenges", "trust_factors"]) {
      const rows = await sql`
        select from ${sql(`private.${table}`)} where person_id = ${holder.id}`;
      assert.equal(rows.length, 0, table);
    }
  });
  await assertProblem(await login(app, holder.authenticator), 422, "passkeys.refused");
});

Deno.test("challenges that nobody answers are forgotten", async () => {
  await withDatabase(async (sql) => {
    await sql`insert into private.passkeys_challenges (challenge, purpose, rp_id, origins, expires_at)
      values (private.passkeys_random(), 'login', 'old.example.org', '{}', now())`;
    const [row] = await sql`select private.passkeys_forget_challenges()::int as gone`;
    assert.ok(row!.gone >= 1);
    const left = await sql`select from private.passkeys_challenges where rp_id = 'old.example.org'`;
    assert.equal(left.length, 0);
  });
});

Deno.test("nobody but the functions says that a signature was good", async () => {
  const { client } = await createPerson();
  for (
    const rpc of ["passkeys_add", "passkeys_accept", "passkeys_verified", "passkeys_take_login"]
  ) {
    const { error, status } = await client.rpc(rpc, {});
    assert.ok(error, rpc);
    assert.ok([403, 404].includes(status), `${rpc}: ${status}`);
  }
});
