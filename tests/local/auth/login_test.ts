import assert from "node:assert/strict";
import { withDatabase } from "../../support/database.ts";
import {
  backendOf,
  median,
  newEmail,
  password,
  refusal,
  signedIn,
  startAuth,
  tolerance,
  waiterFor,
} from "./support.ts";

Deno.test("an unknown address and a wrong password get the same answer", async () => {
  await using auth = await startAuth();
  const { email } = await signedIn(auth);
  const bodyOf = async (address: string) => {
    const response = await auth.request("/token?grant_type=password", {
      method: "POST",
      body: JSON.stringify({ email: address, password: "Wrong-horse-7" }),
    });
    return [response.status, await response.text()];
  };
  assert.deepEqual(await bodyOf(newEmail()), await bodyOf(email));
});

Deno.test("an unknown address and a wrong password take the same time", async () => {
  await using auth = await startAuth();
  const { email } = await signedIn(auth);
  const timeOf = async (address: string) => {
    const began = performance.now();
    await auth.visitor().auth.signInWithPassword({ email: address, password: "Wrong-horse-7" });
    return performance.now() - began;
  };
  const known: number[] = [];
  const unknown: number[] = [];
  // Side by side, so that whatever else the machine does weighs on both.
  for (let attempt = 0; attempt < 100; attempt++) {
    const [one, other] = await Promise.all([timeOf(email), timeOf(newEmail())]);
    known.push(one);
    unknown.push(other);
  }
  const difference = Math.abs(median(known) - median(unknown));
  assert.ok(
    difference < tolerance(median(known)),
    `the medians differ by ${difference} ms`,
  );
});

Deno.test("a login of 72 known bytes and more of anything is refused, not cut", async () => {
  await using auth = await startAuth();
  const [email, long] = [newEmail(), `Aa1${"x".repeat(69)}`];
  await auth.operator().auth.admin.createUser({ email, password: long, email_confirm: true });
  const visitor = auth.visitor();
  assert.equal((await visitor.auth.signInWithPassword({ email, password: long })).error, null);
  assert.deepEqual(
    refusal(await visitor.auth.signInWithPassword({ email, password: `${long}y` })),
    [400, "invalid_credentials"],
  );
});

Deno.test("a ban ends logins, refreshes and what the token still opens, until it is lifted", async () => {
  await using auth = await startAuth();
  const { id, email, client, session } = await signedIn(auth);
  const admin = auth.operator().auth.admin;
  const banned = await admin.updateUserById(id, { ban_duration: "24h" });
  assert.ok(Date.parse((banned.data.user as { banned_until?: string }).banned_until!) > Date.now());
  const login = (secret: string) =>
    auth.visitor().auth.signInWithPassword({ email, password: secret });
  assert.deepEqual(refusal(await login(password)), [400, "user_banned"]);
  // As hosted: before the password is looked at.
  assert.deepEqual(refusal(await login("Wrong-horse-7")), [400, "user_banned"]);
  assert.deepEqual(refusal(await client.auth.getUser(session.access_token)), [403, "user_banned"]);
  const refresh = () =>
    auth.visitor().auth.refreshSession({ refresh_token: session.refresh_token });
  assert.deepEqual(refusal(await refresh()), [400, "user_banned"]);
  await admin.updateUserById(id, { ban_duration: "none" });
  assert.equal((await login(password)).error, null);
  assert.equal((await refresh()).error, null);
});

Deno.test("a deletion, soft or hard, ends logins, refreshes and what the token still opens", async () => {
  await using auth = await startAuth();
  for (const soft of [true, false]) {
    const { id, email, client, session } = await signedIn(auth);
    assert.equal((await auth.operator().auth.admin.deleteUser(id, soft)).error, null);
    assert.deepEqual(
      refusal(await auth.visitor().auth.signInWithPassword({ email, password })),
      [400, "invalid_credentials"],
    );
    const { refresh_token, access_token } = session;
    assert.deepEqual(refusal(await client.auth.refreshSession({ refresh_token })), [
      400,
      "refresh_token_not_found",
    ]);
    assert.deepEqual(refusal(await client.auth.getUser(access_token)), [403, "user_not_found"]);
    const left = await withDatabase((sql) =>
      sql`select email, encrypted_password, raw_user_meta_data from auth.users where id = ${id}`
    );
    assert.equal(left.length, soft ? 1 : 0);
    if (soft) assert.equal(JSON.stringify(left).includes(email), false);
  }
});

Deno.test("a password changed while it is being checked opens no session", async () => {
  await using auth = await startAuth();
  const { id, email } = await signedIn(auth);
  await withDatabase(async (sql) => {
    const login = await sql.begin(async (tx) => {
      // The row is locked before the login's last statement, and the hash another one after it.
      await tx`update auth.users set encrypted_password = 'changed' where id = ${id}`;
      const pending = auth.visitor().auth.signInWithPassword({ email, password });
      await waiterFor(sql, await backendOf(tx));
      return { pending };
    });
    assert.deepEqual(refusal(await login.pending), [400, "invalid_credentials"]);
    const sessions = await sql`select from auth.sessions where user_id = ${id}`;
    assert.equal(sessions.length, 1);
  });
});

Deno.test("a flood of logins leaves the rest of Auth answering", async () => {
  await using auth = await startAuth();
  const { client, session } = await signedIn(auth);
  const flood = Promise.all(
    Array.from(
      { length: 60 },
      () => auth.visitor().auth.signInWithPassword({ email: newEmail(), password }),
    ),
  );
  const began = performance.now();
  const { error } = await client.auth.getUser(session.access_token);
  const took = performance.now() - began;
  assert.equal(error, null);
  for (const answer of await flood) assert.deepEqual(refusal(answer), [400, "invalid_credentials"]);
  const flooded = performance.now() - began;
  assert.ok(took < flooded / 4, `took ${took} of ${flooded} ms`);
});

Deno.test("a bcrypt hash of another system can be taken over", async () => {
  await using auth = await startAuth();
  const email = newEmail();
  // "Correct-horse-7", hashed by a library that calls its hashes $2b$.
  const [row] = await withDatabase((sql) =>
    sql`select extensions.crypt(${password}, extensions.gen_salt('bf', 6)) as hash`
  );
  const password_hash = String(row!.hash).replace("$2a$", "$2b$");
  const created = await auth.operator().auth.admin.createUser({
    email,
    password_hash,
    email_confirm: true,
  });
  assert.equal(created.error, null);
  assert.equal((await auth.visitor().auth.signInWithPassword({ email, password })).error, null);
});
