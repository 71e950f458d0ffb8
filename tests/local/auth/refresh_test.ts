import assert from "node:assert/strict";
import { withDatabase } from "../../support/database.ts";
import {
  type AuthUnderTest,
  backendOf,
  claimsOf,
  refusal,
  signedIn,
  startAuth,
  waiterFor,
} from "./support.ts";

const refresh = (auth: AuthUnderTest, refresh_token: string) =>
  auth.visitor().auth.refreshSession({ refresh_token });

/** Rotates the token and gives the next one. */
async function next(auth: AuthUnderTest, token: string): Promise<string> {
  const { data, error } = await refresh(auth, token);
  if (error) throw error;
  return data.session!.refresh_token;
}

const tokensOf = (userId: string) =>
  withDatabase((sql) =>
    sql`select token, revoked from auth.refresh_tokens where user_id = ${userId}`
  );

Deno.test("a refresh rotates the token and keeps the session and how it began", async () => {
  await using auth = await startAuth();
  const { id, session } = await signedIn(auth);
  const { data, error } = await refresh(auth, session.refresh_token);
  assert.equal(error, null);
  assert.notEqual(data.session?.refresh_token, session.refresh_token);
  const [before, after] = [session.access_token, data.session!.access_token].map(claimsOf);
  assert.deepEqual([after!.session_id, after!.amr], [before!.session_id, before!.amr]);
  const live = (await tokensOf(id)).filter(({ revoked }) => !revoked);
  assert.deepEqual(live.map(({ token }) => token), [data.session?.refresh_token]);
});

Deno.test("A2: twenty refreshes of one token at once end with one live token, given to all", async () => {
  // By two servers, so that the database decides and not one of them.
  await using one = await startAuth();
  await using two = await startAuth();
  const { id, session } = await signedIn(one);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) => refresh(n % 2 ? one : two, session.refresh_token)),
  );
  assert.deepEqual(answers.map(({ error }) => error), Array(20).fill(null));
  const given = new Set(answers.map(({ data }) => data.session?.refresh_token));
  const live = (await tokensOf(id)).filter(({ revoked }) => !revoked);
  assert.deepEqual([...given], live.map(({ token }) => token));
  assert.equal(given.size, 1);
});

Deno.test("a refresh waits for another one of the session, and finds its token rotated", async () => {
  await using one = await startAuth();
  await using two = await startAuth();
  const { id, session } = await signedIn(one);
  await withDatabase(async (sql) => {
    const { pending } = await sql.begin(async (tx) => {
      // Stops the first one after it has read the token, before it rotates it.
      await tx`select from auth.refresh_tokens where token = ${session.refresh_token} for update`;
      const mine = await backendOf(tx);
      const first = refresh(one, session.refresh_token);
      const waiting = await waiterFor(sql, mine);
      const second = refresh(two, session.refresh_token);
      await waiterFor(sql, mine, waiting);
      return { pending: Promise.all([first, second]) };
    });
    const tokens = (await pending).map(({ data }) => data.session?.refresh_token);
    assert.equal(tokens[0], tokens[1]);
  });
  const live = (await tokensOf(id)).filter(({ revoked }) => !revoked);
  assert.equal(live.length, 1);
});

Deno.test("a client that lost the answer may ask again, however late, and gets the live token", async () => {
  await using auth = await startAuth({ refreshReuseInterval: 0 });
  const { session } = await signedIn(auth);
  const second = await next(auth, session.refresh_token);
  assert.equal(await next(auth, session.refresh_token), second);
});

Deno.test("an older token within the reuse interval gets the live token, too", async () => {
  await using auth = await startAuth({ refreshReuseInterval: 10 });
  const { session } = await signedIn(auth);
  const third = await next(auth, await next(auth, session.refresh_token));
  assert.equal(await next(auth, session.refresh_token), third);
});

Deno.test("A1: an older token after the interval is theft: nothing refreshes the session any more", async () => {
  await using auth = await startAuth({ refreshReuseInterval: 0 });
  const { id, session } = await signedIn(auth);
  const third = await next(auth, await next(auth, session.refresh_token));
  for (const token of [session.refresh_token, third]) {
    assert.deepEqual(refusal(await refresh(auth, token)), [400, "refresh_token_already_used"]);
  }
  assert.deepEqual((await tokensOf(id)).map(({ revoked }) => revoked), [true, true, true]);
});

Deno.test("an unknown, a missing and an expired token are refused by their codes", async () => {
  await using auth = await startAuth();
  assert.deepEqual(refusal(await refresh(auth, "unknown")), [400, "refresh_token_not_found"]);
  const missing = await auth.request("/token?grant_type=refresh_token", {
    method: "POST",
    body: "{}",
  });
  assert.deepEqual([missing.status, (await missing.json()).error_code], [400, "validation_failed"]);
  const { id, session } = await signedIn(auth);
  await withDatabase((sql) =>
    sql`update auth.sessions set not_after = now() - interval '1 s' where user_id = ${id}`
  );
  assert.deepEqual(refusal(await refresh(auth, session.refresh_token)), [400, "session_expired"]);
});

Deno.test("A3: refresh tokens carry 128 random bits", async () => {
  await using auth = await startAuth();
  const { session } = await signedIn(auth);
  assert.match(session.refresh_token, /^[\w-]{22}$/);
});

Deno.test("a session keeps the address and the program it was last used from", async () => {
  await using auth = await startAuth();
  const { id, session } = await signedIn(auth);
  const response = await auth.request("/token?grant_type=refresh_token", {
    method: "POST",
    address: "10.1.2.3",
    headers: { "user-agent": "probe/1" },
    body: JSON.stringify({ refresh_token: session.refresh_token }),
  });
  assert.equal(response.status, 200);
  await response.body?.cancel();
  const [row] = await withDatabase((sql) =>
    sql`select host(ip) as ip, user_agent from auth.sessions where user_id = ${id}`
  );
  assert.deepEqual({ ...row }, { ip: "10.1.2.3", user_agent: "probe/1" });
});
