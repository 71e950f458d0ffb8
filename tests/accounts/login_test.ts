import assert from "node:assert/strict";
import { must } from "../support/answers.ts";
import { assertProblem, callApi } from "../support/api.ts";
import { admin, createPerson } from "../support/clients.ts";
import { withDatabase } from "../support/database.ts";
import { addMember, createMember, createTenant, setStatus } from "../support/tenants.ts";
import { createEnrolled } from "../two_factor/support.ts";
import {
  assertAnswer,
  clientOf,
  login,
  newEmail,
  post,
  postFrom,
  randomAddress,
} from "./support.ts";

const wrong = "Wrong-horse-7";

async function createUser() {
  const person = await createPerson();
  const attempt = (password = person.password, fields: Record<string, unknown> = {}) =>
    post("/login", { email: person.email, password, ...fields });
  return { ...person, attempt };
}

/** Takes the failures of these addresses back into the past. */
const later = (keys: string[], interval: string) =>
  withDatabase((sql) =>
    sql`
      update private.limits_attempts
      set started_at = started_at - ${interval}::interval, ends_at = ends_at - ${interval}::interval
      where key = any (${keys})`
  );

const keyOf = (email: string) =>
  withDatabase(async (sql) => {
    const [row] = await sql`
      select private.accounts_attempt_key('login', 'address', ${email}, null) as key`;
    return row!.key as string;
  });

Deno.test("signing in by password: tokens that supabase-js goes on with", async () => {
  const { email, password, id } = await createUser();
  const tokens = await login(email, { password });
  assert.equal(tokens.two_factor_required, false);
  const me = await must<{ id: string }>((await clientOf(tokens)).rpc("people_me"));
  assert.equal(me.id, id);
});

Deno.test("Auth keeps the client's own address and device, and counts by them", async () => {
  const { email, password } = await createUser();
  const address = randomAddress();
  const response = await post("/login", { email, password }, {
    headers: { "x-forwarded-for": address, "user-agent": "Nexus-App/7" },
  });
  const { access_token } = await response.json();
  const [session] = await withDatabase((sql) =>
    sql`select host(ip) as ip, user_agent from auth.sessions s
      join auth.users u on u.id = s.user_id where u.email = ${email}
      order by s.created_at desc limit 1`
  );
  assert.ok(access_token);
  assert.deepEqual({ ...session }, { ip: address, user_agent: "Nexus-App/7" });
});

Deno.test("A7: five failures in a quarter of an hour, for an account", async () => {
  const { email, attempt } = await createUser();
  for (let count = 0; count < 5; count++) {
    await assertAnswer(attempt(wrong), 401, "accounts.credentials_refused");
  }
  const refused = await attempt();
  await assertProblem(refused, 429, "limits.exceeded");
  const seconds = Number(refused.headers.get("retry-after"));
  assert.ok(seconds > 0 && seconds <= 1800, `${seconds}`);
  await later([await keyOf(email)], "31 minutes");
  await assertAnswer(attempt(), 200);
});

Deno.test("A7: five failures for a client, whatever addresses it tries", async () => {
  const { email, password } = await createUser();
  const address = randomAddress();
  for (let count = 0; count < 5; count++) {
    const attempt = postFrom(address, "/login", { email: newEmail(), password: wrong });
    await assertAnswer(attempt, 401, "accounts.credentials_refused");
  }
  await assertAnswer(postFrom(address, "/login", { email, password }), 429, "limits.exceeded");
  await assertAnswer(post("/login", { email, password }), 200);
});

Deno.test("A7: an address that nobody has is counted like one that somebody has", async () => {
  const email = newEmail();
  for (let count = 0; count < 5; count++) {
    const attempt = post("/login", { email, password: wrong });
    await assertAnswer(attempt, 401, "accounts.credentials_refused");
  }
  await assertAnswer(post("/login", { email, password: wrong }), 429, "limits.exceeded");
});

Deno.test("A7: only failures count: who signs in again and again is let in", async () => {
  const { email, password } = await createUser();
  const address = randomAddress();
  for (let count = 0; count < 8; count++) {
    await assertAnswer(postFrom(address, "/login", { email, password }), 200);
  }
});

Deno.test("A7: twenty at once get no more than five tries", async () => {
  const { attempt } = await createUser();
  const answers = await Promise.all(Array.from({ length: 20 }, () => attempt(wrong)));
  const codes = await Promise.all(answers.map(async (answer) => (await answer.json()).code));
  assert.equal(codes.filter((code) => code === "accounts.credentials_refused").length, 5);
  assert.equal(codes.filter((code) => code === "limits.exceeded").length, 15);
});

Deno.test("A7: after a hundred failures in a row the password opens nothing until it is reset", async () => {
  const { email, password, id, attempt } = await createUser();
  await assertAnswer(attempt(wrong), 401, "accounts.credentials_refused");
  const set = (failures: number) =>
    withDatabase((sql) =>
      sql`update private.accounts_failures set failures = ${failures}
        where address_key = private.accounts_address_key(${email})`
    );
  await set(99);
  await assertAnswer(attempt(), 200);
  await assertAnswer(attempt(wrong), 401, "accounts.credentials_refused");
  await set(100);
  const refused = await attempt();
  await assertProblem(refused, 429, "limits.exceeded");
  assert.ok(Number(refused.headers.get("retry-after")) >= 3600);
  await admin().auth.admin.updateUserById(id, { password: `${password}x` });
  await assertAnswer(attempt(`${password}x`), 200);
});

Deno.test("A7: the counters outlive a crash, and are the database's alone", async () => {
  await withDatabase(async (sql) => {
    const tables = await sql<{ name: string; kind: string }[]>`
      select relname as name, relpersistence::text as kind from pg_class
      where oid in ('private.limits_attempts'::regclass, 'private.accounts_failures'::regclass)`;
    assert.deepEqual([...tables].map(({ kind }) => kind), ["p", "p"]);
  });
});

Deno.test("A8: failures end no session, and keep nobody who is in from going on", async () => {
  const { client, attempt } = await createUser();
  for (let count = 0; count < 6; count++) await (await attempt(wrong)).body?.cancel();
  await must(client.rpc("people_me"));
  const { data, error } = await client.auth.refreshSession();
  assert.equal(error, null);
  const token = data.session!.access_token;
  await assertAnswer(callApi("/v1/users/me", { token }), 200);
});

Deno.test("a tenant named at login lets in its members, and says why not, after the right password", async (t) => {
  const tenant = await createTenant();
  const owner = await createMember(tenant, "owner");
  const sessions = (id: string) =>
    withDatabase(async (sql) => {
      const rows = await sql`select id from auth.sessions where user_id = ${id}`;
      return rows.length;
    });
  const user = await createUser();
  const attempt = () => user.attempt(user.password, { tenant: tenant.slug });
  await t.step("a stranger", async () => {
    await assertAnswer(attempt(), 404, "tenants.not_found");
  });
  await addMember(tenant, user);
  await t.step("a member", async () => {
    await assertAnswer(attempt(), 200);
  });
  for (const status of ["suspended", "banned"]) {
    await t.step(status, async () => {
      await setStatus(owner.client, tenant, user, status);
      const before = await sessions(user.id);
      const answer = await attempt();
      const text = await answer.text();
      assert.deepEqual([answer.status, JSON.parse(text).code], [403, `members.${status}`]);
      assert.ok(!text.includes("token"));
      assert.equal(await sessions(user.id), before);
      await assertAnswer(
        user.attempt(wrong, { tenant: tenant.slug }),
        401,
        "accounts.credentials_refused",
      );
    });
  }
  await t.step("without a tenant: signed in, and its rows stay invisible", async () => {
    const client = await clientOf(await login(user.email, { password: user.password }));
    assert.deepEqual(await must(client.from("tenants").select("id")), []);
  });
});

Deno.test("A5: a banned person is refused like anybody, whatever the password, and counted", async () => {
  const { id, attempt } = await createUser();
  await admin().auth.admin.updateUserById(id, { ban_duration: "1h" });
  const texts = await Promise.all([wrong, undefined].map(async (password) => {
    const answer = await attempt(password);
    const { request_id: _, ...rest } = await answer.json();
    return [answer.status, rest];
  }));
  assert.deepEqual(texts[0], texts[1]);
  for (let count = 0; count < 3; count++) {
    await assertAnswer(attempt(), 401, "accounts.credentials_refused");
  }
  await assertAnswer(attempt(), 429, "limits.exceeded");
});

Deno.test("A14: a login before its second factor says so, and reaches the way out", async () => {
  const person = await createEnrolled();
  const tokens = await login(person.email, { password: person.password });
  assert.equal(tokens.two_factor_required, true);
  const token = tokens.access_token;
  const { two_factor_required } = await (await callApi("/v1/users/me", { token })).json();
  assert.equal(two_factor_required, true);
  for (
    const [path, body] of [["/reauthenticate", { password: person.password }], [
      "/password/change",
      {
        current_password: person.password,
        password: "Another-pass-9",
      },
    ]] as const
  ) {
    await assertAnswer(post(path, body, { token }), 403, "two_factor.required");
  }
  await assertAnswer(post("/logout", {}, { token }), 200);
  await assertAnswer(post("/logout", {}, { token }), 401, "auth.session_ended");
});
