import assert from "node:assert/strict";
import { assertRefused, must } from "../support/answers.ts";
import { assertProblem, callApi, tokenOf } from "../support/api.ts";
import { admin, anonymous, createPerson, signIn } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { createMember, createTenant, issue, type Tenant } from "../support/tenants.ts";
import { codeOf, createEnrolled, enrol, forgetSteps, overStack, read } from "./support.ts";

type Client = Awaited<ReturnType<typeof signIn>>;

/** What a member reads of a tenant, and what is theirs alone. */
const tables = ["tenants", "members", "roles", "wallet_accounts", "wallet_currencies", "people"];

const rowsOf = async (client: Client) => {
  const counts = await Promise.all(
    tables.map(async (table) => (await must<unknown[]>(client.from(table).select("*"))).length),
  );
  return counts.reduce((sum, count) => sum + count);
};

async function joins(client: Client, topic: string): Promise<boolean> {
  await client.realtime.setAuth(await tokenOf({ client }));
  const channel = client.channel(topic, { config: { private: true } });
  const state = await new Promise<string>((resolve) => channel.subscribe(resolve));
  await client.removeAllChannels();
  return state === "SUBSCRIBED";
}

const pay = (client: Client, tenant: Tenant, person: { id: string }) =>
  client.rpc("wallet_transfer", {
    tenant_id: tenant.id,
    to_person: person.id,
    amount: 1,
    currency: "hours",
    idempotency_key: crypto.randomUUID(),
  });

/** A member with money, their verified session, and another of theirs. */
async function createMemberWithFactor() {
  const tenant = await createTenant();
  const [member, fellow] = await Promise.all([createMember(tenant), createMember(tenant)]);
  await issue(tenant, member, 100);
  const before = await signIn(member.email);
  assert.ok(await rowsOf(before) > 0);
  const person = await enrol(member);
  return { tenant, fellow, person, before, client: await signIn(member.email) };
}

Deno.test("A12: before its second factor a session sees nothing through any door", async (t) => {
  const { tenant, fellow, person, before, client } = await createMemberWithFactor();
  for (const [name, unverified] of Object.entries({ "begun before": before, "new": client })) {
    await t.step(`${name}: no row of the Data API`, async () => {
      assert.equal(await rowsOf(unverified), 0);
      const { data } = await unverified.from("tenants").update({ name: "Eve" }).eq("id", tenant.id)
        .select();
      assert.deepEqual(data ?? [], []);
    });
    await t.step(`${name}: no RPC`, async () => {
      await assertRefused(pay(unverified, tenant, fellow), 403, "two_factor.required");
      await assertRefused(
        unverified.rpc("people_update_me", { changes: { display_name: "Eve" } }),
        403,
        "two_factor.required",
      );
      await assertRefused(unverified.rpc("people_session"), 403, "two_factor.required");
    });
    await t.step(`${name}: no channel`, async () => {
      for (const topic of [`private-user-${person.id}`, `private-tenant-${tenant.id}`]) {
        assert.equal(await joins(unverified, topic), false, topic);
      }
    });
    await t.step(`${name}: no file`, async () => {
      const { error } = await unverified.storage.from("images").createSignedUrl(
        `${tenant.id}/x/y`,
        60,
      );
      assert.ok(error);
    });
    await t.step(`${name}: no route, and a reduced /users/me`, async () => {
      const token = await tokenOf({ client: unverified });
      await assertProblem(
        await callApi(`/v1/tenants/${tenant.slug}`, { token }),
        403,
        "two_factor.required",
      );
      const update = { method: "PATCH", token, body: { display_name: "Eve" } };
      await assertProblem(await callApi("/v1/users/me", update), 403, "two_factor.required");
      const { display_name, ...me } = await (await callApi("/v1/users/me", { token })).json();
      assert.ok(display_name);
      assert.deepEqual(me, {
        id: person.id,
        email: null,
        email_verified: false,
        avatar_url: null,
        locale: null,
        time_zone: null,
        preferences: {},
        deletion_due_at: null,
        two_factor_required: true,
        impersonation: null,
        providers: [],
        tenants: [],
      });
    });
  }
  await t.step("a code opens the session that it was given in, and no other", async () => {
    const token = await tokenOf({ client });
    await read(overStack("/verify", token, { code: codeOf(person.secret) }));
    assert.ok(await rowsOf(client) > 0);
    await must(pay(client, tenant, fellow));
    assert.equal(await joins(client, `private-user-${person.id}`), true);
    assert.equal((await must<{ tenants: unknown[] }>(client.rpc("people_me"))).tenants.length, 1);
    assert.equal(await rowsOf(before), 0);
  });
  await t.step("a refreshed token is the same session", async () => {
    await client.auth.refreshSession();
    await before.auth.refreshSession();
    assert.ok(await rowsOf(client) > 0);
    assert.equal(await rowsOf(before), 0);
    const claims = JSON.parse(atob((await tokenOf({ client })).split(".")[1]!));
    assert.equal(claims.aal, "aal1");
  });
});

Deno.test("A12: a session waits for its factor for five minutes, and then it is over", async () => {
  const { person, client } = await createMemberWithFactor();
  const token = await tokenOf({ client });
  const age = (seconds: number) =>
    withDatabase(async (sql) => {
      const past = sql`now() - ${seconds} * interval '1 second'`;
      await sql`update auth.sessions set created_at = ${past} where user_id = ${person.id}`;
      await sql`update private.trust_factors set confirmed_at = ${past} where person_id = ${person.id}`;
    });
  const code = { code: codeOf(person.secret, 1) };
  await age(301);
  await assertProblem(await overStack("/verify", token, code), 401, "auth.session_ended");
  assert.ok(await rowsOf(person.client) > 0);
  await age(240);
  await read(overStack("/verify", token, code));
});

Deno.test("A12: a verified session that ended is over, factor or not", async () => {
  const person = await createEnrolled();
  const token = await tokenOf(person);
  await person.client.auth.signOut({ scope: "local" });
  await assertProblem(await overStack("/status", token), 401, "auth.session_ended");
  const code = { code: codeOf(person.secret) };
  await assertProblem(await overStack("/verify", token, code), 401, "auth.session_ended");
  const [left] = await withDatabase((sql) =>
    sql`select count(*)::int as count from private.trust_sessions where person_id = ${person.id}`
  );
  assert.equal(left!.count, 0);
});

Deno.test("A12: nobody lifts a session but the function, after a code", async () => {
  const person = await createEnrolled();
  const client = await signIn(person.email);
  for (const name of ["two_factor_accept", "two_factor_use_backup_code", "two_factor_read"]) {
    const { error } = await client.rpc(name, { person: person.id, session: person.id });
    assert.ok(["42501", "PGRST202"].includes(error?.code ?? ""), `${name}: ${error?.code}`);
  }
  // Nor the function for a session of somebody else.
  const [row] = await withDatabase((sql) =>
    sql`select s.id, e.secret from auth.sessions s
      join private.two_factor_enrolments e on e.person_id = ${person.id}
      where s.user_id <> ${person.id} limit 1`
  );
  if (!row) throw new Error("there is no other session");
  const { error } = await admin().rpc("two_factor_accept", {
    person: person.id,
    session: row.id,
    secret_read: row.secret,
    secret: row.secret,
    step: 1,
  });
  assert.equal(error?.message, "auth.session_ended");
});

Deno.test("A12: an unverified session cannot put another app in place of the factor", async () => {
  const person = await createEnrolled();
  const token = await tokenOf({ client: await signIn(person.email) });
  const answer = await overStack("/setup", token);
  await assertProblem(answer, 403, "two_factor.required");
});

Deno.test("A12: a set-up begun before another factor came is not a way past it", async () => {
  const person = await createPerson();
  const token = await tokenOf(person);
  const { secret } = await read<{ secret: string }>(overStack("/setup", token));
  await withDatabase((sql) =>
    sql`insert into private.trust_factors (person_id, kind) values (${person.id}, 'passkey')`
  );
  const answer = await overStack("/verify", token, { code: codeOf(secret) });
  await assertProblem(answer, 403, "two_factor.required");
});

Deno.test("A14: a link from a mail opens a session without its second factor", async () => {
  const tenant = await createTenant();
  const person = await enrol(await createMember(tenant));
  for (const type of ["recovery", "magiclink"] as const) {
    const { data, error } = await admin().auth.admin.generateLink({ type, email: person.email });
    assert.equal(error, null);
    const client = anonymous();
    const verified = await client.auth.verifyOtp({
      token_hash: data.properties!.hashed_token,
      type,
    });
    assert.equal(verified.error, null);
    assert.equal(await rowsOf(client), 0, type);
    await assertRefused(client.rpc("people_session"), 403, "two_factor.required");
  }
});

Deno.test("A14: a new password takes no factor away", async () => {
  const person = await createEnrolled();
  await admin().auth.admin.updateUserById(person.id, { password: "Another-password-1" });
  const client = await signIn(person.email, "Another-password-1");
  assert.equal((await client.rpc("people_me")).data.two_factor_required, true);
  await forgetSteps(person);
  await read(overStack("/verify", await tokenOf({ client }), { code: codeOf(person.secret) }));
  assert.equal((await client.rpc("people_me")).data.two_factor_required, false);
});

Deno.test("an erased person leaves no secret behind", async () => {
  const person = await createEnrolled();
  await admin().auth.admin.deleteUser(person.id);
  const [left] = await withDatabase((sql) =>
    sql`select
      (select count(*)::int from private.two_factor_enrolments where person_id = ${person.id}) as apps,
      (select count(*)::int from private.two_factor_backup_sets where person_id = ${person.id}) as sets,
      (select count(*)::int from private.trust_factors where person_id = ${person.id}) as factors`
  );
  assert.deepEqual({ ...left }, { apps: 0, sets: 0, factors: 0 });
});
